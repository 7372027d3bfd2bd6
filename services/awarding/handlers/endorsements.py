"""Issuers speak for achievements and badges: asked for at the door, signed by the worker with the issuer's key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import orjson

from libs.common.contracts import EndorsementSigned, IssuerPublished
from libs.common.credentials import open_badges_2, proof
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.endorsement import Endorsement, endorsement_credential
from libs.common.credentials.jwt import vc_jwt
from libs.common.credentials.shape import Shapes
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office, Signers
from services.awarding.model import EndorsementAsked, SignedEndorsement
from services.awarding.rules.badge import profile_of
from services.awarding.store import endorsements as endorsement_store
from services.awarding.store import keys as key_store

if TYPE_CHECKING:
    from services.awarding.store import Reader

FAILED = "it failed for a fault of ours, which was logged"


async def record_endorsement(work: Work, asked: EndorsementAsked) -> EndorsementAsked:
    """Keep what is to be signed; answers it as it is kept, which differs where its id was taken before."""
    await endorsement_store.keep_endorsement(work.connection, asked)
    kept = await endorsement_store.endorsement(work.connection, asked.endorsement_id)
    assert kept is not None
    return kept


async def show_endorsement(reader: Reader, endorsement_id: UUID) -> EndorsementAsked | None:
    """What was asked for, and whether it is signed; or None."""
    return await endorsement_store.endorsement(reader, endorsement_id)


async def sign_endorsements(office: Office, work: Work, *, most: int) -> int:
    """Sign, keep and tell what waits; answers how many there were. Several workers may do it."""
    catalogue = await office.catalogue(work.connection)
    waiting = await endorsement_store.waiting_endorsements(work.connection, most)
    if not waiting:
        return 0
    known = [asked for asked in waiting if asked.issuer_id in catalogue.issuers]
    unknown = [(asked.endorsement_id, "expected a published issuer") for asked in waiting if asked not in known]
    await endorsement_store.refuse_endorsements(work.connection, unknown)
    if known:
        names = {asked.issuer_id for asked in known}
        now, histories = await key_store.keys_now(work.connection, names)
        signers = {name: office.signers(name, histories.get(name, ()), now) for name in names}
        addresses = office.deployment.addresses
        signed = await office.sign(
            lambda: [
                _signed(addresses, catalogue.issuers[asked.issuer_id], asked, signers[asked.issuer_id])
                for asked in known
            ]
        )
        await endorsement_store.sign_endorsements(work.connection, signed)
        for asked, made in zip(known, signed, strict=True):
            work.tell(_told(asked, made))
    return len(waiting)


async def cancel_endorsement(work: Work) -> list[UUID]:
    """Give the first that waits up, because signing it failed and will fail again."""
    waiting = await endorsement_store.waiting_endorsements(work.connection, 1)
    refused = [(asked.endorsement_id, FAILED) for asked in waiting]
    await endorsement_store.refuse_endorsements(work.connection, refused)
    return [name for name, _ in refused]


async def on_endorsement_signed(work: Work, events: Sequence[Received[EndorsementSigned]]) -> None:
    """Endorsements that were told are remembered: awarding hears its own topic when it is rebuilt."""
    told = [heard.content for heard in events if heard.content is not None]
    if told:
        await endorsement_store.remember_endorsements(work.connection, told)


def _signed(addresses: Addresses, issuer: IssuerPublished, asked: EndorsementAsked, by: Signers) -> SignedEndorsement:
    if asked.badge_id is not None:
        endorsed, endorsed_2 = addresses.badge(asked.badge_id), addresses.assertion(asked.badge_id)
    else:
        name, version = asked.achievement_id or "", str(asked.version)
        endorsed, endorsed_2 = addresses.achievement(name, version), addresses.badge_class(name, version)
    given = Endorsement(
        url=addresses.endorsement(asked.endorsement_id),
        open_badge_2_url=addresses.open_badge_2_endorsement(asked.endorsement_id),
        endorser=profile_of(addresses, issuer),
        endorsed=endorsed,
        comment=asked.comment,
        valid_from=asked.asked_at,
    )
    document = endorsement_credential(given)
    signed = proof.sign(document, by.proof, max(asked.asked_at, by.begins), Shapes())
    token = None if by.token is None else vc_jwt(document, int(asked.asked_at.timestamp()), None, by.token)
    return SignedEndorsement(
        asked.endorsement_id,
        orjson.dumps(signed.document).decode(),
        orjson.dumps(open_badges_2.endorsement(given, endorsed_2)).decode(),
        token,
    )


def _told(asked: EndorsementAsked, made: SignedEndorsement) -> Outgoing:
    content = EndorsementSigned(
        endorsement_id=asked.endorsement_id, issuer_id=asked.issuer_id, achievement_id=asked.achievement_id,
        version=asked.version, badge_id=asked.badge_id, comment=asked.comment, endorsed_at=asked.asked_at,
        credential=made.credential, open_badge_2=made.open_badge_2, credential_jwt=made.credential_jwt,
    )  # fmt: skip
    key = f"endorsement:{asked.endorsement_id}"
    return Outgoing(
        topic=EndorsementSigned.TOPIC,
        key=key,
        event_id=uuid5(asked.endorsement_id, "signed"),
        type=EndorsementSigned.TYPE,
        source=SOURCE,
        subject=key,
        time=asked.asked_at,
        value=content.model_dump_json(exclude_none=True).encode(),
        traceparent=asked.traceparent,
    )
