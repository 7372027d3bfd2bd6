"""A key in a hardware security module, by PKCS#11 3.0. It never leaves the module.

Needs `python-pkcs11` (the extra `hsm`) and the maker's module. Modules do not survive a fork: open the key in the
process that signs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, cast

from libs.common.signing.key import KeyUnusable, require_valid

_RAW_BYTES = 32
_OCTET_STRING = b"\x04\x20"  # DER: an OCTET STRING of 32 bytes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pkcs11Place:
    """Where a key lies (RFC 7512): the maker's module, the token's label, the key's label or id, the PIN's file."""

    module: Path
    token: str
    label: str | None
    id: bytes | None
    pin_file: Path | None


class Pkcs11Key:
    """One Ed25519 key of a PKCS#11 token, in one session that is opened again when the module lost it."""

    def __init__(self, place: Pkcs11Place) -> None:
        """Opens a session and finds the key pair. Raises `KeyUnusable`."""
        try:
            import pkcs11
            from pkcs11 import exceptions
        except ImportError:
            raise KeyUnusable("expected python-pkcs11 to be installed (the extra `hsm`)") from None
        self._pkcs11: Any = pkcs11
        self._exceptions: Any = exceptions
        self._place = place
        # A session does one thing at a time (PKCS#11 3.0, section 2.6.7).
        self._lock = Lock()
        self._session: Any = None
        self._private_key: Any = None
        with self._lock:
            self._public_key = self._explained(self._open)

    @property
    def public_key(self) -> bytes:
        """See `SigningKey`."""
        return self._public_key

    def sign(self, content: bytes) -> bytes:
        """See `SigningKey`."""
        with self._lock:
            try:
                signature = self._sign(content)
            except self._exceptions.PKCS11Error:
                # The module was restarted, or another session of this process logged out.
                self._forget()
                signature = self._explained(lambda: self._sign(content))
        require_valid(self._public_key, signature, content)
        return signature

    def close(self) -> None:
        """See `SigningKey`."""
        with self._lock:
            self._forget()

    @property
    def _name(self) -> str:
        return f"pkcs11 token {self._place.token!r}, key {self._place.label or (self._place.id or b'').hex()!r}"

    def _sign(self, content: bytes) -> bytes:
        if self._session is None and self._open() != self._public_key:
            raise KeyUnusable(f"{self._name}: expected the key of before, found another")
        return cast(bytes, self._private_key.sign(content, mechanism=self._pkcs11.Mechanism.EDDSA))

    def _open(self) -> bytes:
        """Open a session, find the key, and give its public key."""
        token = self._pkcs11.lib(str(self._place.module)).get_token(token_label=self._place.token)
        pin = _read_pin(self._place.pin_file)
        try:
            self._session = token.open(user_pin=pin)
        except self._exceptions.UserAlreadyLoggedIn:
            self._session = token.open()  # logging in counts for all sessions of a process
        kinds = self._pkcs11.ObjectClass
        wanted = {"label": self._place.label, "id": self._place.id}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        self._private_key = self._session.get_key(kinds.PRIVATE_KEY, **wanted)
        public_key = self._session.get_key(kinds.PUBLIC_KEY, **wanted)
        point = cast(bytes, public_key[self._pkcs11.Attribute.EC_POINT])
        # PKCS#11 3.0 wants the point DER-encoded; some modules give it raw.
        raw = point.removeprefix(_OCTET_STRING) if len(point) == _RAW_BYTES + 2 else point
        if len(raw) != _RAW_BYTES:
            raise KeyUnusable(f"{self._name}: expected an Ed25519 key, found a point of {len(point)} bytes")
        return raw

    def _forget(self) -> None:
        session, self._session, self._private_key = self._session, None, None
        if session is not None:
            try:
                session.close()
            except self._exceptions.PKCS11Error:
                pass  # it was gone before

    def _explained(self, call: Callable[[], T]) -> T:
        """What `call` gives; the module's errors become `KeyUnusable`."""
        errors = self._exceptions
        lasting = (errors.NoSuchKey, errors.NoSuchToken, errors.MultipleObjectsReturned, errors.PinIncorrect)
        try:
            return call()
        except KeyUnusable:
            self._forget()
            raise
        except (errors.PKCS11Error, RuntimeError) as error:
            self._forget()
            passing = not isinstance(error, (*lasting, errors.PinLocked, errors.MechanismInvalid))
            found = f"{type(error).__name__} {error}".strip()
            raise KeyUnusable(f"{self._name}: expected a key that signs, found {found}", passing=passing) from None


def _read_pin(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text().strip()
    except OSError as fault:
        raise KeyUnusable(f"{path}: expected a readable PIN file, found {fault.strerror}") from None
