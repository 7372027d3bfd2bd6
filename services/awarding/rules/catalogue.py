"""The catalogue as awarding uses it: from what a fact or a badge is about to the achievements that mention it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from libs.common.contracts import AchievementPublished, IssuerPublished
from services.awarding.model import About
from services.awarding.rules.tree import Node, compiled, fragile_in, pathways_in


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


@dataclass(frozen=True)
class Catalogue:
    """The newest version of each achievement, and all `versions`, at one revision. It is replaced, never changed.

    `by_about` and `by_badge` name the achievements that mention a fact's object or a badge; `rank` puts what is
    required, in any version, before what requires it (topological order). A further fact about what is `fragile` may
    cost a badge.
    """

    revision: int = 0
    issuers: Mapping[str, IssuerPublished] = field(default_factory=dict[str, IssuerPublished])
    achievements: Mapping[str, Achievement] = field(default_factory=dict[str, Achievement])
    by_about: Mapping[About, tuple[str, ...]] = field(default_factory=dict[About, tuple[str, ...]])
    by_badge: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    rank: Mapping[str, int] = field(default_factory=dict[str, int])
    versions: Mapping[tuple[str, int], Achievement] = field(default_factory=dict[tuple[str, int], Achievement])
    fragile: frozenset[About] = frozenset()

    def with_published(
        self, revision: int, issuers: Iterable[IssuerPublished], achievements: Iterable[AchievementPublished]
    ) -> Catalogue:
        """This catalogue with what was published since, at `revision`. An older version replaces no newer one."""
        newest, versions = dict(self.achievements), dict(self.versions)
        by_about = {about: list(names) for about, names in self.by_about.items()}
        by_badge = {badge: list(names) for badge, names in self.by_badge.items()}
        for published in achievements:
            fresh = versions[published.achievement_id, published.version] = Achievement.of(published)
            known = newest.get(published.achievement_id)
            if known is not None and known.version >= published.version:
                continue
            if known is not None:
                _forget(known, by_about, by_badge)
            newest[published.achievement_id] = fresh
            for about in fresh.tree.mentions:
                by_about.setdefault(about, []).append(fresh.achievement_id)
            for badge in fresh.tree.badges:
                by_badge.setdefault(badge, []).append(fresh.achievement_id)
        return Catalogue(
            revision=revision,
            issuers={**self.issuers, **{issuer.issuer_id: issuer for issuer in issuers}},
            achievements=newest,
            by_about={about: tuple(sorted(names)) for about, names in by_about.items()},
            by_badge={badge: tuple(sorted(names)) for badge, names in by_badge.items()},
            rank=_ranks(versions),
            versions=versions,
            fragile=frozenset[About]().union(*(entry.fragile for entry in versions.values())),
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


def _forget(known: Achievement, by_about: dict[About, list[str]], by_badge: dict[str, list[str]]) -> None:
    for about in known.tree.mentions:
        by_about[about].remove(known.achievement_id)
    for badge in known.tree.badges:
        by_badge[badge].remove(known.achievement_id)


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
