"""What a worker keeps at hand between batches: the catalogue, the templates of badges, and the keys to sign with."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from libs.common.contracts import IssuerPublished
from libs.common.credentials.issue import Template
from libs.common.credentials.jwt import TokenSigner
from libs.common.credentials.shape import Patterns, Shapes
from libs.common.signing.key import IssuerSigner, KeyUnusable
from libs.common.signing.ring import Ring
from libs.common.signing.token_key import IssuerTokenSigner
from services.awarding.model import FreeKey, IssuerKey, KeyUse, ListPurpose
from services.awarding.rules.badge import Deployment, profile_of, terms_of
from services.awarding.rules.catalogue import Achievement, Catalogue
from services.awarding.rules.keys import signing_key
from services.awarding.store import catalogue as catalogue_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

# Some 20 kB each; one that made room is made anew in less than a millisecond.
_MOST_TEMPLATES = 2_000
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Signers:
    """Who signs for an issuer now: the embedded proof, with the beginning of its key's time, and the VC-JWT, if any.

    `assertion` signs Open Badges 2.0: with a key for just that, or with that of VC-JWTs; None if neither may.
    """

    proof: IssuerSigner
    begins: datetime
    token: TokenSigner | None
    assertion: TokenSigner | None


SOURCE = "/cairn/awarding"


class Office:
    """The secrets of a deployment and what is derived from the database, for one process.

    `namespace` is the secret under which badge ids are derived, `ring` the keys that can sign here, `keys_valid_from`
    since when the first key of an issuer may; `purposes` says which status lists badges name. With `decides` false it
    only remembers what it hears: nothing is awarded, changed or told.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        namespace: UUID,
        ring: Ring,
        keys_valid_from: datetime,
        purposes: tuple[ListPurpose, ...] = ("revocation",),
    ) -> None:
        self.deployment = deployment
        self.namespace = namespace
        self.decides = True
        self.keys_valid_from = keys_valid_from
        self.free_keys = [
            FreeKey(key.issuer_id, key.key_id, key.multibase, key.jwk_text, key.signs) for key in ring.at_hand
        ]
        self.purposes: tuple[ListPurpose, ...] = purposes
        # Places in status lists are scattered by a secret that follows from the deployment's.
        self.list_secret = hmac.digest(deployment.pepper, b"status lists", "sha256")
        self.watch_secret = hmac.digest(deployment.pepper, b"watched imports", "sha512")
        self.list_shapes = Shapes()
        self._ring = ring
        self._key_ids = frozenset(key.key_id for key in ring.at_hand)
        self._signing = asyncio.Lock()
        self._catalogue = Catalogue()
        self._published = Catalogue()
        self._patterns = Patterns()
        self._templates: dict[tuple[str, int], tuple[tuple[IssuerPublished, tuple[bytes, ...]], Template]] = {}

    def remembering(self) -> Office:
        """An office of the same deployment that only remembers, for a database that is made from the topics."""
        office = copy(self)
        office.decides = False
        return office

    async def catalogue(self, connection: Connection) -> Catalogue:
        """The catalogue as this transaction sees it; it stays so until the transaction ends.

        Call it before any learner is locked: all transactions then take their locks in the same order.
        """
        await catalogue_store.share_catalogue(connection)
        # A statement of its own, so that it sees what was committed while the lock was waited for.
        revision, uncommitted = await catalogue_store.catalogue_revision(connection)
        known = self._catalogue
        if known.revision == revision:
            return known
        if self._published.revision == revision:
            known = self._published
        else:
            if known.revision > revision:  # another database, or one set back
                known = Catalogue()
            known = known.with_published(
                revision,
                await catalogue_store.issuers_since(connection, known.revision),
                await catalogue_store.achievements_since(connection, known.revision),
            )
        if uncommitted:  # what this transaction publishes may yet be rolled back
            self._published = known
        else:
            self._catalogue = known
        return known

    def template(
        self, issuer: IssuerPublished, achievement: Achievement, endorsements: tuple[bytes, ...] = ()
    ) -> Template:
        """The template of the badges of an achievement version; the one longest unused makes room.

        `endorsements` are the signed credentials of others that speak for it (OB 3.0, section 8.4).
        """
        place = (achievement.achievement_id, achievement.version)
        kept = self._templates.pop(place, None)
        if kept is None or kept[0] != (issuer, endorsements):
            addresses = self.deployment.addresses
            terms = replace(terms_of(addresses, achievement.published), endorsements=endorsements)
            kept = ((issuer, endorsements), Template(profile_of(addresses, issuer), terms, self._patterns))
        self._templates[place] = kept
        if len(self._templates) > _MOST_TEMPLATES:
            del self._templates[next(iter(self._templates))]
        return kept[1]

    def signers(self, issuer_id: str, history: Sequence[IssuerKey], now: datetime) -> Signers:
        """Who signs for an issuer with this key history at `now`. Raises `KeyUnusable`, which passes."""
        found = self.find_signers(issuer_id, history, now)
        if found is None:
            raise KeyUnusable(f"{issuer_id}: expected a key at hand that may sign now, found none", passing=True)
        return found

    def find_signers(self, issuer_id: str, history: Sequence[IssuerKey], now: datetime) -> Signers | None:
        """Who signs for an issuer with this key history at `now`; None if no key at hand may."""
        key_id = signing_key(history, self._key_ids, now, "proofs")
        key = None if key_id is None else self._ring.proof_key(key_id)
        if key is None:
            return None
        begins = next(known.valid_from for known in history if known.key_id == key_id)
        token = self._token_signer(issuer_id, history, now, "tokens")
        return Signers(
            IssuerSigner(key, self.deployment.addresses.issuer_did(issuer_id)),
            begins,
            token,
            self._token_signer(issuer_id, history, now, "assertions") or token,
        )

    def _token_signer(
        self, issuer_id: str, history: Sequence[IssuerKey], now: datetime, use: KeyUse
    ) -> TokenSigner | None:
        key_id = signing_key(history, self._key_ids, now, use)
        key = None if key_id is None else self._ring.token_key(key_id)
        if key is None or key_id is None:
            return None
        return IssuerTokenSigner(key, self.deployment.addresses.issuer_key_id(issuer_id, key_id))

    async def sign(self, make: Callable[[], Made]) -> Made:
        """What `make` gives, which signs: here, or in a thread where keys lie elsewhere and signing blocks.

        A fault of a key is never that of an event: it passes, or an operator sees to it.
        """
        try:
            if not self._ring.blocks:
                return make()
            async with self._signing:  # templates are not to be shared by threads
                return await asyncio.to_thread(make)
        except KeyUnusable as fault:
            raise KeyUnusable(str(fault), passing=True) from None

    def close(self) -> None:
        """Let go of the keys."""
        self._ring.close()
