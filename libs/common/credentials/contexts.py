"""The JSON-LD contexts that are trusted, each pinned by its SHA-256. They come with our dependencies.

A context decides what the signed words mean. So none is ever fetched, and one that an upgrade of a dependency
has changed is a fault here rather than a signature that nobody else can verify.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES_3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OPEN_BADGES_EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
OPEN_BADGES_2 = "https://w3id.org/openbadges/v2"
CLR_2 = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
DID_V1 = "https://www.w3.org/ns/did/v1"
MULTIKEY_V1 = "https://w3id.org/security/multikey/v1"


class Pinned(NamedTuple):
    """Where a context lies (folder inside an installed package) and the SHA-256 of its file."""

    package: str
    file: str
    sha256: str


_OPENBADGESLIB = "openbadgeslib.ob3.contexts"
_PYLD = "pyld.documentloader.frozen"

PINNED: Mapping[str, Pinned] = MappingProxyType(
    {
        CREDENTIALS_V2: Pinned(
            _OPENBADGESLIB,
            "credentials-v2.json",
            # The hash that VCDM 2.0, section B.1, prescribes.
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        ),
        OPEN_BADGES_3: Pinned(
            _OPENBADGESLIB,
            "ob-v3p0-context-3.0.3.json",
            "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84",
        ),
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": Pinned(
            _OPENBADGESLIB,
            "ob-v3p0-context-3.0.2.json",
            "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53",
        ),
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": Pinned(
            _OPENBADGESLIB,
            "ob-v3p0-context-3.0.1.json",
            "5f3d9dd6288ef437ff8286cf95ffbff609c748a66f24a1e9450c45ca64be1571",
        ),
        OPEN_BADGES_EXTENSIONS: Pinned(
            _OPENBADGESLIB,
            "ob-v3p0-extensions.json",
            "87c06c81bc2317663bf288d740d94fddd2818c4342b186270ff6371dfaa63f93",
        ),
        CLR_2: Pinned(
            _OPENBADGESLIB,
            "clr_context_2.0.1.json",
            "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6",
        ),
        "https://w3id.org/security/data-integrity/v2": Pinned(
            _OPENBADGESLIB,
            "security-data-integrity-v2.json",
            "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
        ),
        MULTIKEY_V1: Pinned(
            _OPENBADGESLIB,
            "security-multikey-v1.json",
            "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
        ),
        DID_V1: Pinned(
            _PYLD,
            "bundled/did-v1.jsonld",
            "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f",
        ),
        "https://www.w3.org/2018/credentials/v1": Pinned(
            _PYLD,
            "bundled/credentials-v1.jsonld",
            "00d7dd6d3ad8b920e3e550dd3a3d9090bffcac84cdbf943da6924b3e0a5c8bb8",
        ),
    }
)


@cache
def context(url: str) -> dict[str, Any]:
    """The pinned context document of `url`.

    Raises `KeyError` if `url` is not one of `PINNED`, `ValueError` if the installed file is not the pinned one.
    """
    pinned = PINNED[url]
    content = resources.files(pinned.package).joinpath(pinned.file).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != pinned.sha256:
        raise ValueError(f"{url}: expected the context with SHA-256 {pinned.sha256}, found {found}")
    return json.loads(content)
