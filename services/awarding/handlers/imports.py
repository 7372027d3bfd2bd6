"""Badges of other issuers: learners bring them, the worker counts them, and looks at them again (B12)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

import structlog

from libs.common.checking import Terms
from libs.common.checking.model import Judgement
from libs.common.checking.recipient import Person
from libs.common.contracts import ImportedBadgeWithdrawn
from libs.common.credentials.identifiers import email_digest
from libs.common.messaging.faults import is_passing, name_of
from libs.common.messaging.work import Work, begin
from libs.common.verifying import Verifier
from services.awarding.handlers.facts import keep_facts, void_facts
from services.awarding.handlers.office import Office
from services.awarding.handlers.pushes import tell_refusals, tell_word
from services.awarding.handlers.watches import tell_watch
from services.awarding.model import Due, FactKind, Import, LossCause, NewFact, NewVoid, NotImported
from services.awarding.rules.imported import facts_told, objects_of, sealed_watch, word_on
from services.awarding.rules.imports import (
    MOST_RETRIES,
    TAKEN_BACK,
    addresses_named,
    decide_claim,
    decide_import,
    decide_recheck,
    import_told,
    is_as_seen,
    next_look,
    refused,
    renewed,
    unbound,
    watch_in,
    watched,
)
from services.awarding.store import imports as import_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Database
    from services.awarding.store import Reader

log = structlog.get_logger(__name__)

MOST_IMPORTS = 500
# Whoever is given an import to look at has so long until somebody else is.
LEASE_SECONDS = 300.0
MOST_LOOKS = 10
_IMPORTED = int(FactKind.IMPORTED)
_TWIN = NotImported("duplicate", "Expected a badge that was not imported before.")
_NEVER_CLEAR = NotImported("never-clear", "Nobody could tell for weeks whether it is genuine.")


class Look(NamedTuple):
    """Another look at an import: what it found, the badge that was judged, when, and how long until the next.

    `person` is whose it should be.
    """

    judgement: Judgement
    carried: bytes
    at: datetime
    every: timedelta
    person: tuple[str, str] | None = None


async def record_import(work: Work, imported: Import) -> Import | NotImported:
    """Keep a badge that a learner brought, or say why it is not taken."""
    connection = work.connection
    if await import_store.import_count(connection, imported.learner_id) >= MOST_IMPORTS:
        return NotImported("too-many", f"Expected at most {MOST_IMPORTS} imported badges of one learner.")
    again = await import_store.refill_import(connection, imported)
    if again is not None:
        return again
    if await import_store.import_twin(connection, imported) or not await import_store.keep_import(connection, imported):
        return _TWIN
    return imported


async def withdraw_import(work: Work, learner_id: str, import_id: UUID, at: datetime) -> bool:
    """A learner takes an imported badge back, which the worker carries out; answers whether they had it."""
    return await import_store.leave_import(work.connection, learner_id, import_id, at)


async def schedule_import_check(
    work: Work, learner_id: str, import_id: UUID, person: tuple[str, str] | None = None, *, is_vouched: bool = False
) -> bool:
    """Have an import looked at now, as awarded to `person` if that is said; answers whether there is one that can be.

    `is_vouched`: an authorised person says so.
    """
    return await import_store.recheck_import(work.connection, learner_id, import_id, person, is_vouched=is_vouched)


async def show_imports(reader: Reader, learner_id: str) -> list[dict[str, Any]]:
    """All badges that a learner brought, in order."""
    return [import_told(imported) for imported in await import_store.imports_of(reader, learner_id)]


async def show_import(reader: Reader, learner_id: str, import_id: UUID) -> dict[str, Any] | None:
    """One badge that a learner brought, or None."""
    found = await import_store.import_of(reader, learner_id, import_id)
    return None if found is None else import_told(found)


async def complete_imports(office: Office, work: Work, *, most: int) -> int:
    """Count what was found genuine and is the learner's, take out what was taken back; answers how many there were."""
    await office.catalogue(work.connection)  # before any learner is locked
    waiting = await import_store.waiting_imports(work.connection, most)
    decided = [
        (imported, decide_claim(imported, is_email_known=_is_theirs(office, imported, known)))
        for imported, known in waiting
        if imported.state == "genuine"
    ]
    counted = [_counting(imported) for imported, why in decided if why is None]
    given_up = [refused(imported, why) for imported, why in decided if why is not None]
    await import_store.change_imports(work.connection, [*counted, *given_up])
    tell_refusals(work, given_up)
    await _count(office, work, counted)
    left = [imported for imported, _ in waiting if imported.state == "leaving"]
    await _discount(office, work, [(one, "taken-back", one.checked_at) for one in left if one.counted_by is not None])
    await _drop(work, left)
    return len(waiting)


