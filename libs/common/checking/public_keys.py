"""Public keys of issuers: from a did:key or did:jwk itself, from a did:web or https document, from a JWK's address.

A key counts only as what its issuer publishes it for: the document must be about the issuer, list the key under
`assertionMethod`, and say nothing of its end before the signature (Controlled Identifiers 1.0, section 3.3).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from libs.common.checking.dates import instant_of, numeric_date
from libs.common.checking.dialogue import Asking, Fetched, Json, fetch_in_place
from libs.common.checking.strict import Fault, array, id_of, objects, read_json
from libs.common.credentials import base58
from libs.common.credentials.identifiers import did_web_url

AnyKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey
_CURVES: dict[bytes, EllipticCurve] = {b"\x80\x24": SECP256R1(), b"\x81\x24": SECP384R1()}
_ED25519 = b"\xed\x01"
_MIN_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """A published key; `expires_at` and `revoked_at` bound the time in which it may sign."""

    key: AnyKey
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def fault_at(self, signed_at: datetime | None) -> str | None:
        """Why the key does not stand for a signature made at `signed_at` (None: nobody says when).

        One that says it is older than the key's revocation may be a thief's all the same: see `issuance` (B8).
        """
        if self.revoked_at is not None and (signed_at is None or signed_at >= self.revoked_at):
            return "key-revoked"
        if self.expires_at is not None and (signed_at is None or signed_at > self.expires_at):
            return "key-expired"
        return None


class Listed(NamedTuple):
    """A key that a document lists under `name`; `told` is the key with its times, or why it does not count."""

    name: str
    key: AnyKey
    told: IssuerKey | Fault


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key that could not be had: nobody can tell whether it is the issuer's."""

    reason: str
    more: str = ""


def key_of_method(method: str, issuer: str) -> Asking[IssuerKey | Fault | Unknown]:
    """The key that a proof names by `method`, if it is one of the issuer with the id `issuer`."""
    controller, _, fragment = method.partition("#")
    if controller != issuer:
        # OB 3.0 certification, EmbeddedProofProbe: the key must be the issuer's own.
        return Fault("key-of-another", f"expected a key of {issuer}, found {method[:200]}")
    own = _key_within(controller, fragment)
    if own is not None:
        return own
    document = yield from document_of(issuer)
    if isinstance(document, Fault | Unknown):
        return document
    return _method_in(document, method, issuer)


def document_of(issuer: str) -> Asking[Json | Fault | Unknown]:
    """The document in which `issuer` (a did:web or https id) publishes its keys."""
    url = _document_url(issuer)
    if url is None:
        return Unknown("key-kind", f"expected did:key, did:jwk, did:web or https, found {issuer[:200]}")
    document = yield from json_at(url)
    if isinstance(document, dict) and document.get("id") != issuer:
        return Fault("key-of-another", f"expected the document of {issuer}, found {str(document.get('id'))[:200]}")
    return document


def json_at(url: str) -> Asking[Json | Fault | Unknown]:
    """The JSON object at `url`, as a document of keys. Its place vouches for it, so that no other site may answer."""
    answer = yield from fetch_in_place(url)
    if not isinstance(answer, Fetched):
        return Unknown("key-unreachable", f"{url}: {answer.reason} {answer.detail}".strip())
    if answer.gone:
        return Unknown("key-missing", f"{url}: {answer.status}")
    if not answer.ok:
        return Unknown("key-unreachable", f"{url}: {answer.status}")
    read = read_json(answer.content)
    return Unknown("key-missing", f"{url}: {read.more}") if isinstance(read, Fault) else read


def keys_in(document: Json) -> list[Listed]:
    """Every key that a controller document or a JWK set publishes for assertions, withdrawn ones too."""
    listed = [id_of(entry) for entry in array(document.get("assertionMethod"))]
    found: list[Listed] = []
    for entry in objects(document.get("verificationMethod")) + objects(document.get("assertionMethod")):
        key = _key_of_entry(entry)
        counts = entry.get("id") in listed or _is_told(entry, "revoked")
        if counts and not isinstance(key, Fault):
            found.append(Listed(str(entry.get("id")), key, timed_key(key, entry)))
    for jwk in objects(document.get("keys")):
        key = key_of_jwk(jwk)
        if not isinstance(key, Fault):
            found.append(Listed(str(jwk.get("kid")), key, timed_key(key, jwk)))
    return found


def timed_key(key: AnyKey | Fault, entry: Json) -> IssuerKey | Fault:
    """`key` with the times that its `entry` tells: a verification method, or a JWK (OpenID Federation 1.0).

    A time that is there and cannot be read is a fault: whoever published it meant the key to end.
    """
    jwk = entry.get("publicKeyJwk")
    revoked, expires = None, None
    for part in (entry, cast(Json, jwk) if isinstance(jwk, dict) else Json()):
        for name in ("revoked", "expires", "exp"):
            at = _time_in(part[name]) if _is_told(part, name) else None
            if _is_told(part, name) and at is None:
                reason = "key-revoked" if name == "revoked" else "key-expired"
                return Fault(reason, f"{name}: expected a time, found {str(part[name])[:80]}")
            if name == "revoked":
                revoked = _earlier(revoked, at)
            else:
                expires = _earlier(expires, at)
    return key if isinstance(key, Fault) else IssuerKey(key, expires, revoked)


