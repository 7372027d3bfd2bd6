"""`cairn`: run the system on this machine, replay learning records into it, look after it."""

from __future__ import annotations

import typer

from deploy.commands.awards import awards
from deploy.commands.dead_letters import dead_letters
from deploy.commands.demo import demo
from deploy.commands.ending import EXIT_CODES
from deploy.commands.keys import keys
from deploy.commands.rebuild import rebuild
from deploy.commands.replay import replay
from deploy.commands.token import token
from deploy.commands.trust import trust
from deploy.commands.up import up
from deploy.commands.verify import VERIFY_CODES, verify

app = typer.Typer(
    help="Cairn: learning events in, signed badges out.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(epilog=EXIT_CODES)(up)
app.command(epilog=EXIT_CODES)(demo)
app.add_typer(replay, name="replay")
app.command(epilog=VERIFY_CODES)(verify)
app.command(epilog=EXIT_CODES)(token)
app.command(epilog=EXIT_CODES)(rebuild)
app.add_typer(awards, name="awards")
app.add_typer(keys, name="keys")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(trust, name="trust")


def main() -> None:
    """The entry point of the command `cairn`."""
    app()
