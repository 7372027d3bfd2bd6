"""`make bench`: every measurement, each with both sides of its ratio from one run."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from benchmarks import pipeline


def main(
    learners: Annotated[int, typer.Option(min=20, help="Learners of the pipeline; each has 12 events.")] = 10_000,
    only: Annotated[str | None, typer.Option(help="pipeline or signing")] = None,
) -> None:
    """Measure the whole path beside the bare floor, and signing beside raw Ed25519."""
    if only not in (None, "pipeline", "signing"):
        raise typer.BadParameter(f"expected pipeline or signing, found {only!r}")
    if only != "signing":
        typer.echo("== the whole path beside the bare floor")
        typer.echo(pipeline.report(asyncio.run(pipeline.measure(learners))))
    if only != "pipeline":
        from benchmarks import signing

        typer.echo("== signing")
        signing.main()


if __name__ == "__main__":
    typer.run(main)
