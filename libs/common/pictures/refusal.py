"""Why a picture is not taken."""

from __future__ import annotations


class NotTaken(ValueError):
    """A picture that is not published; the message says what was expected and what was found."""


def shown(text: str) -> str:
    """What was found, short enough for an answer."""
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"
