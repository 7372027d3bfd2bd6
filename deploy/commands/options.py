"""The options that several commands share: which system, and the way into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deploy.doors import SERVICES, Access
from deploy.local.running import find_running

State = Annotated[
    Path | None,
    typer.Option("--state", help="State directory of a local system.", file_okay=False, show_default="the running one"),
]
FreePorts = Annotated[bool, typer.Option("--free-ports", help="Take any free ports in place of 8101 to 8104.")]
Urls = Annotated[
    list[str] | None,
    typer.Option("--url", metavar="SERVICE=URL", help=f"Where a service is; once for each of {', '.join(SERVICES)}."),
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="CAIRN_TOKEN", help="Bearer token for services given by --url.", show_envvar=True),
]


def chosen_access(
    urls: Sequence[str] | None, token: str | None, state: Path | None, scopes: Sequence[str]
) -> Access | None:
    """The way into the services given by `urls`, else into the local system that runs; None if none does."""
    if urls:
        found = dict(_url(text) for text in urls)
        missing = [service for service in SERVICES if service not in found]
        if missing:
            raise typer.BadParameter(f"expected --url for {', '.join(missing)} as well")
        if not token:
            raise typer.BadParameter("expected --token (or CAIRN_TOKEN) with --url")
        return Access(found, token)
    running = find_running(state)
    return None if running is None else running.access(scopes)


def _url(text: str) -> tuple[str, str]:
    service, _, url = text.partition("=")
    if service not in SERVICES or not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--url: expected one of {', '.join(SERVICES)}, = and an http(s) URL, found {text!r}")
    return service, url
