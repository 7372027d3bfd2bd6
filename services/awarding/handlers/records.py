"""A learner's record (CLR 2.0): badges that hold, in credentials signed by their issuer (M1.38, issue 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import orjson

from libs.common.contracts import RecordSigned
from libs.common.credentials.canonical import Json, NotCanonical
from libs.common.credentials.clr import LearnerRecord, clr_credential
from libs.common.credentials.proof import sign_canonical
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from libs.common.sandbox import Sandbox
from services.awarding.handlers.office import SOURCE, Office, Signers
from services.awarding.handlers.status_lists import Place, issue_places, map_place
from services.awarding.model import RecordAsked, RecordBadge, RecordPart, RecordWish, ShownRecord
from services.awarding.rules.records import RecordPlan, choose_badges, part_id, plan_record, record_of, valid_since
from services.awarding.store import keys as key_store
from services.awarding.store import learners as learner_store
from services.awarding.store import records as record_store

if TYPE_CHECKING:
    from services.awarding.store import Reader

_NO_BADGES = "expected a badge of this issuer that holds, found none"
_NO_ROOT = "expected a badge of this learner that holds, found none of this id"
_FAILED = "it failed for a fault of ours, which was logged"


async def read_root_wish(reader: Reader, learner_id: str, badge_id: UUID) -> RecordWish | None:
    """The wish for the record of one badge; None if the learner holds no such badge."""
    held = await record_store.record_badges(reader, learner_id)
    return next(
        (RecordWish(learner_id, badge.issuer_id, badge_id) for badge in held if badge.badge_id == badge_id), None
    )


async def show_record(reader: Reader, wish: RecordWish, number: int) -> ShownRecord | None:
    """Part `number` (from 1) of the record if it is as the badges are now, or why there is none; None where it is to
    be asked for."""
    chosen = choose_badges(await record_store.record_badges(reader, wish.learner_id), wish)
    if not chosen:
        return ShownRecord(None, refusal=_NO_BADGES if wish.root_id is None else _NO_ROOT)
    kept = await record_store.learner_record(reader, wish)
    if kept is not None and kept.refusal is not None:
        return ShownRecord(None, refusal=kept.refusal, is_open=True)
    if kept is None or not kept.is_named or kept.badge_ids != [badge.badge_id for badge in chosen]:
        return None
    parts, whole, credential = await record_store.record_part(reader, kept.record_id, number)
    if not parts or whole != parts:
        return None
    refusal = None if credential else f"expected a part from 1 to {parts}, found {number}"
    return ShownRecord(credential, parts, refusal)


async def record_record_request(work: Work, asked: RecordAsked) -> None:
    """Have a record signed."""
    await record_store.ask_record(work.connection, asked)


async def sign_record(office: Office, work: Work, sandbox: Sandbox, *, tried: list[RecordAsked]) -> int:
    """Sign the first record that waits, named in `tried` then; answers how many there were.

    One in a transaction: hundreds of badges take seconds. The canonical form is made in the `sandbox`, a process of
    its own, so that those who are awarded meanwhile do not wait.
    """
    asked = await record_store.waiting_record(work.connection)
    tried[:] = () if asked is None else (asked,)
    if asked is None:
        return 0
    connection, wish = work.connection, asked.wish
    held = await record_store.record_badges(connection, wish.learner_id)
    chosen = choose_badges(held, wish)
    issuer = await record_store.record_issuer(connection, wish.issuer_id)
    if not chosen or issuer is None:
        await record_store.finish_record(connection, asked, [], refusal=_NO_BADGES)
        return 1
    names = await learner_store.shown_names(connection, [wish.learner_id])
    plan = plan_record(asked, issuer, held, chosen, names.get(wish.learner_id))
    parts = await _signed_parts(office, work, sandbox, plan)
    await _keep(work, plan, parts, chosen)
    return 1


async def cancel_record(work: Work, asked: RecordAsked) -> None:
    """Give a record up, because signing it failed and will fail again."""
    await record_store.finish_record(work.connection, asked, [], refusal=_FAILED)


async def on_record_signed(work: Work, events: Sequence[Received[RecordSigned]]) -> None:
    """A fresh database gives no record's place again, and remembers what withdraws a record."""
    told = [heard.content for heard in events if heard.content is not None]
    parts = [
        RecordPart(
            content.record_id, content.learner_id, content.issuer_id, content.badge_ids, content.list_number,
            content.status_index,
        )
        for content in told
    ]  # fmt: skip
    if parts:
        await record_store.keep_parts(work.connection, parts)


