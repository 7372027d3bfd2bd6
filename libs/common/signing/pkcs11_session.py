"""One key pair of a PKCS#11 token, in one session that is opened again when the module lost it.

Needs `python-pkcs11` (the extra `hsm`) and the maker's module. Modules do not survive a fork: open the key in the
process that signs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar, cast

from libs.common.signing.key import KeyUnusable

Public = TypeVar("Public")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pkcs11Place:
    """Where a key lies (RFC 7512): the maker's module, the token's label, the key's label or id, the PIN's file."""

    module: Path
    token: str
    label: str | None
    id: bytes | None
    pin_file: Path | None


class Pkcs11Pair(Generic[Public]):
    """A key pair of a token. May be shared by threads, which sign one after the other."""

    def __init__(self, place: Pkcs11Place, read_public: Callable[[Any, Any], Public]) -> None:
        """Opens a session and finds the pair. Raises `KeyUnusable`.

        `read_public` gets the library and the token's public key object, and gives the public key; its `ValueError`
        says what was expected and found.
        """
        try:
            import pkcs11
            from pkcs11 import exceptions
        except ImportError:
            raise KeyUnusable("expected python-pkcs11 to be installed (the extra `hsm`)") from None
        self._pkcs11: Any = pkcs11
        self._exceptions: Any = exceptions
        self._place = place
        self._read_public = read_public
        # A session does one thing at a time (PKCS#11 3.0, section 2.6.7).
        self._lock = Lock()
        self._session: Any = None
        self._private_key: Any = None
        with self._lock:
            self.public_key: Public = self._explained(self._open)

    def sign(self, content: bytes, mechanism: str) -> bytes:
        """What the token answers when it signs `content` by `mechanism` (a name of PKCS#11 without `CKM_`)."""
        with self._lock:
            try:
                return self._sign(content, mechanism)
            except self._exceptions.PKCS11Error:
                # The module was restarted, or another session of this process logged out.
                self._forget()
                return self._explained(lambda: self._sign(content, mechanism))

    def close(self) -> None:
        """End the session; the next signature opens another."""
        with self._lock:
            self._forget()

    @property
    def _name(self) -> str:
        return f"pkcs11 token {self._place.token!r}, key {self._place.label or (self._place.id or b'').hex()!r}"

    def _sign(self, content: bytes, mechanism: str) -> bytes:
        if self._session is None and self._open() != self.public_key:
            raise KeyUnusable(f"{self._name}: expected the key of before, found another")
        return cast(bytes, self._private_key.sign(content, mechanism=self._pkcs11.Mechanism[mechanism]))

    def _open(self) -> Public:
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
        try:
            return self._read_public(self._pkcs11, self._session.get_key(kinds.PUBLIC_KEY, **wanted))
        except ValueError as fault:
            raise KeyUnusable(f"{self._name}: {fault}") from None

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
