"""The private keys with which one process can sign, as its settings name them.

Two lists of URLs (see `opening`): Ed25519 keys for proofs within badges, and P-256 or RSA keys for VC-JWTs. An entry
is for all issuers, or for one: `music=file:/run/secrets/music.pem`. Which of them signs at an instant, the history of
the issuer's keys says; the order here only says which comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import orjson

from libs.common.credentials.canonical import Json
from libs.common.credentials.keys import multikey
from libs.common.credentials.token_keys import public_jwk, token_key_id, token_multikey
from libs.common.signing.file_key import LocalKey
from libs.common.signing.key import SigningKey
from libs.common.signing.opening import SCHEMES, open_key, open_token_key
from libs.common.signing.token_key import TokenKey


class _Key(Protocol):
    @property
    def public_key(self) -> object: ...


Opened = TypeVar("Opened", bound=_Key)


@dataclass(frozen=True, slots=True)
class KeyAtHand:
    """The public half of a private key that can sign now.

    `key_id` is its name in the issuer's documents, `multibase` the Multikey text; `jwk` is the public JWK of a key of
    VC-JWTs, None for one of embedded proofs. `issuer_id` is the one issuer whose key it is, None if it is of all.
    """

    issuer_id: str | None
    key_id: str
    multibase: str
    jwk: Json | None = None

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
    ) -> None:
        """Each key with the issuer whose key it is, or None; in the order in which they follow one another."""
        self._proofs = {multikey(key.public_key): key for _, key in proofs}
        self._tokens = {token_key_id(key.public_key): key for _, key in tokens}
        self.at_hand = (
            *(KeyAtHand(issuer, name := multikey(key.public_key), name) for issuer, key in proofs),
            *(
                KeyAtHand(
                    issuer, token_key_id(key.public_key), token_multikey(key.public_key), public_jwk(key.public_key)
                )
                for issuer, key in tokens
            ),
        )
        # A key that lies elsewhere blocks while it signs: that belongs in a thread.
        self.blocks = not all(isinstance(key, LocalKey) for key in self._proofs.values())

    def proof_key(self, key_id: str) -> SigningKey | None:
        """The key of this name for embedded proofs, if it is at hand."""
        return self._proofs.get(key_id)

    def token_key(self, key_id: str) -> TokenKey | None:
        """The key of this name for VC-JWTs, if it is at hand."""
        return self._tokens.get(key_id)

    def close(self) -> None:
        """Let go of all keys."""
        for key in self._proofs.values():
            key.close()


def open_ring(proof_urls: str, token_urls: str = "") -> Ring:
    """The ring of the keys that two settings name, each a list of entries between spaces. Raises `KeyUnusable`."""
    return Ring(_opened(proof_urls, open_key), _opened(token_urls, open_token_key))


def _opened(setting: str, opener: Callable[[str], Opened]) -> list[tuple[str | None, Opened]]:
    entries: list[tuple[str | None, Opened]] = []
    for entry in setting.split():
        issuer, separator, url = entry.partition("=")
        if not separator or entry.startswith(tuple(f"{scheme}:" for scheme in SCHEMES)):
            entries.append((None, opener(entry)))
        else:
            entries.append((issuer, opener(url)))
    return entries
