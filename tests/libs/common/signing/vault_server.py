"""Vault's transit engine as far as a signer needs it: a real HTTPS server with a real key. It is not Vault itself.

Written after Vault's API documentation (`GET /transit/keys/:name`, `POST /transit/sign/:name`); nothing here shows
how a real Vault stores, seals or audits.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID


@dataclass
class TransitServer:
    """One key `issuer` with its versions. What it answers can be spoilt by the members below `token`."""

    url: str = ""
    token: str = "s.good"
    keys: list[Any] = field(
        default_factory=lambda: [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2)]
    )
    status: int = 200
    spoil_signatures: bool = False
    kind: str = "ed25519"
    namespaces: list[str | None] = field(default_factory=list)

    def answer(self, method: str, path: str, token: str | None, content: bytes) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request."""
        if token != self.token:
            return 403, {"errors": ["permission denied"]}
        if self.status != 200:
            return self.status, {"errors": ["as told"]}
        if (method, path) == ("GET", "/v1/transit/keys/issuer"):
            keys = {
                str(number): {"public_key": public_text(key.public_key())} for number, key in enumerate(self.keys, 1)
            }
            return 200, {"data": {"type": self.kind, "latest_version": len(self.keys), "keys": keys}}
        if (method, path) == ("POST", "/v1/transit/sign/issuer"):
            asked = json.loads(content)
            signature = sign(self.keys[asked["key_version"] - 1], base64.b64decode(asked["input"]), asked)
            if self.spoil_signatures:
                signature = signature[:-1] + bytes([signature[-1] ^ 1])
            text = base64.b64encode(signature).decode()
            return 200, {"data": {"signature": f"vault:v{asked['key_version']}:{text}"}}
        return 404, {"errors": []}


def public_text(key: Any) -> str:
    """A public key as Vault tells it: 32 bytes in base64 for Ed25519, else PEM."""
    if isinstance(key, Ed25519PublicKey):
        return base64.b64encode(key.public_bytes_raw()).decode()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sign(key: Any, content: bytes, asked: dict[str, Any]) -> bytes:
    """What Vault signs; its defaults are PSS for RSA, and ASN.1 for ECDSA, which is randomised."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(content)
    assert asked["hash_algorithm"] == "sha2-256"
    if isinstance(key, RSAPrivateKey):
        pkcs1 = asked.get("signature_algorithm", "pss") == "pkcs1v15"
        return key.sign(content, PKCS1v15() if pkcs1 else PSS(MGF1(SHA256()), PSS.MAX_LENGTH), SHA256())
    assert asked.get("marshaling_algorithm", "asn1") == "asn1"
    return key.sign(content, ECDSA(SHA256()))


@contextmanager
def transit_server(folder: Path) -> Iterator[TransitServer]:
    """A running server, whose certificate is `folder`/ca.pem."""
    transit = TransitServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            self.reply()

        def reply(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            transit.namespaces.append(self.headers.get("X-Vault-Namespace"))
            status, answer = transit.answer(self.command, self.path, self.headers.get("X-Vault-Token"), content)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is BaseHTTPRequestHandler's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    transit.url = f"vault+https://127.0.0.1:{server.server_port}/transit/keys/issuer"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield transit
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "ca.pem", folder / "key.pem"
