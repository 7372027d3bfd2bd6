"""The style sheet and pictures of the pages, under names that change with their content: they cache for ever."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from libs.common.web.documents import OPEN_TO_ALL, PERMANENT, Document, respond

FOLDER = Path(__file__).parent / "static"
ROUTE = "/static/{name}"
_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}


def _load() -> tuple[dict[str, str], dict[str, Document]]:
    addresses: dict[str, str] = {}
    documents: dict[str, Document] = {}
    for path in sorted(FOLDER.iterdir()):
        content = path.read_bytes()
        name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:16]}{path.suffix}"
        addresses[path.name] = f"/static/{name}"
        documents[name] = Document(content, _MEDIA_TYPES[path.suffix], PERMANENT, headers=OPEN_TO_ALL)
    return addresses, documents


_ADDRESSES, _DOCUMENTS = _load()


def address_of(name: str) -> str:
    """The path at which the file `name` of `static/` is served. Raises `KeyError` for a file that is not there."""
    return _ADDRESSES[name]


def serve(request: Request, name: str) -> Response | None:
    """The answer to a GET or HEAD of `/static/<name>`, or None when there is no such file."""
    document = _DOCUMENTS.get(name)
    return None if document is None else respond(request, document)
