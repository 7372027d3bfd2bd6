"""The picture that a publication names: its type is known here, so that nobody need say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from services.enrollment.model import Fault


def named_picture(document: Mapping[str, Any]) -> str | None:
    """The digest of the picture that the body of a publication names, or None where it names none."""
    picture = document.get("picture")
    digest = cast("Mapping[str, Any]", picture).get("digest") if isinstance(picture, dict) else None
    return digest if isinstance(digest, str) else None


def complete_picture(document: Mapping[str, Any], media_type: str | None) -> Mapping[str, Any] | tuple[Fault, ...]:
    """The body of a publication with the type of its picture; `media_type` is None where that picture is not kept.

    What is no picture at all is left for the contract to refuse.
    """
    picture = document.get("picture")
    if not isinstance(picture, dict):
        return document
    digest = named_picture(document)
    if digest is not None and media_type is None:
        return (Fault("/picture/digest", f"expected the digest of an uploaded picture, found {digest!r:.90}"),)
    given = cast("dict[str, Any]", picture)
    return {**document, "picture": {**given, "media_type": media_type or "image/png"}}
