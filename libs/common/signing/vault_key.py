"""Keys in the transit engine of HashiCorp Vault or OpenBao, over its HTTP API. They never leave the server."""

import base64
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from libs.common.credentials.jwt import joined
from libs.common.credentials.token_keys import TokenPublicKey, require_strong
from libs.common.signing.key import KeyUnusable, require_valid
from libs.common.signing.token_key import require_valid_token_signature

Public = TypeVar("Public")

_TIMEOUT_SECONDS = 5.0
_FORBIDDEN, _TOO_MANY = 403, 429


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Where a key lies: the server's https URL, the engine's mount, the key's name and version.

    `version` None takes the newest at opening and stays with it: a badge's key must not change under way.
    `token_file` holds the token; it is read again when the server refuses the old one, for agents renew it.
    """

    server: str
    mount: str
    name: str
    token_file: Path
    version: int | None = None
    namespace: str | None = None
    ca_file: Path | None = None


class VaultKey:
    """One version of an `ed25519` key of Vault's transit engine."""

    def __init__(self, place: VaultPlace) -> None:
        """Reads the public key. Raises `KeyUnusable`."""
        self._transit = _Transit(place, _read_ed25519)

    @property
    def public_key(self) -> bytes:
        """See `SigningKey`."""
        return self._transit.public_key

    def sign(self, content: bytes) -> bytes:
        """See `SigningKey`."""
        signature = self._transit.sign(content, {})
        require_valid(self.public_key, signature, content)
        return signature

    def close(self) -> None:
        """See `SigningKey`."""
        self._transit.close()


class VaultTokenKey:
    """One version of an `ecdsa-p256` or `rsa-…` key of Vault's transit engine."""

    def __init__(self, place: VaultPlace) -> None:
        """Reads the public key. Raises `KeyUnusable`, also if it is another kind or too weak."""
        self._transit = _Transit(place, _read_token_key)

    @property
    def public_key(self) -> TokenPublicKey:
        """See `TokenKey`."""
        return self._transit.public_key

    def sign(self, content: bytes) -> bytes:
        """See `TokenKey`."""
        if isinstance(self.public_key, RSAPublicKey):
            # PSS unless asked otherwise.
            signature = self._transit.sign(content, {"hash_algorithm": "sha2-256", "signature_algorithm": "pkcs1v15"})
        else:
            asked = {"hash_algorithm": "sha2-256", "marshaling_algorithm": "asn1"}
            try:
                signature = joined(self._transit.sign(content, asked))
            except ValueError:
                raise KeyUnusable("expected an ECDSA signature in DER from the transit engine") from None
        require_valid_token_signature(self.public_key, signature, content)
        return signature

    def close(self) -> None:
        """See `TokenKey`."""
        self._transit.close()


class _Transit(Generic[Public]):
    """One version of a key, whose kind and public key as the engine writes them `read_public` reads."""

    def __init__(self, place: VaultPlace, read_public: Callable[[str, str], Public]) -> None:
        self._place = place
        self._read_public = read_public
        context = ssl.create_default_context(cafile=None if place.ca_file is None else str(place.ca_file))
        headers = {} if place.namespace is None else {"X-Vault-Namespace": place.namespace}
        self._http = httpx.Client(
            base_url=place.server, headers=headers, timeout=_TIMEOUT_SECONDS, verify=context, trust_env=False
        )
        self._token = self._read_token()
        try:
            self._version, self.public_key = self._find()
        except KeyUnusable:
            self._http.close()
            raise

    def sign(self, content: bytes, options: Mapping[str, str]) -> bytes:
        """The signature of `content`, as the engine makes it under `options`."""
        asked = {"input": base64.b64encode(content).decode(), "key_version": self._version, **options}
        answer = self._call("POST", f"/v1/{self._place.mount}/sign/{self._place.name}", asked)
        # vault:v<version>:<base64>
        _, version, text = (*str(answer.get("signature")).split(":"), "", "")[:3]
        if version != f"v{self._version}":
            raise KeyUnusable(f"{self._name}: expected a signature of version {self._version}, found {version[:20]!r}")
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            raise KeyUnusable(f"{self._name}: expected base64") from None

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    @property
    def _name(self) -> str:
        return f"vault {self._place.server}, key {self._place.mount}/{self._place.name}"

    def _find(self) -> tuple[int, Public]:
        answer = self._call("GET", f"/v1/{self._place.mount}/keys/{self._place.name}", None)
        version = self._place.version or int(answer.get("latest_version", 0))
        entry = cast(dict[str, Any], answer.get("keys", {})).get(str(version))
        if entry is None:
            raise KeyUnusable(f"{self._name}: expected version {version}, found none")
        try:
            return version, self._read_public(str(answer.get("type")), str(entry.get("public_key", "")))
        except ValueError as fault:
            raise KeyUnusable(f"{self._name}: {fault}") from None

    def _call(self, method: str, path: str, content: dict[str, Any] | None) -> dict[str, Any]:
        """The `data` of the server's answer; a refused token is read anew, once."""
        response = self._send(method, path, content)
        if response.status_code == _FORBIDDEN:
            self._token = self._read_token()
            response = self._send(method, path, content)
        if not response.is_success:
            passing = response.is_server_error or response.status_code == _TOO_MANY
            raise KeyUnusable(f"{self._name}: expected an answer, found HTTP {response.status_code}", passing=passing)
        try:
            return cast(dict[str, Any], response.json()["data"])
        except (ValueError, KeyError, TypeError):
            raise KeyUnusable(f"{self._name}: expected JSON with data in it") from None

    def _send(self, method: str, path: str, content: dict[str, Any] | None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=content, headers={"X-Vault-Token": self._token})
        except httpx.HTTPError as error:
            raise KeyUnusable(f"{self._name}: expected an answer, found {error}", passing=True) from None

    def _read_token(self) -> str:
        try:
            return self._place.token_file.read_text().strip()
        except OSError as fault:
            raise KeyUnusable(f"{self._place.token_file}: expected a token, found {fault.strerror}") from None


def _read_ed25519(kind: str, text: str) -> bytes:
    if kind != "ed25519":
        raise ValueError(f"expected an ed25519 key, found {kind}")
    return base64.b64decode(text, validate=True)


def _read_token_key(kind: str, text: str) -> TokenPublicKey:
    if kind != "ecdsa-p256" and not kind.startswith("rsa-"):
        raise ValueError(f"expected an ecdsa-p256 or rsa key, found {kind}")
    found = load_pem_public_key(text.encode())
    if not isinstance(found, EllipticCurvePublicKey | RSAPublicKey):
        raise ValueError(f"expected a P-256 or RSA key, found {type(found).__name__.lstrip('_')}")
    require_strong(found)
    return found
