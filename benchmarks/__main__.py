"""`make bench`: every measurement, each with both sides of its ratio from one run."""

from __future__ import annotations

import logging
import time
from importlib import import_module
from typing import Annotated

import structlog
import typer

# In this order; each is a module here with `run(quick=…)`. docs/reference/benchmarks.md says what they measure.
NAMES = {
    "pipeline": "the whole path beside the bare floor",
    "signing": "signing beside raw Ed25519, PyLD and Node",
    "flatness": "awarding while the catalogue and the histories grow",
    "bulk": "many awards at once, with the worker killed in the middle",
    "serving": "a badge's JSON beside nginx and a bare ASGI app",
    "verifying": "own badges verified beside raw Ed25519, PyLD and Node",
}


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(NAMES)}; all without one.")] = None,
    *,
    quick: Annotated[bool, typer.Option(help="Small sizes, to see that it runs; the figures mean little.")] = False,
) -> None:
    """Measure Cairn beside what it cannot be faster than. On a machine that does nothing else."""
    unknown = sorted(set(names or ()) - NAMES.keys())
    if unknown:
        raise typer.BadParameter(f"expected names out of {', '.join(NAMES)}, found {', '.join(unknown)}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for name in names or NAMES:
        typer.echo(f"== {name}: {NAMES[name]}")
        started = time.monotonic()
        import_module(f"benchmarks.{name}").run(quick=quick)
        typer.echo(f"   ({time.monotonic() - started:.0f} s)\n")


if __name__ == "__main__":
    typer.run(main)
