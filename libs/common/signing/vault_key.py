"""A key in the transit engine of HashiCorp Vault or OpenBao, over its HTTP API. It never leaves the server."""

import base64
import binascii
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from libs.common.signing.key import KeyUnusable, require_valid

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
        self._place = place
        context = ssl.create_default_context(cafile=None if place.ca_file is None else str(place.ca_file))
        headers = {} if place.namespace is None else {"X-Vault-Namespace": place.namespace}
        self._http = httpx.Client(
            base_url=place.server, headers=headers, timeout=_TIMEOUT_SECONDS, verify=context, trust_env=False
        )
        self._token = self._read_token()
        try:
            self._version, self._public_key = self._find()
        except KeyUnusable:
            self._http.close()
            raise

    @property
    def public_key(self) -> bytes:
        """See `SigningKey`."""
        return self._public_key

    def sign(self, content: bytes) -> bytes:
        """See `SigningKey`."""
        asked = {"input": base64.b64encode(content).decode(), "key_version": self._version}
        answer = self._call("POST", f"/v1/{self._place.mount}/sign/{self._place.name}", asked)
        # vault:v<version>:<base64>
        _, version, text = (*str(answer.get("signature")).split(":"), "", "")[:3]
        if version != f"v{self._version}":
            raise KeyUnusable(f"{self._name}: expected a signature of version {self._version}, found {version[:20]!r}")
        signature = self._decoded(text)
        require_valid(self._public_key, signature, content)
        return signature

    def close(self) -> None:
        """See `SigningKey`."""
        self._http.close()

    @property
    def _name(self) -> str:
        return f"vault {self._place.server}, key {self._place.mount}/{self._place.name}"

    def _find(self) -> tuple[int, bytes]:
        answer = self._call("GET", f"/v1/{self._place.mount}/keys/{self._place.name}", None)
        if answer.get("type") != "ed25519":
            raise KeyUnusable(f"{self._name}: expected an ed25519 key, found {answer.get('type')}")
        version = self._place.version or int(answer.get("latest_version", 0))
        entry = cast(dict[str, Any], answer.get("keys", {})).get(str(version))
        if entry is None:
            raise KeyUnusable(f"{self._name}: expected version {version}, found none")
        return version, self._decoded(entry.get("public_key", ""))

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

    def _decoded(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise KeyUnusable(f"{self._name}: expected base64") from None
