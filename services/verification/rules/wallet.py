"""A badge into its learner's wallet, by the pre-authorized code flow of OpenID for Verifiable Credential Issuance 1.0.

The wallet gets the badge as it was signed, so no key of the wallet is bound to it: the metadata names neither binding
methods nor proof types, and a proof that a wallet sends all the same changes nothing (sections 8.2 and 12.2.4).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import orjson

from libs.common.checking.strict import Fault, read_json
from libs.common.credentials.documents import CONTEXTS
from libs.common.credentials.proof import CRYPTOSUITE
from services.verification.model import Badge
from services.verification.model.wallet import Offer, Redemption

PRE_AUTHORIZED: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
EMBEDDED, TOKEN = "open-badge", "open-badge-jwt"
PIN_DIGITS, MOST_WRONG_PINS = 6, 5
_TYPES = ["VerifiableCredential", "OpenBadgeCredential"]
_DISPLAY = [{"name": "Open Badge", "locale": "en"}, {"name": "Badge ouvert", "locale": "fr"}]
_SCHEME = "openid-credential-offer://"
_REQUEST_BYTES = 64 * 1024


class Declined(Exception):
    """A credential request that is refused: an `error` of OpenID4VCI 1.0, section 8.3.1.2, or of RFC 6750, and why."""

    def __init__(self, error: str, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.error = error
        self.why = why
        self.status = status


def may_be_offered(badge: Badge) -> bool:
    """Whether a badge may go into a wallet: not once it is revoked, nor while it is suspended."""
    withdrawn = badge.revocation is not None or (badge.suspension is not None and badge.suspension.holds)
    return not withdrawn


def code_of(reference: str) -> str:
    """The pre-authorized code of the offer that `reference` leads to: it follows from it, and stands nowhere."""
    secret = hmac.digest(b"cairn pre-authorized code", reference.encode("utf-8", "replace"), "sha256")
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")


def digest_pin(code: str, pin: str) -> bytes:
    """How the PIN of an offer is kept: keyed with its code, so that who reads the database cannot try all PINs."""
    return hmac.digest(code.encode("utf-8", "replace"), pin.encode("utf-8", "replace"), "sha256")


def decide_redemption(offer: Offer | None, code: str, pin: str | None, now: datetime) -> Redemption:
    """What comes of showing the `code` of an offer with `pin` (None for none) at the instant `now`.

    `reused` tells that somebody took the badge by this code before: one of the two is not the learner's wallet.
    """
    if offer is None or offer.ends_at <= now or offer.wrong_pins >= MOST_WRONG_PINS:
        return "gone"
    if offer.taken_at is not None:
        return "reused"
    if offer.pin_digest is None:
        return "good" if pin is None else "needless-pin"
    if pin is None:
        return "no-pin"
    return "good" if hmac.compare_digest(offer.pin_digest, digest_pin(code, pin)) else "wrong-pin"


def is_open(offer: Offer | None, now: datetime) -> bool:
    """Whether a wallet may still take the offer."""
    return (
        offer is not None and offer.taken_at is None and now < offer.ends_at and offer.wrong_pins < MOST_WRONG_PINS
    )  # fmt: skip


def offer_document(issuer: str, configurations: list[str], code: str, *, pin_words: str | None) -> dict[str, Any]:
    """The Credential Offer (section 4.1.1). `issuer` is the deployment's address; `pin_words` tells where the PIN is
    found, in the wallet's language, and is None where none is asked for.
    """
    grant: dict[str, Any] = {"pre-authorized_code": code}
    if pin_words is not None:
        grant["tx_code"] = {"input_mode": "numeric", "length": PIN_DIGITS, "description": pin_words}
    return {
        "credential_issuer": issuer,
        "credential_configuration_ids": configurations,
        "grants": {PRE_AUTHORIZED: grant},
    }


def offer_link(address: str) -> str:
    """The link that opens a wallet with the offer that lies at `address` (section 4.1.3)."""
    return f"{_SCHEME}?credential_offer_uri={quote(address, safe='')}"


def issuer_metadata(issuer: str) -> dict[str, Any]:
    """The Credential Issuer Metadata (section 12.2.4) of the deployment at the address `issuer`."""
    embedded = {
        "format": "ldp_vc",
        "credential_signing_alg_values_supported": [CRYPTOSUITE],
        "credential_definition": {"@context": list(CONTEXTS), "type": _TYPES},
        "credential_metadata": {"display": _DISPLAY},
    }
    token = {
        "format": "jwt_vc_json",
        "credential_signing_alg_values_supported": ["ES256", "RS256"],
        "credential_definition": {"type": _TYPES},
        "credential_metadata": {"display": _DISPLAY},
    }
    return {
        "credential_issuer": issuer,
        "authorization_servers": [issuer],
        "credential_endpoint": f"{issuer}/wallet/credential",
        "credential_configurations_supported": {EMBEDDED: embedded, TOKEN: token},
    }


def wanted_configuration(content: bytes) -> str:
    """Which credential configuration a Credential Request (section 8.2) asks for.

    Raises `Declined` for what is no such request, or asks for what is not given here.
    """
    request = read_json(content) if len(content) <= _REQUEST_BYTES else Fault("too-large", "")
    if isinstance(request, Fault):
        raise Declined("invalid_credential_request", f"expected a JSON object of at most {_REQUEST_BYTES} bytes")
    if "credential_identifier" in request:
        raise Declined("unknown_credential_identifier", "expected a credential_configuration_id in its place")
    wanted: Any = request.get("credential_configuration_id")
    if not isinstance(wanted, str):
        raise Declined("invalid_credential_request", "expected a credential_configuration_id")
    if wanted not in (EMBEDDED, TOKEN):
        raise Declined("unknown_credential_configuration", f"expected {EMBEDDED} or {TOKEN}")
    if "credential_response_encryption" in request:
        raise Declined("invalid_encryption_parameters", "expected none: answers are not encrypted here")
    return wanted


def credential_response(credential: bytes | str) -> bytes:
    """The Credential Response (section 8.3) with a badge in it: the very bytes that were signed, or a VC-JWT."""
    inner = credential if isinstance(credential, bytes) else orjson.dumps(credential)
    return b'{"credentials":[{"credential":' + inner + b"}]}"


def error_document(declined: Declined) -> Mapping[str, str]:
    """What an error answers (section 8.3.1.2)."""
    return {"error": declined.error, "error_description": declined.why}
