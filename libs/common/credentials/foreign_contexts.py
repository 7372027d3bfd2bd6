"""JSON-LD contexts that badges of other issuers use, beside those in `contexts`; pinned in the same way (SR-9)."""

import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

from libs.common.credentials.contexts import OPEN_BADGES_3, PINNED, Pinned, context

_PYLD = "pyld.documentloader.frozen"
FOREIGN = {
    "https://w3id.org/security/suites/ed25519-2020/v1": Pinned(
        _PYLD,
        "bundled/security-ed25519-2020-v1.jsonld",
        "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    "https://w3id.org/security/suites/jws-2020/v1": Pinned(
        _PYLD, "bundled/security-jws-2020-v1.jsonld", "00ee65bb7307f9a01c3170b823083b0d4de68223520834b2c5eb7a09bae5dea6"
    ),
    "https://w3id.org/security/v1": Pinned(
        _PYLD, "bundled/security-v1.jsonld", "e2d146cd556f6fa5f14996c6f1749667d5a14073fa30f0643990068e2c0b1bac"
    ),
    "https://w3id.org/security/v2": Pinned(
        _PYLD, "bundled/security-v2.jsonld", "4cb186bc29c08af6e40c58178c22dd84d542f2871a063afed6e648b47abc3cf6"
    ),
}
# The address without a version, which early issuers use; its publisher keeps the newest there.
_ALIASES = {"https://purl.imsglobal.org/spec/ob/v3p0/context.json": OPEN_BADGES_3}


def foreign_contexts_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The contexts of this module that `document` names at its top or in any part of it, by URL."""
    found: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(node.values())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        elif isinstance(node, list):
            waiting.extend(node)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(node, str) and (node in FOREIGN or node in _ALIASES) and node not in PINNED:
            found[node] = _context(node)
    return found


@cache
def _context(url: str) -> dict[str, Any]:
    if url in _ALIASES:
        return context(_ALIASES[url])
    pinned = FOREIGN[url]
    content = resources.files(pinned.package).joinpath(pinned.file).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != pinned.sha256:
        raise ValueError(f"{url}: expected the context with SHA-256 {pinned.sha256}, found {found}")
    return json.loads(content)
