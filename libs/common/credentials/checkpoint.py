"""Signed heads of the log: C2SP tlog-checkpoint in a signed-note, with Ed25519; and the cosignature of a witness.

A checkpoint says "the log `origin` had `size` entries with this head". Its signature binds the log's keeper; a
witness that saw only growth adds a cosignature with the time, which proves what was logged before that time.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.common.credentials.keys import Signer
from libs.common.credentials.log import HASH_BYTES

# C2SP signed-note, "Signature types".
_ED25519, _COSIGNATURE = b"\x01", b"\x04"
_SIGNATURE_LINE = re.compile(r"— ([^ +\n]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME = re.compile(r"time ([0-9]{1,11})")
_MAX_CHARACTERS = 16_384
_MAX_SIGNATURES = 32


class NotACheckpoint(ValueError):
    """A text that is no signed checkpoint, or that lacks the signature asked for; the message says which."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head of the log: `size` entries under the 32-byte `root`.

    `origin` is the log's name, a URL without its scheme such as `badges.example/log`; `extensions` are further
    lines of the log's own.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_name(self.origin)
        if self.size < 0:
            raise ValueError(f"size: expected 0 or more, found {self.size}")
        if len(self.root) != HASH_BYTES:
            raise ValueError(f"root: expected {HASH_BYTES} bytes, found {len(self.root)}")
        if any(not line or "\n" in line for line in self.extensions):
            raise ValueError("extensions: expected lines that are not empty")

    @property
    def text(self) -> str:
        """What is signed: three lines, then the extensions (C2SP tlog-checkpoint)."""
        head = base64.b64encode(self.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), head, *self.extensions))


class Cosigned(NamedTuple):
    """A checkpoint that a witness saw at `seen_at`, no later than which all of its entries were logged."""

    checkpoint: Checkpoint
    seen_at: datetime


def require_name(name: str) -> None:
    """Raise `ValueError` unless `name` can name a key or a log: no spaces, no plus, not empty."""
    if not name or any(letter.isspace() or letter == "+" or not letter.isprintable() for letter in name):
        raise ValueError(f"name: expected no spaces and no plus, found {name[:100]!r}")


def verifier_key(name: str, public_key: bytes) -> str:
    """The public key as people hand it to verifiers: `name+id+key` (C2SP signed-note, "Verifier keys")."""
    key_id = _key_id(name, _ED25519, public_key)
    return f"{name}+{key_id.hex()}+{base64.b64encode(_ED25519 + public_key).decode()}"


def read_verifier_key(text: str) -> tuple[str, bytes]:
    """The name and the raw 32-byte Ed25519 public key in a verifier key. Raises `NotACheckpoint`."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    key = _base64(encoded)
    if len(key) != 33 or key[:1] != _ED25519:
        raise NotACheckpoint("expected an Ed25519 verifier key: name+id+key")
    if not hmac.compare_digest(key_id.encode("utf-8", "replace"), _key_id(name, _ED25519, key[1:]).hex().encode()):
        raise NotACheckpoint("expected a verifier key whose id is that of its key")
    return name, key[1:]


def time_of(checkpoint: Checkpoint) -> datetime | None:
    """When the log's keeper says that it signed: the extension line `time <seconds since 1970>`, if there is one."""
    for line in checkpoint.extensions:
        found = _TIME.fullmatch(line)
        if found is not None:
            return datetime.fromtimestamp(int(found[1]), UTC)
    return None


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """`checkpoint` as a signed note; the key bears the log's origin as its name. Equal input, equal note."""
    signature = signer.sign(checkpoint.text.encode())
    return checkpoint.text + "\n" + _line(checkpoint.origin, _ED25519, signer.public_key, signature)


