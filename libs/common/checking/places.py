"""Whose word it is that lies at an address: an issuer's own folder or site, and nobody else's on the same host."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

# What servers may read as the way out of a folder.
_CLIMBS = re.compile(r"/\.\.?(/|$|[?#])|%2e|%2f|%5c|\\|\s", re.IGNORECASE)


def folder_of_did(did: str) -> str:
    """The address of the folder of a did:web, with a slash at its end (did:web, section 3.2)."""
    host, *folders = did.removeprefix("did:web:").split(":")
    return "/".join([f"https://{unquote(host)}", *folders]) + "/"


def is_under(url: str, folder: str) -> bool:
    """Whether `url` is a place in `folder`, which ends with a slash, and no way out of it."""
    return url.startswith(folder) and not _CLIMBS.search(url, len("https://"))


def is_place_of(url: str, issuer: str) -> bool:
    """Whether what lies at `url` is the issuer's word: under the folder of its did:web, or on its https site."""
    if issuer.startswith("did:web:"):
        return is_under(url, folder_of_did(issuer))
    site, own = urlsplit(url), urlsplit(issuer)
    return own.scheme == "https" and (site.scheme, site.netloc) == (own.scheme, own.netloc)
