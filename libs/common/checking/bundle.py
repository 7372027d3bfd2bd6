"""A badge with all that it takes to check it, in one file: read, and its place in the log proven (B6, B8).

What the bundle says of keys and status is signed by the issuer, and its place in the log by the log's keeper. What
it says of itself (when it was made) is bounded by those: a status list that had ended by then does not count.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson

from libs.common.checking.dates import instant_of
from libs.common.checking.dialogue import Fetched, Json
from libs.common.checking.strict import Fault, first_object, objects, read_json
from libs.common.credentials.checkpoint import NotACheckpoint, read_checkpoint, read_verifier_key, time_of
from libs.common.credentials.log import commitment, includes, leaf_hash

TYPE = "CairnBadgeBundle"
VERSION = 1
MEDIA_TYPE = "application/vnd.cairn.badge-bundle+json"
_MAX_DOCUMENTS = 20

LogOutcome = Literal["pass", "fail", "absent"]

LOG_REASONS = {
    "logged": "in the log of issuance",
    "not-logged": "the file does not prove that it is in the log of issuance",
    "log-malformed": "the proof that it is in the log of issuance cannot be read",
    "log-digest": "the proof is about another badge",
    "log-entry": "the entry in the log is not that of this badge",
    "log-checkpoint": "the head of the log is not signed by the log’s key",
    "log-key": "the head of the log is not signed by the key that you trust",
    "log-proof": "the proof does not lead to the head of the log",
    "key-revoked": "its key was withdrawn, and the log does not prove that it is older",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read: the signed bytes, the documents by their address, and the proof of the log as it is."""

    credential: bytes
    documents: Mapping[str, Fetched]
    made_at: datetime
    log: Json | None


@dataclass(frozen=True, slots=True)
class Logged:
    """What the bundle proves of the log: a reason of `LOG_REASONS`, and when the badge was logged, if it was."""

    outcome: LogOutcome
    reason: str
    at: datetime | None = None

    @property
    def detail(self) -> str:
        """The reason in words."""
        return LOG_REASONS[self.reason]


def read_bundle(content: bytes) -> Bundle | Fault:
    """The bundle in `content`, or why it is none."""
    told = read_json(content)
    if isinstance(told, Fault):
        return told
    if told.get("type") != TYPE or told.get("version") != VERSION:
        return Fault("malformed", f"expected a {TYPE} of version {VERSION}")
    made_at, credential = instant_of(told.get("made_at")), told.get("credential")
    documents = objects(told.get("documents"))
    if made_at is None or not isinstance(credential, str) or len(documents) > _MAX_DOCUMENTS:
        return Fault("malformed", "expected made_at, credential and documents")
    answers: dict[str, Fetched] = {}
    for document in documents:
        url, text = document.get("url"), document.get("content")
        if not isinstance(url, str) or not isinstance(text, str):
            return Fault("malformed", "expected each document with url and content")
        media_type = str(document.get("media_type", "")).partition(";")[0].strip()
        answers[url] = Fetched(200, media_type, text.encode())
    log = told.get("log")
    return Bundle(credential.encode(), answers, made_at, first_object(log) if log is not None else None)


def check_log(bundle: Bundle, trusted_keys: Collection[str]) -> Logged:
    """Whether the bundle proves the badge to be in the log, whose key is one of `trusted_keys` unless there is none.

    Keys are as people hand them to verifiers: `name+id+key`.
    """
    if bundle.log is None:
        return Logged("absent", "not-logged")
    try:
        return _check_proof(bundle.credential, bundle.log, trusted_keys)
    except NotACheckpoint:
        return Logged("fail", "log-checkpoint")
    except (KeyError, TypeError, ValueError, binascii.Error):
        return Logged("fail", "log-malformed")


def _check_proof(credential: bytes, proof: Json, trusted_keys: Collection[str]) -> Logged:
    digest = hashlib.sha256(credential).digest()
    if proof["digest"] != f"sha256:{digest.hex()}":
        return Logged("fail", "log-digest")
    entry, salt = _bytes(proof["entry"]), _bytes(proof["salt"])
    if commitment(digest, salt) != entry:
        return Logged("fail", "log-entry")
    verifier_key = str(proof["verifier_key"])
    if trusted_keys and verifier_key not in trusted_keys:
        return Logged("fail", "log-key")
    origin, public_key = read_verifier_key(verifier_key)
    checkpoint = read_checkpoint(str(proof["checkpoint"]), origin, public_key)
    hashes = [_bytes(text) for text in proof["hashes"]]
    if not includes(leaf_hash(entry), int(proof["index"]), checkpoint.size, hashes, checkpoint.root):
        return Logged("fail", "log-proof")
    return Logged("pass", "logged", time_of(checkpoint))


def is_undermined(bundle: Bundle, logged: Logged) -> bool:
    """Whether the key that signed was withdrawn and the log does not prove the badge to be older (B8).

    Whoever has a stolen key dates a forgery as early as they like; only the log tells.
    """
    revoked_at = _revoked_at(bundle)
    if revoked_at is None:
        return False
    return logged.outcome != "pass" or logged.at is None or logged.at >= revoked_at


def before_revocation(bundle: Bundle) -> Bundle:
    """The bundle with its documents as they were before the keys in them were withdrawn, which is what counts for a
    badge that the log proves to be older."""
    return replace(bundle, documents={url: _before_revocation(found) for url, found in bundle.documents.items()})


def _before_revocation(document: Fetched) -> Fetched:
    told = read_json(document.content)
    if isinstance(told, Fault) or "verificationMethod" not in told:
        return document
    methods = [
        {name: value for name, value in method.items() if name != "revoked"}
        for method in objects(told["verificationMethod"])
    ]
    return replace(document, content=orjson.dumps({**told, "verificationMethod": methods}))


def signing_keys(bundle: Bundle) -> frozenset[str]:
    """The public keys (Multikey) that the bundle names as those that signed: none, where it names none for a proof."""
    return frozenset(str(method.get("publicKeyMultibase")) for method in _methods(bundle))


def _revoked_at(bundle: Bundle) -> datetime | None:
    """When the first key that signed the credential was withdrawn, by the documents in the bundle."""
    found = [instant_of(method.get("revoked")) for method in _methods(bundle)]
    return min((at for at in found if at is not None), default=None)


def _methods(bundle: Bundle) -> list[Json]:
    """Whatever the documents say of the keys that the credential's proofs name."""
    credential = read_json(bundle.credential)
    if isinstance(credential, Fault):
        return []
    names = {proof.get("verificationMethod") for proof in objects(credential.get("proof"))}
    documents = [read_json(document.content) for document in bundle.documents.values()]
    return [
        method
        for document in documents
        if not isinstance(document, Fault)
        for method in objects(document.get("verificationMethod"))
        if method.get("id") in names
    ]


def _bytes(text: Any) -> bytes:
    return base64.b64decode(str(text), validate=True)