def cosign(note: str, witness: str, signer: Signer, seen_at: datetime) -> str:
    """`note` with the cosignature of `witness` added (C2SP tlog-cosignature, `cosignature/v1`).

    Only for a note that extends the last one that the witness saw (`log.extends`): checking that is up to it.
    """
    text, _ = _parse(note)
    seconds = int(seen_at.timestamp())
    signature = signer.sign(_cosigned(text, seconds))
    return note + _line(witness, _COSIGNATURE, signer.public_key, seconds.to_bytes(8) + signature)


def read_checkpoint(note: str, origin: str, public_key: bytes) -> Checkpoint:
    """The checkpoint in `note`, signed by the log `origin` with `public_key`. Raises `NotACheckpoint`."""
    text, signatures = _parse(note)
    for signature in _signatures(signatures, origin, _ED25519, public_key):
        _verify(public_key, signature, text.encode())
        return _checkpoint(text, origin)
    raise NotACheckpoint(f"expected a signature of {origin} with the key given")


def read_cosignature(note: str, origin: str, witness: str, public_key: bytes) -> Cosigned:
    """The checkpoint of `origin` in `note` and when `witness` saw it. Raises `NotACheckpoint`.

    Says nothing of the log's own signature: read that as well.
    """
    text, signatures = _parse(note)
    for signature in _signatures(signatures, witness, _COSIGNATURE, public_key):
        seconds = int.from_bytes(signature[:8])
        _verify(public_key, signature[8:], _cosigned(text, seconds))
        try:
            return Cosigned(_checkpoint(text, origin), datetime.fromtimestamp(seconds, UTC))
        except (ValueError, OverflowError, OSError) as error:
            raise NotACheckpoint(f"expected an instant: {error}") from None
    raise NotACheckpoint(f"expected a cosignature of {witness} with the key given")


def _parse(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The signed text of `note`, and who signed it with what (C2SP signed-note, "Format")."""
    if len(note) > _MAX_CHARACTERS or any(letter < " " and letter != "\n" for letter in note):
        raise NotACheckpoint(f"expected at most {_MAX_CHARACTERS} characters, and lines only")
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NotACheckpoint("expected a text, an empty line and signatures")
    signatures: list[tuple[str, bytes]] = []
    for line in lines[:-1].split("\n"):
        found = _SIGNATURE_LINE.fullmatch(line)
        if found is None or len(signatures) == _MAX_SIGNATURES:
            raise NotACheckpoint(f"expected up to {_MAX_SIGNATURES} signature lines, found {line[:80]!r}")
        signatures.append((found[1], _base64(found[2])))
    return text + "\n", signatures


def _checkpoint(text: str, origin: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise NotACheckpoint("expected the lines of a checkpoint: origin, size, head")
    if lines[0] != origin:
        raise NotACheckpoint(f"expected a checkpoint of {origin}, found one of {lines[0][:100]!r}")
    try:
        return Checkpoint(origin, int(lines[1]), _base64(lines[2]), tuple(lines[3:]))
    except ValueError as error:
        raise NotACheckpoint(str(error)) from None


def _signatures(signatures: list[tuple[str, bytes]], name: str, kind: bytes, public_key: bytes) -> list[bytes]:
    """The signatures that claim to be of `name` with `public_key`; others are not ours to judge, and ignored."""
    key_id = _key_id(name, kind, public_key)
    return [
        signature[4:]
        for signer, signature in signatures
        if signer == name and hmac.compare_digest(signature[:4], key_id)
    ]


def _verify(public_key: bytes, signature: bytes, content: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except InvalidSignature:
        raise NotACheckpoint("the checkpoint is not what was signed, or not by this key") from None


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _line(name: str, kind: bytes, public_key: bytes, signature: bytes) -> str:
    require_name(name)
    return f"— {name} {base64.b64encode(_key_id(name, kind, public_key) + signature).decode()}\n"


def _key_id(name: str, kind: bytes, public_key: bytes) -> bytes:
    """The first four bytes that tell keys of one name apart (C2SP signed-note, "Signatures")."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise NotACheckpoint(f"expected base64: {error}") from None
