"""May this version of an achievement be published? A tree that nobody can ever fulfil may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import (
    AtLeast,
    BadgeRequired,
    CreditsRequired,
    Requirement,
    Steps,
    parts_of,
)
from services.enrollment.model import Fault, NotPublished
from services.enrollment.rules.pathways import faults_of_step_ids, faults_of_steps
from services.enrollment.rules.results import credits_accepted, faults_of_accepted, faults_of_results

DEEPEST = 32
MOST_PARTS = 2_000


def decide_version(
    draft: AchievementPublished, latest: AchievementPublished | None, *, version_is_given: bool
) -> AchievementPublished | NotPublished:
    """The latest version itself when the draft changes nothing, else the draft as its next version.

    A version that the caller gives must be the latest, unchanged, or above it.
    """
    if latest is None:
        return draft
    if _content(draft) == _content(latest) and (not version_is_given or draft.version == latest.version):
        return latest
    if draft.version <= latest.version:
        what = "already published with other content" if draft.version == latest.version else "older than the latest"
        detail = f"expected {latest.version + 1} or above, found {draft.version}, which is {what}"
        return NotPublished(409, "Version is taken", (Fault("/version", detail),))
    return draft


def _content(achievement: AchievementPublished) -> dict[str, object]:
    return achievement.model_dump(exclude={"version", "published_at"})


def faults_of_tree(draft: AchievementPublished, published: Sequence[AchievementPublished]) -> tuple[Fault, ...]:
    """Why nobody could earn the draft, each at its place in the tree; empty when all is well.

    `published` are all versions of the whole catalogue: a learner may stay on an earlier one, so a circle through
    any of them is a circle.
    """
    faults = list(_faults_of_size(draft.requirement))
    if faults:
        return tuple(faults)
    needs: dict[str, set[str]] = {}
    worth: dict[str, Decimal] = {}
    for version in published:
        needs.setdefault(version.achievement_id, set()).update(mentioned_achievements(version.requirement))
        worth[version.achievement_id] = max(
            worth.get(version.achievement_id, Decimal(0)), version.credits or Decimal(0)
        )
    for pointer, part in _parts(draft.requirement, "/requirement"):
        faults += _faults_of_part(draft.achievement_id, part, pointer, needs, worth)
        faults += faults_of_accepted(part, pointer)
    faults += faults_of_results(draft, _parts(draft.requirement, ""))
    faults += faults_of_step_ids(_parts(draft.requirement, "/requirement"))
    return tuple(faults)


def faults_of_time(draft: AchievementPublished) -> tuple[Fault, ...]:
    """Whether the time for renewal lies within the time of a badge: what earned it must not renew it as well."""
    opens, lasts = draft.renewal_opens_days, draft.valid_for_days
    if opens is None:
        return ()
    if lasts is None:
        return (Fault("/renewal_opens_days", "expected valid_for_days beside it, found none: nothing expires"),)
    if opens >= lasts:
        return (Fault("/renewal_opens_days", f"expected less than valid_for_days, {lasts}, found {opens}"),)
    return ()


def mentioned_achievements(requirement: Requirement) -> set[str]:
    """The achievements whose badges a tree asks for."""
    return {achievement_id for _, part in _parts(requirement, "") for _, achievement_id in _badges_asked(part, "")}


def _faults_of_size(requirement: Requirement) -> Iterator[Fault]:
    for count, (pointer, _) in enumerate(_parts(requirement, "/requirement"), start=1):
        if pointer.count("/of/") + pointer.count("/steps/") >= DEEPEST:
            yield Fault(pointer, f"expected at most {DEEPEST} levels, found more")
            return
        if count > MOST_PARTS:
            yield Fault("/requirement", f"expected at most {MOST_PARTS} parts, found more")
            return


def _faults_of_part(
    achievement_id: str,
    part: Requirement,
    pointer: str,
    needs: Mapping[str, set[str]],
    worth: Mapping[str, Decimal],
) -> Iterator[Fault]:
    if isinstance(part, AtLeast) and part.n > len(part.of):
        yield Fault(f"{pointer}/n", f"expected at most the number of parts, {len(part.of)}, found {part.n}")
    if isinstance(part, Steps):
        yield from faults_of_steps(part, pointer)
    for place, asked in _badges_asked(part, pointer):
        circle = _way(asked, achievement_id, needs)
        if circle is not None:
            shown = " → ".join([achievement_id, *circle])
            yield Fault(place, f"expected no circle of badges, found {shown}")
        elif asked not in needs:
            yield Fault(place, f"expected a published achievement, found {asked!r}")
    if isinstance(part, CreditsRequired):
        own = sum((worth.get(asked, Decimal(0)) for asked in set(part.achievement_ids)), Decimal(0))
        others = credits_accepted(part)
        most = None if others is None else own + others
        if most is not None and part.at_least > most:
            yield Fault(
                f"{pointer}/at_least", f"expected at most what these badges give, {most}, found {part.at_least}"
            )


def _way(start: str, goal: str, needs: Mapping[str, set[str]]) -> list[str] | None:
    """A shortest way from `start` to `goal` along what each achievement needs, both ends included."""
    ways, seen = [[start]], {start}
    while ways:
        longer: list[list[str]] = []
        for way in ways:
            if way[-1] == goal:
                return way
            for following in sorted(needs.get(way[-1], set()) - seen):
                seen.add(following)
                longer.append([*way, following])
        ways = longer
    return None


def _badges_asked(part: Requirement, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, BadgeRequired):
        yield f"{pointer}/achievement_id", part.achievement_id
    elif isinstance(part, CreditsRequired):
        for index, achievement_id in enumerate(part.achievement_ids):
            yield f"{pointer}/achievement_ids/{index}", achievement_id


def _parts(requirement: Requirement, pointer: str) -> Iterator[tuple[str, Requirement]]:
    """Every part of a tree with its JSON Pointer, the whole first."""
    waiting: list[tuple[str, Requirement]] = [(pointer, requirement)]
    while waiting:
        place, part = waiting.pop()
        yield place, part
        waiting += reversed([(place + step, inner) for step, inner in parts_of(part)])
