"""A fixed sequence of bytes as an HTTP answer: strong ETag, 304, HEAD (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cached_property

from starlette.requests import Request
from starlette.responses import Response

# What was signed never changes; a minute bounds how long a cache shows what its learner took back or had erased (M1.3).
SIGNED = "public, max-age=60, immutable, stale-if-error=86400"
# What tells of a status: short, so that a withdrawal shows soon, and shown stale rather than not at all (B6).
STATUS = "public, max-age=30, stale-if-error=86400"
PERMANENT = "public, max-age=31536000, immutable"
PRIVATE = "private, no-store"

# One range; what asks for several gets the whole. Longer numbers than this name nothing.
_RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")

OPEN_TO_ALL: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Link",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True)
class Document:
    """Bytes to serve, and how.

    `media_type` is the full Content-Type; `cache_control` one of the policies above; `last_modified` (aware) is
    when what it says last changed; `headers` are added as they are; `status` is 200 unless the content itself
    is a refusal (410 for a withdrawn Open Badges 2.0 assertion); `ranged` says whether a part may be asked for,
    which is for what may be large; `tag` is a strong entity tag to use in place of the one that follows from the bytes.
    """

    body: bytes
    media_type: str
    cache_control: str
    last_modified: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    status: int = 200
    ranged: bool = False
    tag: str | None = None

    @cached_property
    def etag(self) -> str:
        """The strong entity tag: the SHA-256 of the bytes, so that it is the same on every replica."""
        return self.tag or f'"{hashlib.sha256(self.body).hexdigest()}"'

    @cached_property
    def all_headers(self) -> dict[str, str]:
        """The headers of a full answer."""
        headers = {
            "Content-Type": self.media_type,
            "Cache-Control": self.cache_control,
            "ETag": self.etag,
            "X-Content-Type-Options": "nosniff",
            **self.headers,
        }
        if self.ranged:
            headers["Accept-Ranges"] = "bytes"
        if self.last_modified is not None:
            headers["Last-Modified"] = http_date(self.last_modified)
        return headers

    @cached_property
    def not_modified_headers(self) -> dict[str, str]:
        """The headers of a 304: those that a cache may have to update (RFC 9110, section 15.4.5)."""
        return {name: content for name, content in self.all_headers.items() if name != "Content-Type"}

    def is_held_by(self, if_none_match: str | None, if_modified_since: str | None) -> bool:
        """Whether the caller, by these request headers, has this very content already.

        If-None-Match wins over If-Modified-Since (RFC 9110, section 13.1.3). A date is believed only where the
        content cannot change within its second: for what is immutable.
        """
        if self.status != 200:
            return False
        if if_none_match is not None:
            return matches(if_none_match, self.etag)
        if if_modified_since is None or self.last_modified is None or "immutable" not in self.cache_control:
            return False
        since = read_http_date(if_modified_since)
        return since is not None and self.last_modified.replace(microsecond=0) <= since


def matches(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header names `etag`: `*`, one tag or a list, by weak comparison."""
    if if_none_match.strip() == "*":
        return True
    return any(tag.strip().removeprefix("W/") == etag for tag in if_none_match.split(","))


def respond(request: Request, document: Document) -> Response:
    """The answer to a GET or HEAD for `document`: whole, without its body, or 304 when the caller has it."""
    headers = request.headers
    if document.is_held_by(headers.get("if-none-match"), headers.get("if-modified-since")):
        return Response(status_code=304, headers=document.not_modified_headers)
    part = _part(headers.get("range"), headers.get("if-range"), document) if request.method == "GET" else None
    if part is not None:
        return part
    if request.method == "HEAD":
        return Response(b"", document.status, {**document.all_headers, "Content-Length": str(len(document.body))})
    return Response(document.body, document.status, document.all_headers)


def _part(wanted: str | None, if_range: str | None, document: Document) -> Response | None:
    """The answer to a request for one range of bytes (RFC 9110, section 14), or None where the whole is the answer."""
    found = None if wanted is None or not document.ranged or document.status != 200 else _RANGE.fullmatch(wanted)
    if found is None or (if_range is not None and if_range != document.etag):
        return None
    first, last = found.groups()
    size = len(document.body)
    if not first and not last:
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= size or start == end:
        return Response(status_code=416, headers={**document.not_modified_headers, "Content-Range": f"bytes */{size}"})
    headers = {**document.all_headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"}
    return Response(document.body[start:end], 206, headers)


def http_date(instant: datetime) -> str:
    """An aware instant as an HTTP date (RFC 9110, section 5.6.7)."""
    return format_datetime(instant.astimezone(UTC).replace(microsecond=0), usegmt=True)


def read_http_date(text: str) -> datetime | None:
    """The aware instant that an HTTP date names, or None when it is none."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
