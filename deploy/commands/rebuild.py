"""`cairn rebuild`: a service's tables made anew from the topics, while it serves."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.ending import run
from deploy.commands.options import State
from deploy.doors import Refused
from deploy.local.home import REPOSITORY
from deploy.local.processes import environment_for
from deploy.local.running import find_running
from deploy.local.server import CannotStart


class Rebuildable(StrEnum):
    """The services whose tables follow from the topics. The others hold what came in by HTTP: restore a backup."""

    AWARDING = "awarding"
    VERIFICATION = "verification"


def rebuild(
    service: Annotated[Rebuildable, typer.Argument(help="The service to rebuild.")],
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Go on even where the topics hold less than the database.")
    ] = False,
    state: State = None,
) -> None:
    """Make a service's tables anew from the topics beside those that serve, then put them in their place.

    Nothing stops meanwhile. It works on the local system that runs; on any other by the settings of the service in
    the environment (CAIRN_DATABASE_DSN, CAIRN_KAFKA_BOOTSTRAP, …).
    """
    run(lambda _: _rebuild(service.value, _environment(service.value, state), accept_loss=accept_loss))


def _environment(service: str, state: Path | None) -> dict[str, str]:
    running = find_running(state)
    if running is not None and service in running.settings:
        return environment_for(running.settings[service])
    if "CAIRN_DATABASE_DSN" not in os.environ:
        raise CannotStart(
            "no local system is running: start one with `cairn up`, or set CAIRN_DATABASE_DSN and the other settings"
            f" of {service}"
        )
    return dict(os.environ)


async def _rebuild(service: str, environment: Mapping[str, str], *, accept_loss: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"services.{service}", "rebuild", *(["--accept-loss"] if accept_loss else []),
        env=environment, cwd=REPOSITORY,
    )  # fmt: skip
    if await process.wait():
        raise Refused(f"{service} was not rebuilt; what serves is as it was")
