"""A learner's record (CLR 2.0): the badges of one issuer that hold, in one credential signed by that issuer."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from libs.common.credentials import proof
from libs.common.credentials.clr import LearnerRecord, clr_credential
from libs.common.credentials.identifiers import hashed_subject, recipient_salt, subject_id
from libs.common.credentials.shape import Shapes
from libs.common.messaging.work import Work
from services.awarding.handlers.office import Office, Signers
from services.awarding.rules.badge import profile_of
from services.awarding.rules.catalogue import Catalogue
from services.awarding.store import keys as key_store
from services.awarding.store import learners as learner_store
from services.awarding.store import records as record_store
from services.awarding.store.records import BadgeInRecord, KeptRecord, RecordAsked

if TYPE_CHECKING:
    from services.awarding.store import Reader

# The proof of a larger record takes more work than its readers do (`libs.common.credentials.clr`).
MOST_BADGES = 25
_NO_BADGES = "expected a badge of this issuer that holds, found none"


async def show_record(reader: Reader, learner_id: str, issuer_id: str) -> KeptRecord | None:
    """The learner's record if it is as the badges are now, signed or refused; None where it is to be asked for."""
    kept = await record_store.learner_record(reader, learner_id, issuer_id)
    if kept is None or kept.badge_ids is None:
        return None
    badges = await record_store.badges_in_record(reader, learner_id, issuer_id, MOST_BADGES)
    return kept if kept.badge_ids == [badge.badge_id for badge in badges] else None


async def record_record_request(work: Work, asked: RecordAsked) -> None:
    """Have a record signed."""
    await record_store.ask_record(work.connection, asked)


async def sign_record(office: Office, work: Work, *, most: int) -> int:
    """Sign the first record that waits, if `most` allows one; answers how many there were.

    One in a transaction, and in a thread: to prove 25 badges at once takes a good part of a second.
    """
    connection = work.connection
    catalogue = await office.catalogue(connection)
    waiting = await record_store.waiting_records(connection, min(most, 1))
    for asked in waiting:
        badges = await record_store.badges_in_record(connection, asked.learner_id, asked.issuer_id, MOST_BADGES + 1)
        held = [badge.badge_id for badge in badges[:MOST_BADGES]]
        if not held or asked.issuer_id not in catalogue.issuers:
            await record_store.keep_record(connection, asked, held, None, _NO_BADGES)
            continue
        names = await learner_store.shown_names(connection, [asked.learner_id])
        now, histories = await key_store.keys_now(connection, [asked.issuer_id])
        by = office.signers(asked.issuer_id, histories.get(asked.issuer_id, ()), now)
        record = _record(office, catalogue, asked, badges, names.get(asked.learner_id))
        credential = await asyncio.to_thread(_signed, record, by)
        await record_store.keep_record(connection, asked, held, credential, None)
    return len(waiting)


async def cancel_record(work: Work) -> list[UUID]:
    """Give the first record that waits up, because signing it failed and will fail again."""
    waiting = await record_store.waiting_records(work.connection, 1)
    for asked in waiting:
        why = "it failed for a fault of ours, which was logged"
        await record_store.keep_record(work.connection, asked, [], None, why)
    return [asked.record_id for asked in waiting]


def _record(
    office: Office, catalogue: Catalogue, asked: RecordAsked, badges: list[BadgeInRecord], shown_name: str | None
) -> LearnerRecord:
    addresses, pepper = office.deployment.addresses, office.deployment.pepper
    issuer = catalogue.issuers[asked.issuer_id]
    subject = subject_id(pepper, asked.learner_id, addresses.issuer_did(asked.issuer_id))
    held = badges[:MOST_BADGES]
    return LearnerRecord(
        url=addresses.record(asked.record_id),
        name=f"Learner record, {issuer.name}",
        issuer=profile_of(addresses, issuer),
        subject_id=subject,
        recipient=hashed_subject(subject, recipient_salt(pepper, asked.record_id)),
        valid_from=_since(asked, held),
        badges=tuple(badge.credential.encode() for badge in held),
        partial=len(badges) > len(held),
        shown_name=shown_name,
    )


def _since(asked: RecordAsked, badges: list[BadgeInRecord]) -> datetime:
    return max(asked.asked_at, *(badge.valid_from for badge in badges))


def _signed(record: LearnerRecord, by: Signers) -> str:
    created = max(record.valid_from, by.begins)
    return orjson.dumps(proof.sign(clr_credential(record), by.proof, created, Shapes()).document).decode()
