"""Signed Open Badges 2.0: what the hosted assertion says, as a JWS, when its learner asks for it (M1.39)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import orjson

from libs.common.contracts import AssertionSigned
from libs.common.credentials.open_badges_2 import sign_hosted
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office, Signers
from services.awarding.model import BadgeState
from services.awarding.store import assertions as assertion_store
from services.awarding.store import keys as key_store
from services.awarding.store.assertions import AssertionAsked, KeptAssertion, MadeAssertion

if TYPE_CHECKING:
    from services.awarding.store import Reader

# Verifiers of Open Badges 2.0 know RS256; what they make of another algorithm, nobody can tell.
_NO_RSA = (
    "expected an RSA key, which readers of Open Badges 2.0 require, found none that signs for this issuer: "
    "an operator names one in CAIRN_OPEN_BADGE_2_KEYS"
)
_NOT_HELD = "expected a badge that holds, found one that is revoked or suspended"
_FAILED = "it failed for a fault of ours, which was logged"


async def show_assertion(reader: Reader, badge_id: UUID, learner_id: str) -> KeptAssertion | None:
    """What became of the wish for a signed assertion; None if the learner has no such badge."""
    return await assertion_store.signed_assertion(reader, badge_id, learner_id)


async def record_assertion_request(work: Work, badge_id: UUID, learner_id: str) -> None:
    """Have a badge signed in the form of Open Badges 2.0."""
    await assertion_store.ask_assertion(work.connection, badge_id, learner_id)


async def sign_assertions(office: Office, work: Work, *, most: int) -> int:
    """Sign, keep and tell what waits; answers how many there were. Several workers may do it."""
    waiting = await assertion_store.waiting_assertions(work.connection, most)
    if not waiting:
        return 0
    issuers = {asked.issuer_id for asked in waiting}
    now, histories = await key_store.keys_now(work.connection, issuers)
    signers = {name: office.signers(name, histories.get(name, ()), now) for name in issuers}
    made = await office.sign(lambda: [_made(office, asked, signers) for asked in waiting])
    await assertion_store.keep_assertions(work.connection, made)
    for asked, one in zip(waiting, made, strict=True):
        if one.token is None or one.key_id is None:
            continue
        content = AssertionSigned(
            badge_id=asked.badge_id, learner_id=asked.learner_id, issuer_id=asked.issuer_id,
            key_id=one.key_id, assertion=one.token,
        )  # fmt: skip
        work.tell(
            Outgoing(
                topic=AssertionSigned.TOPIC,
                key=str(asked.badge_id),
                event_id=uuid5(asked.badge_id, f"assertion signed {now.isoformat()}"),
                type=AssertionSigned.TYPE,
                source=SOURCE,
                subject=str(asked.badge_id),
                time=now,
                value=content.model_dump_json(exclude_none=True).encode(),
            )
        )
    return len(waiting)


async def cancel_assertion(work: Work) -> list[UUID]:
    """Give the first that waits up, because signing it failed and will fail again."""
    waiting = await assertion_store.waiting_assertions(work.connection, 1)
    if waiting:
        refused = [MadeAssertion(asked.badge_id, refusal=_FAILED) for asked in waiting]
        await assertion_store.keep_assertions(work.connection, refused)
    return [asked.badge_id for asked in waiting]


async def on_assertion_signed(work: Work, events: Sequence[Received[AssertionSigned]]) -> None:
    """Signed assertions that were told are remembered: awarding hears its own topic when it is rebuilt."""
    told = [(heard.content, heard.event.time) for heard in events if heard.content is not None]
    if told:
        await assertion_store.remember_assertions(work.connection, told)


def _made(office: Office, asked: AssertionAsked, signers: Mapping[str, Signers]) -> MadeAssertion:
    if asked.state != BadgeState.HOLDS:
        return MadeAssertion(asked.badge_id, refusal=_NOT_HELD)
    signer = signers[asked.issuer_id].assertion
    if signer is None or signer.algorithm != "RS256":
        return MadeAssertion(asked.badge_id, refusal=_NO_RSA)
    key_id = signer.key_url.rpartition("/")[2]
    creator = office.deployment.addresses.open_badge_2_key(asked.issuer_id, key_id)
    return MadeAssertion(asked.badge_id, sign_hosted(orjson.loads(asked.open_badge_2), signer, creator), key_id)