async def _drop(work: Work, left: Sequence[Import]) -> None:
    """Take out what was taken back; what was pushed in its place since is looked at like a new one.

    That one was taken back while it did not count is told, so that it does not come back with a fresh database.
    """
    await import_store.change_imports(work.connection, [
        replace(renewed(one, one.later), counted_by=None, next_check_at=one.checked_at)
        for one in left if one.later is not None
    ])  # fmt: skip
    gone = [one for one in left if one.later is None]
    tell_refusals(work, [refused(one, TAKEN_BACK) for one in gone if one.counted_by is None])
    await import_store.drop_imports(work.connection, [one.import_id for one in gone])


async def cancel_import(work: Work) -> list[UUID]:
    """Give the first import that waits up, because counting it failed and will fail again."""
    waiting = await import_store.waiting_imports(work.connection, 1)
    why = NotImported("failed", "It failed for a fault of ours, which was logged.")
    given_up = [refused(imported, why) for imported, _ in waiting]
    await import_store.change_imports(work.connection, given_up)
    tell_refusals(work, given_up)
    return [imported.import_id for imported, _ in waiting]


async def recheck_imports(office: Office, database: Database, verifier: Verifier, every: timedelta) -> int:
    """Ask the sources of a few imports again; answers how many. No transaction is open while a source is asked."""
    async with begin(database) as work:
        due = await import_store.due_imports(work.connection, MOST_LOOKS, LEASE_SECONDS)
    for one in due:
        if not one.is_awaited:
            continue
        try:
            await _recheck(office, database, verifier, one, every)
        except Exception as fault:
            if is_passing(fault):
                raise
            # One that cannot be looked at keeps nobody from the others.
            log.warning("import not looked at", fault=name_of(fault))
            await _put_off(database, one, every)
    return len(due)


async def _put_off(database: Database, due: Due, every: timedelta) -> None:
    async with begin(database) as work:
        imported = await import_store.locked_import(work.connection, due.imported.learner_id, due.imported.import_id)
        if imported is not None and is_as_seen(imported, due.imported):
            later = replace(imported, checks=imported.checks + 1, next_check_at=datetime.now(UTC) + every)
            await import_store.change_imports(work.connection, [later])


async def _recheck(office: Office, database: Database, verifier: Verifier, due: Due, every: timedelta) -> None:
    imported, person, now = due.imported, _whose(office, due), datetime.now(UTC)
    terms = Terms(now, frozenset(), None if person is None else Person(*person))
    judgement, carried = await _asked(verifier, imported, terms)
    async with begin(database) as work:
        await record_recheck(office, work, imported, Look(judgement, carried, now, every, person))


async def _asked(verifier: Verifier, imported: Import, terms: Terms) -> tuple[Judgement, bytes]:
    if imported.brought is not None:
        return await verifier.judge(imported.brought, terms)
    issuer = "" if imported.badge is None else imported.badge.issuer
    return await verifier.ask_again(watch_in(imported), issuer, terms.now), b""


async def record_recheck(office: Office, work: Work, seen: Import, look: Look) -> None:
    """Keep what another look at an import found; a badge that its issuer withdrew takes with it what stands on it."""
    await office.catalogue(work.connection)  # before the learner is locked
    imported = await import_store.locked_import(work.connection, seen.learner_id, seen.import_id)
    if imported is None or not is_as_seen(imported, seen):
        return
    if imported.state == "unclear":
        asked = replace(imported, checks=imported.checks + 1, person=look.person, cause=None)
        after = await _cleared(office, work, asked, look)
    else:
        after = await _looked_at(office, work, imported, look)
    if after.state == "counting" and after.watch is None:
        after = await tell_watch(office, work, after)
    after = replace(after, checked_at=look.at, next_check_at=next_look(after, look.at, look.every))
    await import_store.change_imports(work.connection, [after])
    tell_refusals(work, [after])


