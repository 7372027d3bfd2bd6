"""The award itself: from achievements that may have been earned to signed badges that are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid5

from libs.common.contracts import BadgeIssued
from libs.common.messaging.work import Outgoing, Work
from libs.common.telemetry import BADGES, SIGNED, current_traceparent, parent_context, tracer
from services.awarding.handlers.milestones import tell_milestones
from services.awarding.handlers.office import SOURCE, Office, Signers
from services.awarding.handlers.standings import New, Touched, read_standings
from services.awarding.handlers.status_lists import Place, issue_places, map_place
from services.awarding.model import Award, Badge, Fact
from services.awarding.rules.awards import decide_awards
from services.awarding.rules.badge import claim_of
from services.awarding.rules.catalogue import Catalogue, Lineage
from services.awarding.rules.outcome import Record
from services.awarding.store import attempts as attempt_store
from services.awarding.store import badges as badge_store
from services.awarding.store import endorsements as endorsement_store
from services.awarding.store import facts as fact_store
from services.awarding.store import keys as key_store
from services.awarding.store import learners as learner_store

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

# How many endorsements of its achievement a badge carries; all others are served beside it.
MOST_ENDORSEMENTS = 3
# What badges are signed with: keys by issuer, names by learner who chose so, endorsements by achievement version.
Given = tuple[Mapping[str, Signers], Mapping[str, str], Mapping[tuple[str, int], tuple[bytes, ...]]]


async def award_touched(
    office: Office, work: Work, catalogue: Catalogue, touched: Touched, new: New | None = None
) -> list[Award]:
    """Award what is due of the achievements that were touched, and of all that their badges help to earn; answers
    what was due. Milestones that were reached are told.

    The learners must be registered and locked. `new` are the events that came in now; without it all events of the
    learners are walked through again.
    """
    awards = await _award_due(office, work, catalogue, touched, new)
    await tell_milestones(office, work, catalogue, touched, awards)
    return awards


async def _award_due(
    office: Office, work: Work, catalogue: Catalogue, touched: Touched, new: New | None
) -> list[Award]:
    hopeful = await _hopeful(work.connection, catalogue, touched)
    if not hopeful:
        return []
    awards: list[Award] = []
    for standing in await read_standings(work.connection, catalogue, hopeful, new):
        decided = decide_awards(catalogue, standing, office.namespace)
        awards += (award for award in decided if isinstance(award, Award))
    if awards:
        await issue_badges(office, work, catalogue, awards)
    return awards


async def _hopeful(connection: Connection, catalogue: Catalogue, touched: Touched) -> dict[str, set[str]]:
    """The touched achievements that may be due, judged cheaply: most events are done with here."""
    lineages = catalogue.lineages
    pairs = [_pair(learner, name, lineages[name]) for learner, names in touched.items() for name in names]
    if not pairs:
        return {}
    facts = await fact_store.promising_facts(connection, pairs)
    await _leave_telling(connection, catalogue, pairs, facts)
    records = {pair: Record.of(found) for pair, found in facts.items()}
    stacks = [
        (pair.learner_id, pair.achievement_id)
        for pair in pairs
        if lineages[pair.achievement_id].badges and (not pair.fewest or pair[:2] in records)
    ]
    if stacks:
        await _add_held(connection, catalogue, records, stacks)
    hopeful: dict[str, set[str]] = {}
    for (learner, name), record in records.items():
        if any(version.hopeful.met(record) for version in lineages[name].versions):
            hopeful.setdefault(learner, set()).add(name)
    return hopeful


async def _leave_telling(
    connection: Connection,
    catalogue: Catalogue,
    pairs: Sequence[fact_store.Pair],
    facts: dict[tuple[str, str], list[Fact]],
) -> None:
    """Where there are many facts, put those in their place that tell of all."""
    crowded = [pair for pair in pairs if len(facts.get(pair[:2], ())) >= pair.fewest + fact_store.MANY]
    if not crowded:
        return
    mentions = {pair[:2]: catalogue.lineages[pair.achievement_id].mentions for pair in crowded}
    wanted = {(learner, about) for (learner, _), abouts in mentions.items() for about in abouts}
    spans = [attempt_store.Span(learner, about, None, None) for learner, about in sorted(wanted)]
    telling = await attempt_store.telling_facts(connection, spans)
    for (learner, name), abouts in mentions.items():
        facts[learner, name] = [fact for fact in telling.get(learner, ()) if fact.about in abouts]


def _pair(learner_id: str, name: str, lineage: Lineage) -> fact_store.Pair:
    # What requires badges may be renewed by a badge alone, whatever the facts are.
    opens = None if lineage.badges else lineage.opens_days
    return fact_store.Pair(learner_id, name, lineage.object_ids, lineage.fewest, lineage.settled_version, opens)


async def _add_held(
    connection: Connection,
    catalogue: Catalogue,
    records: dict[tuple[str, str], Record],
    stacks: Sequence[tuple[str, str]],
) -> None:
    """Complete the records of achievements that require badges; drop those that are awarded already.

    A badge that is suspended or revoked counts for nothing, and stands in the way of another until it is over.
    """
    wanted = {(learner, badge) for learner, name in stacks for badge in catalogue.lineages[name].badges}
    held = await badge_store.held_badges(connection, wanted | set(stacks))
    for learner, name in stacks:
        badges = held.get(learner, ())
        if catalogue.lineages[name].is_settled(badge for badge in badges if badge.achievement_id == name):
            records.pop((learner, name), None)
        else:
            # As if none of them had ended: what is judged cheaply is judged hopefully.
            standing = {badge.achievement_id: badge for badge in badges if badge.stands}
            records.setdefault((learner, name), Record()).held.update(standing)


async def issue_badges(office: Office, work: Work, catalogue: Catalogue, awards: Sequence[Award]) -> None:
    """Sign, keep and tell these badges; one that is there already stays as it was."""
    issued_by = [catalogue.versions[award.achievement_id, award.version].published.issuer_id for award in awards]
    issuers = set(issued_by)
    now, histories = await key_store.keys_now(work.connection, issuers)
    signers = {name: office.signers(name, histories.get(name, ()), now) for name in issuers}
    names = await learner_store.shown_names(work.connection, {award.learner_id for award in awards})
    versions = {(award.achievement_id, award.version) for award in awards}
    endorsed = await endorsement_store.endorsements_of_versions(work.connection, versions, MOST_ENDORSEMENTS)
    places = await issue_places(office, work, issued_by, signers, now)
    badges = await office.sign(
        lambda: [
            _signed(office, catalogue, award, place, (signers, names, endorsed))
            for award, place in zip(awards, places, strict=True)
        ]
    )
    kept = await badge_store.keep_badges(work.connection, badges)
    for badge in badges:
        awarded_at = kept.get(badge.award.badge_id)
        if awarded_at is not None:
            work.tell(_told(badge, awarded_at))
            BADGES.labels("issued").inc()


def _signed(office: Office, catalogue: Catalogue, award: Award, place: Place, given: Given) -> Badge:
    """One signed badge. Its span continues the trace of the event that completed it (B9)."""
    achievement = catalogue.versions[award.achievement_id, award.version]
    issuer = catalogue.issuers[achievement.published.issuer_id]
    signers, names, endorsed = given
    by = signers[issuer.issuer_id]
    attributes = {"cairn.achievement": award.achievement_id, "cairn.badge": str(award.badge_id)}
    with tracer.start_as_current_span("award", parent_context(award.trigger.traceparent), attributes=attributes):
        status = map_place(office, issuer.issuer_id, place)
        claim = claim_of(office.deployment, award, achievement.published, names.get(award.learner_id), status)
        # A badge may be valid since long before its key: the proof is dated within the key's time, yet by no clock.
        created = max(award.valid_from, by.begins)
        issued = office.template(issuer, achievement, endorsed.get((award.achievement_id, award.version), ())).issue(
            claim, by.proof, created=created, token_signer=by.token
        )
        SIGNED.labels("compiled" if issued.compiled else "library").inc()
        return Badge(
            award,
            issuer.issuer_id,
            issued.credential.decode(),
            issued.open_badge_2.decode(),
            f"sha256:{issued.digest}",
            current_traceparent(),
            issued.credential_jwt,
            place,
        )


def _told(badge: Badge, awarded_at: datetime) -> Outgoing:
    """The badge as it is told: with its bytes, and with all that awarding needs to remember it by (B2)."""
    award = badge.award
    content = BadgeIssued(
        badge_id=award.badge_id,
        learner_id=award.learner_id,
        achievement_id=award.achievement_id,
        version=award.version,
        cycle=award.cycle,
        issuer_id=badge.issuer_id,
        valid_from=award.valid_from,
        valid_until=award.valid_until,
        credential=badge.credential,
        open_badge_2=badge.open_badge_2,
        digest=badge.digest,
        awarded_at=awarded_at,
        evidence_event_ids=tuple(fact.event_id for fact in award.facts),
        evidence_badge_ids=tuple(held.badge_id for held in award.badges),
        trigger_event_id=award.trigger.event_id,
        is_grounded=award.act is None,
        act_id=None if award.act is None else award.act.act_id,
        credential_jwt=badge.credential_jwt,
        status_index=badge.place and badge.place[1],
    )
    return Outgoing(
        topic=BadgeIssued.TOPIC,
        key=str(award.badge_id),
        event_id=uuid5(award.badge_id, "issued"),
        type=BadgeIssued.TYPE,
        source=SOURCE,
        subject=str(award.badge_id),
        # Not the clock: a replay tells the same message.
        time=award.valid_from,
        value=content.model_dump_json(exclude_none=True).encode(),
        traceparent=badge.traceparent,
    )
