"""`cairn token`: an access token for a local system."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy.commands.options import State
from deploy.local.identity import SCOPES, load_identity
from deploy.local.running import find_running, up_directory


def token(
    scope: Annotated[list[str], typer.Option("--scope", help=f"What it may do, repeatable: {', '.join(SCOPES)}.")],
    subject: Annotated[str, typer.Option(help="Whom it names.")] = "cairn-command",
    learner: Annotated[str | None, typer.Option(help="The learner id whose own records it opens.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 31, help="How long it is good.")] = 1.0,
    state: State = None,
) -> None:
    """Print an access token that the services of a local system accept."""
    unknown = [name for name in scope if name not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"--scope: expected some of {', '.join(SCOPES)}, found {unknown[0]!r}")
    running = find_running(state)
    directory = running.directory if running else (state or up_directory())
    identity = load_identity(directory / "secrets")
    typer.echo(identity.mint_token(subject, scope, learner_id=learner, hours=hours))
