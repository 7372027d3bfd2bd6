"""What a check asks of the world, and what it is told: I/O as values, so that the checks themselves stay pure.

A check is a generator. It yields a `Fetch`, a `Recall` or a `Canonicalise`, is sent the answer, and returns what it
found. Who drives it decides how: from the network, from a folder, from a test's own dictionary.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

Json = dict[str, Any]
Hash = Literal["SHA-256", "SHA-384"]
T = TypeVar("T")

_PORTS = {"https": 443, "http": 80}
JSON_FIRST = "application/vc+ld+json, application/ld+json, application/json, application/vc+jwt;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Fetch:
    """Asks for what lies at the address `url`; `accept` is the Accept header."""

    url: str
    accept: str = JSON_FIRST


@dataclass(frozen=True, slots=True)
class Fetched:
    """A server answered: its status (200 to 599), the media type without parameters, and the body.

    `moved_to` is the address to which redirects led, empty where there were none.
    """

    status: int
    media_type: str
    content: bytes
    moved_to: str = ""

    @property
    def gone(self) -> bool:
        """Whether the server says for certain that nothing is there."""
        return self.status in (404, 410)

    @property
    def ok(self) -> bool:
        """Whether the answer is what was asked for."""
        return self.status == 200


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No answer that tells anything. `reason` is a short code (`timeout`, `private-address` …), `detail` says more."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """Asks whoever drives for their own record of the credential with this id, if it is they who issue for `issuer`."""

    credential_id: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an issuer's record holds: the `credential` as it was signed (None: none of this id), and since when.

    `since` is the earliest instant by which it is known to have been issued, None where nothing tells.
    """

    credential: bytes | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Canonicalise:
    """Asks for the canonical N-Quads (RDFC-1.0) of each of the JSON-LD `documents`."""

    documents: tuple[Json, ...]
    hash: Hash = "SHA-256"


@dataclass(frozen=True, slots=True)
class Canonical:
    """The canonical N-Quads of the documents that were asked for, in their order."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Documents without a canonical form. `reason` is a code of `canonical.NotCanonical`, or `too-costly`."""

    reason: str
    detail: str = ""


Question = Fetch | Recall | Canonicalise
Answer = Fetched | Unreachable | Recorded | Canonical | Refused
Asking = Generator[Question, Answer, T]


def fetch(url: str, accept: str = JSON_FIRST) -> Asking[Fetched | Unreachable]:
    """Ask for what lies at `url`."""
    answer = yield Fetch(url, accept)
    assert isinstance(answer, Fetched | Unreachable)
    return answer


def fetch_in_place(url: str, accept: str = JSON_FIRST) -> Asking[Fetched | Unreachable]:
    """Ask for what lies at `url`, where that place alone vouches for it: what another site answered does not count."""
    answer = yield from fetch(url, accept)
    if isinstance(answer, Fetched) and not same_site(url, answer.moved_to or url):
        return Unreachable("moved", f"led to another site, {answer.moved_to[:200]}")
    return answer


def same_site(first: str, second: str) -> bool:
    """Whether two URLs are of one origin: scheme, host and port (RFC 6454)."""
    try:
        one, other = urlsplit(first), urlsplit(second)
        return (one.scheme, one.hostname, one.port or _PORTS.get(one.scheme)) == (
            other.scheme,
            other.hostname,
            other.port or _PORTS.get(other.scheme),
        )
    except ValueError:
        return False


def recall(credential_id: str, issuer: str) -> Asking[Recorded | Unreachable]:
    """Ask for the record of whoever drives; `Unreachable` says that they keep none for this issuer."""
    answer = yield Recall(credential_id, issuer)
    assert isinstance(answer, Recorded | Unreachable)
    return answer


def canonicalise(*documents: Json, algorithm: Hash = "SHA-256") -> Asking[Canonical | Refused]:
    """Ask for the canonical form of `documents`."""
    answer = yield Canonicalise(documents, algorithm)
    assert isinstance(answer, Canonical | Refused)
    return answer
