"""Derived identifiers: equal input gives equal ids, so a replay makes the same badge and no id is guessable.

Nothing here is drawn at random. What must not be guessed is derived under a secret of the deployment: badge ids
under a secret uuid5 namespace, subject ids and salts under a secret pepper with HMAC-SHA256.
"""

import hashlib
import hmac
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid5

import orjson

from libs.common.credentials.model import HashedIdentity


def badge_id(namespace: UUID, learner_id: str, achievement_id: str, version: str, cycle: int) -> UUID:
    """The id of the one badge of a learner, an achievement version and a cycle (M1.28, B2).

    `namespace` is a secret of the deployment: whoever knows it can compute every badge's public address.
    `cycle` counts renewals from 0.
    """
    # A JSON array keeps ("ab", "c") apart from ("a", "bc").
    return uuid5(namespace, orjson.dumps([learner_id, achievement_id, version, cycle]).decode())


def subject_id(pepper: bytes, learner_id: str, issuer: str) -> str:
    """The learner's pairwise pseudonym towards one issuer, as `urn:uuid:…`.

    Two issuers see different ids of one learner (B7). `pepper` is a secret of 16 bytes or more; `issuer` is
    the issuer's id.
    """
    return f"urn:uuid:{UUID(bytes=_version_8(_keyed(pepper, 'subject', issuer, learner_id)[:16]))}"


def recipient_salt(pepper: bytes, badge: UUID) -> str:
    """The salt of one badge's hashed recipient: 128 bits as 32 hex digits, equal on each replay."""
    return _keyed(pepper, "recipient-salt", str(badge))[:16].hex()


def email_digest(pepper: bytes, learner_id: str, email: str) -> bytes:
    """A keyed digest of a learner's e-mail address: by it an address can be recognised, and not be read (B7).

    The address is lower-cased, as other issuers do. Two learners with one address have different digests.
    """
    return _keyed(pepper, "email", learner_id, email.strip().lower())


def log_salt(pepper: bytes, badge: UUID) -> bytes:
    """The 32-byte salt of one badge's entry in the log of issuance (`log.commitment`), equal on each replay.

    Where erasure must leave no link from entry to badge (SR-15), `pepper` is the learner's own key, which is then
    destroyed.
    """
    return _keyed(pepper, "log-salt", str(badge))


def hashed_email(email: str, salt: str) -> HashedIdentity:
    """The recipient as the hash of an e-mail address; the address is lower-cased, as other issuers do."""
    return HashedIdentity("emailAddress", _identity_hash(email.strip().lower(), salt), salt)


def hashed_subject(subject: str, salt: str) -> HashedIdentity:
    """The recipient as the hash of the pairwise subject id: for learners whose e-mail must not be tested for."""
    return HashedIdentity("url", _identity_hash(subject, salt), salt)


def did_web(base_url: str, path: str = "") -> str:
    """The `did:web` whose document is served under `base_url` and `path` (did:web, section 3.2).

    `base_url` is an http or https URL; a port is written `%3A`. `path` has no surrounding slashes, e.g.
    `issuers/open-university`.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"base_url: expected an http or https URL with a host, found {base_url!r}")
    host = parts.hostname if parts.port is None else f"{parts.hostname}%3A{parts.port}"
    segments = [segment for segment in f"{parts.path}/{path}".split("/") if segment]
    return ":".join(["did:web", host, *segments])


def did_web_url(did: str) -> str:
    """The https URL of a did:web's document (did:web, section 3.2 "Read").

    Raises `ValueError` if `did` is not a did:web.
    """
    method, _, rest = did.partition("did:web:")
    if method or not rest:
        raise ValueError(f"did: expected did:web:…, found {did!r}")
    host, *segments = rest.split(":")
    path = "/".join(segments) if segments else ".well-known"
    return f"https://{unquote(host)}/{path}/did.json"


def _keyed(pepper: bytes, *parts: str) -> bytes:
    if len(pepper) < 16:
        raise ValueError(f"pepper: expected 16 bytes or more, found {len(pepper)}")
    return hmac.digest(pepper, orjson.dumps(parts), "sha256")


def _version_8(digest: bytes) -> bytes:
    """Sixteen bytes marked as a UUID of version 8, "custom" (RFC 9562, section 5.8)."""
    marked = bytearray(digest)
    marked[6] = marked[6] & 0x0F | 0x80
    marked[8] = marked[8] & 0x3F | 0x80
    return bytes(marked)


def _identity_hash(identifier: str, salt: str) -> str:
    # OB 2.0, "IdentityHash": the salt is appended to the identifier.
    return "sha256$" + hashlib.sha256((identifier + salt).encode()).hexdigest()