async def _signed_parts(office: Office, work: Work, sandbox: Sandbox, plan: RecordPlan) -> list[RecordPart]:
    issuer_id, asked = plan.issuer.issuer_id, plan.asked
    now, histories = await key_store.keys_now(work.connection, [issuer_id])
    by = office.signers(issuer_id, histories.get(issuer_id, ()), now)
    places = await issue_places(office, work, [issuer_id] * len(plan.parts), {issuer_id: by}, now)
    created = valid_since(plan, by.begins)
    signed: list[RecordPart] = []
    before: bytes | None = None
    for number, (badges, place) in enumerate(zip(plan.parts, places, strict=True), 1):
        # The first badge gives its name to every part.
        wanted = {badge.badge_id for badge in (plan.parts[0][0], *badges)}
        credentials = await record_store.record_credentials(work.connection, wanted)
        status = map_place(office, issuer_id, place)
        record = record_of(office.deployment, plan, number, credentials, status=status, before=before)
        before = await _signed(office, sandbox, record, by, created)
        signed.append(_part(asked, number, badges, place, before))
    return signed


def _part(asked: RecordAsked, number: int, badges: Sequence[RecordBadge], place: Place, content: bytes) -> RecordPart:
    wish, badge_ids = asked.wish, tuple(badge.badge_id for badge in badges)
    return RecordPart(
        part_id(asked, number), wish.learner_id, wish.issuer_id, badge_ids, *place, asked.record_id, number,
        content.decode(),
    )  # fmt: skip


async def _signed(office: Office, sandbox: Sandbox, record: LearnerRecord, by: Signers, created: datetime) -> bytes:
    document = await asyncio.to_thread(clr_credential, record)
    text = await _canonical(sandbox, document)
    return await office.sign(lambda: orjson.dumps(sign_canonical(document, text, by.proof, created)))


async def _canonical(sandbox: Sandbox, document: Json) -> str:
    found = await sandbox.do("canonical", documents=[document])
    if "texts" not in found:
        raise NotCanonical(found["reason"], found["detail"])
    return found["texts"][0]


async def _keep(work: Work, plan: RecordPlan, parts: Sequence[RecordPart], chosen: Sequence[RecordBadge]) -> None:
    """Keep and tell what was signed, under the learner's lock: what became of a badge meanwhile is seen here, and what
    becomes of it later finds the record."""
    connection, learner_id = work.connection, plan.asked.wish.learner_id
    locked = await learner_store.locked_learners(connection, [learner_id])
    if learner_id in locked.erased:
        await record_store.forget_records(connection, [learner_id])
        return
    badge_ids = [badge.badge_id for badge in chosen]
    if not await record_store.finish_record(connection, plan.asked, badge_ids, shown_name=plan.shown_name):
        return
    await record_store.drop_parts(connection, learner_id)
    await record_store.keep_parts(connection, parts)
    await record_store.settle_parts(connection, [learner_id], badge_ids)
    for part in parts:
        work.tell(_told(part, plan.asked.asked_at))


def _told(part: RecordPart, at: datetime) -> Outgoing:
    content = RecordSigned(
        record_id=part.part_id, learner_id=part.learner_id, issuer_id=part.issuer_id, badge_ids=part.badge_ids,
        list_number=part.status_list, status_index=part.status_index,
    )  # fmt: skip
    key = f"record:{part.part_id}"
    return Outgoing(
        topic=RecordSigned.TOPIC,
        key=key,
        event_id=uuid5(part.part_id, "signed"),
        type=RecordSigned.TYPE,
        source=SOURCE,
        subject=key,
        time=at,
        value=content.model_dump_json(exclude_none=True).encode(),
    )
