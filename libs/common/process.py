"""The command line of every service: `python -m services.<name> api | worker | migrate | rebuild`.

The doors are named, not imported, so that a worker or a migration starts without the HTTP framework, and an api
without Kafka.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Annotated

import typer

from libs.common.settings import ServiceSettings
from libs.common.telemetry import start_telemetry, stop_telemetry

MESSAGING_MIGRATIONS = Path(__file__).parent / "messaging" / "sql" / "migrations"


def command_line(
    service: str,
    *,
    settings: Callable[[], ServiceSettings],
    api: str,
    worker: str,
    migrations: Sequence[Path],
    plan: str | None = None,
) -> None:
    """Run one of a service's processes, as its `__main__` does.

    `api`, `worker` and `plan` are `"<module>:<function>"`: a function from settings to the FastAPI app, one from
    settings to the worker's coroutine, and one from settings to the plan by which the database is rebuilt.
    """
    cli = typer.Typer(help=f"Run a process of the {service} service.", add_completion=False)
    processes = ("api", "worker", "migrate") if plan is None else ("api", "worker", "migrate", "rebuild")

    def run(
        process: Annotated[str, typer.Argument(help="api, worker, migrate or rebuild")],
        accept_loss: Annotated[
            bool, typer.Option("--accept-loss", help="Rebuild even where the topics hold less than the database.")
        ] = False,
    ) -> None:
        if process not in processes:
            typer.echo(f"expected one of {', '.join(processes)}, found {process!r}", err=True)
            raise typer.Exit(2)
        chosen = settings()
        # A batch makes tens of thousands of objects that reference counts free: fewer walks by the collector
        # cost nothing and save a tenth of an event.
        gc.set_threshold(50_000, 20, 100)
        start_telemetry(service, process, trace_file=chosen.trace_file, log_level=chosen.log_level)
        try:
            if process == "api":
                _serve(api, chosen)
            elif process == "worker":
                _work(worker, chosen)
            elif process == "rebuild" and plan is not None:
                _rebuild(plan, [MESSAGING_MIGRATIONS, *migrations], chosen, accept_loss=accept_loss)
            else:
                _migrate([MESSAGING_MIGRATIONS, *migrations], chosen)
        finally:
            stop_telemetry()

    cli.command()(run)
    cli(sys.argv[1:])


def _serve(api: str, settings: ServiceSettings) -> None:
    from libs.common.server import serve

    app = resolve_name(api)(settings)
    at_once = getattr(app.state, "at_once", None)
    serve(app, settings.host, settings.port, settings.trusted_proxies, at_once)


def _work(worker: str, settings: ServiceSettings) -> None:
    import uvloop

    uvloop.run(resolve_name(worker)(settings))


def _migrate(directories: Sequence[Path], settings: ServiceSettings) -> None:
    import uvloop

    from libs.common.postgres.migrate import migrate

    uvloop.run(migrate(settings.database_dsn.get_secret_value(), directories))


def _rebuild(plan: str, directories: Sequence[Path], settings: ServiceSettings, *, accept_loss: bool) -> None:
    import uvloop

    from libs.common.messaging.rebuilding import RebuildRefusedError, rebuild

    try:
        made = uvloop.run(rebuild(resolve_name(plan)(settings), settings, directories, accept_loss=accept_loss))
    except RebuildRefusedError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from None
    carried = ", ".join(made.carried) or "nothing"
    typer.echo(
        f"Rebuilt from {made.records} records in {made.seconds:.1f} s; deciding waited for {made.held_seconds:.1f} s."
        f" Carried over: {carried}."
    )
