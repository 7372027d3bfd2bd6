"""The command line of every service: `python -m services.<name> api | worker | migrate`.

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
    service: str, *, settings: Callable[[], ServiceSettings], api: str, worker: str, migrations: Sequence[Path]
) -> None:
    """Run one of a service's processes, as its `__main__` does.

    `api` and `worker` are `"<module>:<function>"`: a function from settings to the FastAPI app, and one from
    settings to the worker's coroutine.
    """
    cli = typer.Typer(help=f"Run a process of the {service} service.", add_completion=False)

    def run(process: Annotated[str, typer.Argument(help="api, worker or migrate")]) -> None:
        if process not in ("api", "worker", "migrate"):
            typer.echo(f"expected api, worker or migrate, found {process!r}", err=True)
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
            else:
                _migrate([MESSAGING_MIGRATIONS, *migrations], chosen)
        finally:
            stop_telemetry()

    cli.command()(run)
    cli(sys.argv[1:])


def _serve(api: str, settings: ServiceSettings) -> None:
    from libs.common.server import serve

    serve(resolve_name(api)(settings), settings.host, settings.port, settings.trusted_proxies)


def _work(worker: str, settings: ServiceSettings) -> None:
    import uvloop

    uvloop.run(resolve_name(worker)(settings))


def _migrate(directories: Sequence[Path], settings: ServiceSettings) -> None:
    import uvloop

    from libs.common.postgres.migrate import migrate

    uvloop.run(migrate(settings.database_dsn.get_secret_value(), directories))
