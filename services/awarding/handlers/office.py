"""What a worker keeps at hand between batches: the catalogue, the templates of badges, and the key to sign with."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from libs.common.contracts import IssuerPublished
from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner, multikey
from libs.common.credentials.shape import Patterns
from services.awarding.rules.badge import Deployment, profile_of, terms_of
from services.awarding.rules.catalogue import Achievement, Catalogue
from services.awarding.store import catalogue as catalogue_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection


# Some 20 kB each; one that made room is made anew in less than a millisecond.
_MOST_TEMPLATES = 2_000


SOURCE = "/cairn/awarding"


class Office:
    """The secrets of a deployment and what is derived from the database, for one process.

    `namespace` is the secret under which badge ids are derived, `private_key` the 32 raw bytes with which all
    issuers of the deployment sign, `key_valid_from` since when it may. With `decides` false it only remembers what
    it hears: nothing is awarded, changed or told.
    """

    def __init__(
        self, deployment: Deployment, *, namespace: UUID, private_key: bytes, key_valid_from: datetime
    ) -> None:
        self.deployment = deployment
        self.namespace = namespace
        self.key_valid_from = key_valid_from
        self.decides = True
        self._private_key = private_key
        self.public_key = multikey(LocalSigner(private_key, "did:web:localhost").public_key)
        self._catalogue = Catalogue()
        self._published = Catalogue()
        self._patterns = Patterns()
        self._templates: dict[tuple[str, int], tuple[IssuerPublished, Template]] = {}
        self._signers: dict[str, LocalSigner] = {}

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

    def template(self, issuer: IssuerPublished, achievement: Achievement) -> Template:
        """The template of the badges of an achievement version; the one longest unused makes room."""
        place = (achievement.achievement_id, achievement.version)
        kept = self._templates.pop(place, None)
        if kept is None or kept[0] != issuer:
            addresses = self.deployment.addresses
            terms = terms_of(addresses, achievement.published)
            kept = (issuer, Template(profile_of(addresses, issuer), terms, self._patterns))
        self._templates[place] = kept
        if len(self._templates) > _MOST_TEMPLATES:
            del self._templates[next(iter(self._templates))]
        return kept[1]

    def signer(self, issuer_id: str) -> LocalSigner:
        """Who signs for an issuer."""
        signer = self._signers.get(issuer_id)
        if signer is None:
            signer = LocalSigner(self._private_key, self.deployment.addresses.issuer_did(issuer_id))
            self._signers[issuer_id] = signer
        return signer
