"""The private keys with which one process can sign, as its settings name them.

Three lists of URLs (see `opening`): Ed25519 keys for proofs within badges, P-256 or RSA keys for VC-JWTs, and RSA keys
for signed Open Badges 2.0. An entry is for all issuers, or for one: `music=file:/run/secrets/music.pem`. Which of them
signs at an instant, the history of the issuer's keys says; the order here only says which comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import orjson

from libs.common.credentials.canonical import Json
from libs.common.credentials.keys import multikey
from libs.common.credentials.token_keys import algorithm_of, public_jwk, token_key_id, token_multikey
from libs.common.signing.file_key import LocalKey
from libs.common.signing.key import KeyUnusable, SigningKey
from libs.common.signing.opening import SCHEMES, open_key, open_token_key
from libs.common.signing.token_key import LocalTokenKey, TokenKey

Use = Literal["proofs", "tokens", "assertions"]
Opened = TypeVar("Opened", SigningKey, TokenKey)


class RingUnusable(KeyUnusable):
    """One of the keys cannot be used; `use` says in which list it stands."""

    def __init__(self, use: Use, message: str) -> None:
        super().__init__(message)
        self.use: Use = use


@dataclass(frozen=True, slots=True)
class KeyAtHand:
    """The public half of a private key that can sign now.

    `key_id` is its name in the issuer's documents, `multibase` the Multikey text; `jwk` is the public JWK of a key that
    `signs` VC-JWTs (tokens) or Open Badges 2.0 (assertions), None for one of embedded proofs. `issuer_id` is the one
    issuer whose key it is, None if it is of all.
    """

    issuer_id: str | None
    key_id: str
    multibase: str
    jwk: Json | None = None
    signs: Use = "proofs"

    @property
    def jwk_text(self) -> str | None:
        """The JWK as JSON text."""
        return None if self.jwk is None else orjson.dumps(self.jwk).decode()


class Ring:
    """The opened keys. May be shared by threads."""

    def __init__(
        self,
        proofs: Sequence[tuple[str | None, SigningKey]],
        tokens: Sequence[tuple[str | None, TokenKey]] = (),
        assertions: Sequence[tuple[str | None, TokenKey]] = (),
    ) -> None:
        """Each key with the issuer whose key it is, or None; in the order in which they follow one another.

        Raises `RingUnusable` if a key of `assertions` is not RSA, or is one of `tokens` too: a key has one use.
        """
        self._proofs = {multikey(key.public_key): key for _, key in proofs}
        self._tokens = {token_key_id(key.public_key): key for _, key in tokens}
        for _, key in assertions:
            if algorithm_of(key.public_key) != "RS256":
                raise RingUnusable("assertions", "expected an RSA key, which readers of Open Badges 2.0 require")
            if token_key_id(key.public_key) in self._tokens:
                raise RingUnusable("assertions", "expected a key of its own, found one of VC-JWTs")
        self.at_hand = (
            *(KeyAtHand(issuer, name := multikey(key.public_key), name) for issuer, key in proofs),
            *(_at_hand(issuer, key, "tokens") for issuer, key in tokens),
            *(_at_hand(issuer, key, "assertions") for issuer, key in assertions),
        )
        self._tokens |= {token_key_id(key.public_key): key for _, key in assertions}
        # A key that lies elsewhere blocks while it signs: that belongs in a thread.
        local = (LocalKey, LocalTokenKey)
        self.blocks = not all(isinstance(key, local) for key in (*self._proofs.values(), *self._tokens.values()))

    def proof_key(self, key_id: str) -> SigningKey | None:
        """The key of this name for embedded proofs, if it is at hand."""
        return self._proofs.get(key_id)

    def token_key(self, key_id: str) -> TokenKey | None:
        """The key of this name for VC-JWTs or Open Badges 2.0, if it is at hand."""
        return self._tokens.get(key_id)

    def close(self) -> None:
        """Let go of all keys."""
        for key in (*self._proofs.values(), *self._tokens.values()):
            key.close()


def open_ring(proof_urls: str, token_urls: str = "", assertion_urls: str = "") -> Ring:
    """The ring of the keys that three settings name, each a list of entries between spaces. Raises `RingUnusable`."""
    return Ring(
        _opened(proof_urls, open_key, "proofs"),
        _opened(token_urls, open_token_key, "tokens"),
        _opened(assertion_urls, open_token_key, "assertions"),
    )


def _at_hand(issuer: str | None, key: TokenKey, use: Use) -> KeyAtHand:
    public = key.public_key
    return KeyAtHand(issuer, token_key_id(public), token_multikey(public), public_jwk(public), use)


def _opened(setting: str, opener: Callable[[str], Opened], use: Use) -> list[tuple[str | None, Opened]]:
    entries: list[tuple[str | None, Opened]] = []
    try:
        for entry in setting.split():
            issuer, separator, url = entry.partition("=")
            if not separator or entry.startswith(tuple(f"{scheme}:" for scheme in SCHEMES)):
                entries.append((None, opener(entry)))
            else:
                entries.append((issuer, opener(url)))
    except KeyUnusable as fault:
        raise RingUnusable(use, str(fault)) from None
    return entries
