"""May a version be published without a rehearsal, or because of one (B3)?"""

from __future__ import annotations

from datetime import datetime, timedelta

from libs.common.contracts import AchievementPublished, RehearsalCompleted
from libs.common.contracts.enrollment import meaning_digest
from services.enrollment.model import Fault, NotPublished, RehearsalPolicy


def needs_rehearsal(draft: AchievementPublished, latest: AchievementPublished | None, policy: RehearsalPolicy) -> bool:
    """Whether a draft may change what recorded facts mean, so that the policy demands that it was tried on them."""
    if policy.demanded == "never":
        return False
    if latest is not None and meaning_digest(draft) == meaning_digest(latest):
        return False
    if policy.demanded == "always":
        return True
    return latest is not None and draft.on_new_version != "grandfather"


def decide_rehearsal(
    draft: AchievementPublished,
    latest: AchievementPublished | None,
    rehearsal: RehearsalCompleted | None,
    policy: RehearsalPolicy,
    at: datetime,
) -> NotPublished | None:
    """Why the last rehearsal of a draft that needs one does not allow it, or None. `at` is now.

    It must be of the same meaning, on top of the same version, not too old, and within its own limits and ours.
    """
    digest = meaning_digest(draft)
    if rehearsal is None:
        return _refused("Rehearsal needed", digest, "a rehearsal of this draft", "none", policy)
    published = None if latest is None else latest.version
    if rehearsal.against_version != published:
        found = f"one on top of version {rehearsal.against_version}"
        return _refused("Rehearsal is outdated", digest, f"a rehearsal on top of version {published}", found, policy)
    if rehearsal.rehearsed_at + timedelta(seconds=policy.valid_seconds) < at:
        found = f"one of {rehearsal.rehearsed_at.isoformat(timespec='seconds')}"
        return _refused("Rehearsal is outdated", digest, f"a rehearsal not before {_since(policy, at)}", found, policy)
    gain, lose = rehearsal.gain + rehearsal.gain_above, rehearsal.lose + rehearsal.lose_above
    if not rehearsal.within_limits:
        limits = f"{_plain(rehearsal.most_gain)} gained and {_plain(rehearsal.most_lose)} lost"
        expected = f"a rehearsal within its own limits, {limits}"
        return _refused("Beyond the limit", digest, expected, f"{gain} gained, {lose} lost", policy)
    if gain > policy.most_gain or lose > policy.most_lose:
        expected = f"at most {policy.most_gain} badges gained and {policy.most_lose} lost"
        return _refused("Beyond the limit", digest, expected, f"{gain} gained, {lose} lost", policy)
    return None


def _refused(title: str, digest: str, expected: str, found: str, policy: RehearsalPolicy) -> NotPublished:
    how = (
        f"Send the same draft to awarding, POST /achievements/{{id}}/rehearsal, and publish within"
        f" {policy.valid_seconds:g} s; or publish with `override` and a reason (scope catalogue.override)"
    )
    return NotPublished(409, title, (Fault("/requirement", f"expected {expected}, found {found}; {digest}. {how}"),))


def _since(policy: RehearsalPolicy, at: datetime) -> str:
    return (at - timedelta(seconds=policy.valid_seconds)).isoformat(timespec="seconds")


def _plain(limit: int | None) -> str:
    return "any number" if limit is None else str(limit)