def _is_told(entry: Json, name: str) -> bool:
    return entry.get(name) is not None and entry[name] is not False


def _time_in(value: object) -> datetime | None:
    """The instant in a dateTimeStamp, a NumericDate, or `revoked_at` of an object."""
    told = cast(Json, value).get("revoked_at") if isinstance(value, dict) else value
    return instant_of(told) or numeric_date(told)


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    return min((at for at in (first, second) if at is not None), default=None)


def key_of_jwk(jwk: Json) -> AnyKey | Fault:
    """The public key in a JWK (RFC 7517)."""
    kinds = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kind = kinds.get(str(jwk.get("kty")))
    if kind is None or "d" in jwk:
        return Fault("key-kind", f"expected a public RSA, EC or OKP key, found {str(jwk.get('kty'))[:20]}")
    try:
        key = kind.import_key(jwk).public_key
    except (JoseError, ValueError, TypeError, KeyError, binascii.Error) as error:
        return Fault("key-kind", f"expected a JWK: {error}")
    return allowed_key(key)


def allowed_key(key: object) -> AnyKey | Fault:
    """`key` if it is of a kind and size that is checked here."""
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1 | SECP384R1):
        return key
    if isinstance(key, RSAPublicKey) and _MIN_RSA_BITS <= key.key_size <= 8192:
        return key
    return Fault("key-kind", "expected Ed25519, P-256, P-384, or RSA of 2048 to 8192 bits")


def key_of_multibase(text: str) -> AnyKey | Fault:
    """The public key in Multikey `text` (Controlled Identifiers 1.0, section 2.2.2)."""
    if not text.startswith("z") or len(text) > 100:
        return Fault("key-kind", "expected a base58btc multibase text")
    try:
        decoded = base58.decode(text[1:])
        if decoded.startswith(_ED25519):
            return Ed25519PublicKey.from_public_bytes(decoded[2:])
        curve = _CURVES.get(decoded[:2])
        if curve is not None:
            return EllipticCurvePublicKey.from_encoded_point(curve, decoded[2:])
    except ValueError as error:
        return Fault("key-kind", f"expected a Multikey: {error}")
    return Fault("key-kind", "expected Ed25519, P-256 or P-384")


def holds(key: AnyKey, signature: bytes, content: bytes) -> bool:
    """Whether `signature` is one of `content` by an Ed25519, P-256 or P-384 `key`; with a curve, r and s (P1363)."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, content)
            return True
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        size = (key.key_size + 7) // 8
        if len(signature) != 2 * size:
            return False
        first, second = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
        key.verify(encode_dss_signature(first, second), content, ECDSA(SHA384() if size == 48 else SHA256()))
    except InvalidSignature:
        return False
    return True


def _key_within(controller: str, fragment: str) -> IssuerKey | Fault | None:
    """The key that a did:key or did:jwk is itself."""
    if controller.startswith("did:key:"):
        text = controller.removeprefix("did:key:")
        if fragment != text:
            return Fault("verification-method", f"expected #{text[:100]}, found #{fragment[:100]}")
        return timed_key(key_of_multibase(text), {})
    if controller.startswith("did:jwk:"):
        text = controller.removeprefix("did:jwk:")
        try:
            jwk = json.loads(base64.urlsafe_b64decode(text[:4000] + "=" * (-len(text) % 4)))
        except (ValueError, RecursionError) as error:
            return Fault("key-kind", f"expected a JWK in the did:jwk: {error}")
        return _timed_jwk(cast(Json, jwk)) if isinstance(jwk, dict) else Fault("key-kind", "no JWK")
    return None


def _timed_jwk(jwk: Json) -> IssuerKey | Fault:
    return timed_key(key_of_jwk(jwk), jwk)


def _document_url(issuer: str) -> str | None:
    if issuer.startswith("did:web:"):
        try:
            return did_web_url(issuer)
        except ValueError:
            return None
    return issuer if urlsplit(issuer).scheme == "https" else None


def _method_in(document: Json, method: str, issuer: str) -> IssuerKey | Fault:
    purposes = array(document.get("assertionMethod"))
    entries = objects(document.get("verificationMethod")) + objects(purposes)
    names = (method, "#" + method.partition("#")[2])
    entry = next((entry for entry in entries if entry.get("id") in names), None)
    if entry is None:
        return Fault("unknown-key", f"expected {method[:200]} in the document of {issuer}")
    if entry.get("controller", issuer) != issuer:
        return Fault("key-of-another", f"expected the controller {issuer}, found {str(entry.get('controller'))[:200]}")
    # A revoked key is no assertion method any more; that it is revoked says more than that.
    if not _is_told(entry, "revoked") and not any(id_of(purpose) in names for purpose in purposes):
        return Fault("key-purpose", f"expected {method[:200]} under assertionMethod")
    return timed_key(_key_of_entry(entry), entry)


def _key_of_entry(entry: Json) -> AnyKey | Fault:
    jwk = entry.get("publicKeyJwk")
    if isinstance(jwk, dict):
        return key_of_jwk(cast(Json, jwk))
    return key_of_multibase(str(entry.get("publicKeyMultibase")))
