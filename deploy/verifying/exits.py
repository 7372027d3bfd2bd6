"""The exit codes of `cairn verify`."""

from __future__ import annotations

from enum import IntEnum


class VerifyExit(IntEnum):
    """The exit codes; of many badges the first that any of them has, in the order 1, 2, 3."""

    GENUINE = 0
    NOT_GENUINE = 1
    CANNOT_TELL = 2
    NOTHING_FOUND = 3


EXITS = {
    "genuine": VerifyExit.GENUINE,
    "not-genuine": VerifyExit.NOT_GENUINE,
    "cannot-tell": VerifyExit.CANNOT_TELL,
    "nothing-found": VerifyExit.NOTHING_FOUND,
}


def exit_of(answers: set[str]) -> VerifyExit:
    """The exit code for badges with these `answers`."""
    codes = {EXITS[answer] for answer in answers}
    return min(codes - {VerifyExit.GENUINE}, default=VerifyExit.GENUINE)
