"""Which IRIs and texts a badge may carry."""

import re
from collections.abc import Sequence

from pyoxigraph import NamedNode

MAX_TEXT_CHARACTERS = 20_000
MAX_IRI_CHARACTERS = 2_000
# Schemes of which no JSON-LD context in use has made a prefix: an IRI that begins with one stays as it is.
IRI_SCHEMES = ("https://", "http://", "urn:", "did:", "mailto:")
# Most IRIs are plain enough to be known at sight; the others are left to the RDF library.
_PLAIN = r"(?:https?://[a-z0-9.-]+(?::[0-9]{1,5})?/|urn:uuid:)[A-Za-z0-9/_.=-]{1,500}(?:#[0-9]+)?"
_PLAIN_IRI = re.compile(_PLAIN)
_PLAIN_IRIS = re.compile(f"(?:{_PLAIN} )*")

_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def is_absolute_iri(value: str) -> bool:
    """Whether `value` is an absolute IRI that RDF accepts, of a scheme in `IRI_SCHEMES`."""
    if _PLAIN_IRI.fullmatch(value):
        return True
    if not value.startswith(IRI_SCHEMES) or len(value) > MAX_IRI_CHARACTERS or not value.isascii():
        return False
    try:
        NamedNode(value)
    except ValueError:
        return False
    return True


def are_absolute_iris(values: Sequence[str]) -> bool:
    """Whether `is_absolute_iri` holds for each of `values`."""
    # One match for all, where that suffices; no IRI holds a space.
    if _PLAIN_IRIS.fullmatch(" ".join([*values, ""])):
        return True
    return all(is_absolute_iri(value) for value in values)


def require_iri(**values: str | None) -> None:
    """Raise `ValueError`, naming the value, unless each is None or as `is_absolute_iri` wants it."""
    for name, value in values.items():
        if value is not None and not is_absolute_iri(value):
            expected = f"an absolute ASCII IRI beginning with one of {', '.join(IRI_SCHEMES)}"
            raise ValueError(f"{name}: expected {expected}, found {value[:200]!r}")


def require_compact_jws(**tokens: tuple[str, ...]) -> None:
    """Raise `ValueError`, naming the value, unless each token is a compact JWS (RFC 7515, section 7.1)."""
    for name, values in tokens.items():
        for value in values:
            if not _COMPACT_JWS.fullmatch(value):
                raise ValueError(f"{name}: expected compact JWSs, found {value[:80]!r}")


def require_text(**values: str | None) -> None:
    """Raise `ValueError`, naming the value, unless each is None or a text that a badge can carry."""
    for name, value in values.items():
        if value is None:
            continue
        if not 0 < len(value) <= MAX_TEXT_CHARACTERS:
            raise ValueError(f"{name}: expected 1 to {MAX_TEXT_CHARACTERS} characters, found {len(value)}")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            found = f"{value[error.start]!a} at {error.start}"
            raise ValueError(f"{name}: expected text that UTF-8 can carry, found {found}") from None
