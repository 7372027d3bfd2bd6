"""The catalogue as awarding uses it: from what a fact or a badge is about to the achievements that mention it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from libs.common.contracts import AchievementPublished, IssuerPublished
from services.awarding.model import About, Held
from services.awarding.rules.tree import Node, compiled, fragile_in, pathways_in

RENEWAL_OPENS_DAYS: Final = 90


@dataclass(frozen=True, slots=True)
class Achievement:
    """One published version, with its requirement ready to be evaluated.

    `hopeful` is met whenever `tree` was met at any time, and is as quick to ask. `object_ids` are those of the facts
    that it mentions, sorted, as one text with spaces between: ids hold none. Of what is `fragile`, a further fact may
    undo what was met: only the latest attempt counts. `milestones` are the ids of the steps so marked.
    """

    published: AchievementPublished
    tree: Node
    hopeful: Node
    object_ids: str
    fragile: frozenset[About]
    milestones: frozenset[str]

    @classmethod
    def of(cls, published: AchievementPublished) -> Achievement:
        """The achievement as it was published."""
        requirement = published.requirement
        tree = compiled(requirement)
        object_ids = " ".join(sorted({object_id for _, object_id in tree.mentions}))
        steps = (step for pathway in pathways_in(tree) for step in pathway.steps)
        milestones = frozenset(step.step_id for step in steps if step.milestone)
        return cls(published, tree, compiled(requirement, hopeful=True), object_ids, fragile_in(tree), milestones)

    @property
    def achievement_id(self) -> str:
        """Which achievement it is a version of."""
        return self.published.achievement_id

    @property
    def version(self) -> int:
        """Its number, from 1."""
        return self.published.version

    @property
    def renewal_opens(self) -> timedelta:
        """How long before its end a badge may be renewed: always less than its time, so that what earned it does not
        renew it as well."""
        wanted, lasts = self.published.renewal_opens_days, self.published.valid_for_days or 1
        return timedelta(days=min(RENEWAL_OPENS_DAYS if wanted is None else wanted, lasts - 1))


@dataclass(frozen=True, slots=True)
class Lineage:
    """All versions of one achievement, rising, and what they say together.

    It `is_plain` where there is one version, whose badges are valid for ever. A badge of `settled_version` or a later
    one has no other version to follow. `milestones` are those of all versions, as (version, step id).
    """

    versions: tuple[Achievement, ...]
    is_plain: bool
    settled_version: int
    opens_days: int
    object_ids: str
    fewest: int
    mentions: frozenset[About]
    badges: frozenset[str]
    milestones: frozenset[tuple[int, str]]

    @classmethod
    def of(cls, versions: Iterable[Achievement]) -> Lineage:
        """The lineage of these versions, in any order."""
        rising = tuple(sorted(versions, key=lambda version: version.version))
        if len(rising) == 1:
            object_ids = rising[0].object_ids
        else:
            object_ids = " ".join(sorted({word for version in rising for word in version.object_ids.split()}))
        taking = [version.version for version in rising[1:] if version.published.on_new_version != "grandfather"]
        return cls(
            versions=rising,
            is_plain=len(rising) == 1 and rising[0].published.valid_for_days is None,
            settled_version=taking[-1] if taking else 1,
            opens_days=max(version.renewal_opens.days for version in rising),
            object_ids=object_ids,
            fewest=min(version.tree.fewest for version in rising),
            mentions=frozenset[About]().union(*(version.tree.mentions for version in rising)),
            badges=frozenset[str]().union(*(version.tree.badges for version in rising)),
            milestones=frozenset((version.version, name) for version in rising for name in version.milestones),
        )

    def is_settled(self, given: Iterable[Held]) -> bool:
        """Whether nothing more can be earned beside these badges of the achievement: no other version, no renewal."""
        return any(
            not held.is_over and held.valid_until is None and held.version >= self.settled_version for held in given
        )

    def started_by(self, first: datetime) -> Achievement:
        """The version that someone started who began at the instant `first`: the newest published by then, or the
        first of all."""
        found = [version for version in self.versions if version.published.published_at <= first]
        return found[-1] if found else self.versions[0]

    def line_from(self, started: Achievement) -> tuple[Achievement, ...]:
        """The version started, and the later ones that take everyone along (`upgrade` or `re-evaluate`), rising.

        A `grandfather` version leaves everyone where they are; the last of the line is the one that judges.
        """
        return (started, *(later for later in self._after(started.version) if _takes_along(later)))

    def closed_at(self, version: int) -> datetime | None:
        """When a later version took everyone along, so that nothing that occurred since counts for this one."""
        return next((later.published.published_at for later in self._after(version) if _takes_along(later)), None)

    def newest_taking(self) -> Achievement | None:
        """The newest version that took everyone along, or None."""
        return next((version for version in reversed(self.versions[1:]) if _takes_along(version)), None)

    def judged_anew_by(self, version: int) -> Achievement | None:
        """The last of the later versions that say `re-evaluate`: badges of this version have to meet it as well."""
        anew = [later for later in self._after(version) if later.published.on_new_version == "re-evaluate"]
        return anew[-1] if anew else None

    def _after(self, version: int) -> Iterable[Achievement]:
        return (later for later in self.versions if later.version > version)


def _takes_along(version: Achievement) -> bool:
    return version.published.on_new_version != "grandfather"


@dataclass(frozen=True)
class Catalogue:
    """The newest version of each achievement, and all `versions`, at one revision. It is replaced, never changed.

    `by_about` and `by_badge` name the achievements that mention a fact's object or a badge, in any version, for
    learners may be held to an earlier one; `lineages` are the versions by achievement; `rank` puts what is required,
    in any version, before what requires it (topological order). A further fact about what is `fragile` may cost a
    badge.
    """

    revision: int = 0
    issuers: Mapping[str, IssuerPublished] = field(default_factory=dict[str, IssuerPublished])
    achievements: Mapping[str, Achievement] = field(default_factory=dict[str, Achievement])
    by_about: Mapping[About, tuple[str, ...]] = field(default_factory=dict[About, tuple[str, ...]])
    by_badge: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    rank: Mapping[str, int] = field(default_factory=dict[str, int])
    versions: Mapping[tuple[str, int], Achievement] = field(default_factory=dict[tuple[str, int], Achievement])
    fragile: frozenset[About] = frozenset()
    lineages: Mapping[str, Lineage] = field(default_factory=dict[str, Lineage])

    def with_published(
        self, revision: int, issuers: Iterable[IssuerPublished], achievements: Iterable[AchievementPublished]
    ) -> Catalogue:
        """This catalogue with what was published since, at `revision`. A version that is known stays as it was."""
        newest, versions, lineages = dict(self.achievements), dict(self.versions), dict(self.lineages)
        by_about = {about: set(names) for about, names in self.by_about.items()}
        by_badge = {badge: set(names) for badge, names in self.by_badge.items()}
        changed: dict[str, list[Achievement]] = {}
        for published in achievements:
            name = published.achievement_id
            if (name, published.version) in versions:
                continue
            fresh = versions[name, published.version] = Achievement.of(published)
            changed.setdefault(name, []).append(fresh)
            for about in fresh.tree.mentions:
                by_about.setdefault(about, set()).add(name)
            for badge in fresh.tree.badges:
                by_badge.setdefault(badge, set()).add(name)
        for name, fresh_ones in changed.items():
            before = lineages[name].versions if name in lineages else ()
            lineages[name] = Lineage.of({entry.version: entry for entry in (*before, *fresh_ones)}.values())
            newest[name] = lineages[name].versions[-1]
        return Catalogue(
            revision=revision,
            issuers={**self.issuers, **{issuer.issuer_id: issuer for issuer in issuers}},
            achievements=newest,
            by_about={about: tuple(sorted(names)) for about, names in by_about.items()},
            by_badge={badge: tuple(sorted(names)) for badge, names in by_badge.items()},
            rank=_ranks(versions),
            versions=versions,
            fragile=frozenset[About]().union(*(entry.fragile for entry in versions.values())),
            lineages=lineages,
        )

    def reachable(self, achievement_ids: Iterable[str]) -> set[str]:
        """These achievements and all that their badges may help to earn, directly or through others."""
        found, to_see = set[str](), list(achievement_ids)
        while to_see:
            name = to_see.pop()
            if name not in found:
                found.add(name)
                to_see.extend(self.by_badge.get(name, ()))
        return found & self.achievements.keys()

    def objects_of(self, achievement_ids: Iterable[str]) -> str:
        """The ids of all objects that these achievements mention in any version, as `object_ids` of a lineage."""
        return " ".join(sorted({word for name in achievement_ids for word in self.lineages[name].object_ids.split()}))


def _ranks(versions: Mapping[tuple[str, int], Achievement]) -> dict[str, int]:
    """For each achievement the length of the longest chain of badges below it.

    Enrollment refuses cycles; should one come all the same, its members are ranked from where it was entered.
    """
    needs: dict[str, frozenset[str]] = {}
    for (name, _), achievement in versions.items():
        needs[name] = needs.get(name, frozenset()) | achievement.tree.badges
    ranks: dict[str, int] = {}
    for start in sorted(needs):
        path = [start]
        open_names = {start}
        while path:
            name = path[-1]
            below = needs[name] & needs.keys() if name not in ranks else frozenset[str]()
            missing = sorted(badge for badge in below if badge not in ranks and badge not in open_names)
            if missing:
                path.append(missing[0])
                open_names.add(missing[0])
                continue
            if name not in ranks:
                ranks[name] = 1 + max((ranks.get(badge, 0) for badge in below), default=-1)
            path.pop()
    return ranks