async def _cleared(office: Office, work: Work, imported: Import, look: Look) -> Import:
    """An import that nobody could tell about, after another look."""
    found = decide_import(look.judgement, office.deployment.addresses)
    if isinstance(found, NotImported):
        return refused(imported, found)
    if found is None:
        return imported if imported.checks < MOST_RETRIES else refused(imported, _NEVER_CLEAR)
    if imported.person is None:
        return unbound(imported)
    genuine = replace(imported, state="genuine", badge=found, brought=look.carried)
    return refused(imported, _TWIN) if await import_store.import_twin(work.connection, genuine) else genuine


async def _looked_at(office: Office, work: Work, imported: Import, look: Look) -> Import:
    """An import that counts, or did, after another look."""
    found = decide_recheck(imported, look.judgement, look.at)
    if imported.state == "counting" and found not in ("holds", "unknown"):
        await _discount(office, work, [(imported, found, look.at)])
        lost = replace(imported, state="lost", cause=found, counted_by=None)
        return lost if lost.later is None else renewed(lost, lost.later)
    if imported.state == "lost" and imported.later is not None:
        return renewed(imported, imported.later)
    if imported.state == "lost" and found == "holds":
        again = replace(_counting(imported), checked_at=look.at)
        await _count(office, work, [again])
        return again
    return imported


def _whose(office: Office, due: Due) -> tuple[str, str] | None:
    """To whom an import should be awarded: what was said, else the learner's own address where the badge names it."""
    imported, known = due.imported, due.email_digest
    if imported.person is not None or imported.state != "unclear" or known is None:
        return imported.person
    for address in addresses_named(imported.brought or b""):
        digest = email_digest(office.deployment.pepper, imported.learner_id, address)
        if hmac.compare_digest(digest, known):
            return "email", address
    return None


def _is_theirs(office: Office, imported: Import, known: bytes | None) -> bool:
    if imported.person is None or known is None or imported.person[0] not in ("email", "emailAddress"):
        return False
    return hmac.compare_digest(email_digest(office.deployment.pepper, imported.learner_id, imported.person[1]), known)


def _counting(imported: Import) -> Import:
    revision = imported.revision + 1
    # A push that was taken back may come again under the same id, and begins at the first revision again.
    counted_by = uuid5(imported.import_id, f"counts {revision} {imported.digest} {imported.asked_at.isoformat()}")
    return watched(
        replace(imported, state="counting", revision=revision, counted_by=counted_by, cause=None, person=None)
    )


async def _count(office: Office, work: Work, counted: Sequence[Import]) -> None:
    """Tell of imports that count, and keep them as facts: each since it was found genuine here."""
    facts: list[NewFact] = []
    for imported in counted:
        counted_by = imported.counted_by
        assert counted_by is not None
        told = word_on(imported, sealed_watch(office.watch_secret, imported))
        tell_word(work, told, counted_by, imported.checked_at, imported.traceparent)
        facts += facts_told(told, counted_by, imported.checked_at, imported.traceparent)
    await keep_facts(office, work, facts)


async def _discount(office: Office, work: Work, lost: Sequence[tuple[Import, LossCause, datetime]]) -> None:
    """Tell that imports do not count any more, and void their facts: the loss cascades by `on_loss` (B4)."""
    voids: list[NewVoid] = []
    for imported, cause, at in lost:
        badge, counted_by = imported.badge, imported.counted_by
        assert badge is not None
        assert counted_by is not None
        told = ImportedBadgeWithdrawn(
            import_id=imported.import_id, learner_id=imported.learner_id, supersedes=counted_by, cause=cause
        )
        event_id = uuid5(counted_by, "withdrawn")
        tell_word(work, told, event_id, at)
        voids += (
            NewVoid(imported.learner_id, _IMPORTED, name, counted_by, event_id, at)
            for name in objects_of(badge.issuer, badge.achievement)
        )
    await void_facts(office, work, voids)
