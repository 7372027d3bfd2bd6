"""What may be wrong with the results that a draft describes, and with the badges of others that it accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from libs.common.contracts import AchievementPublished
from libs.common.contracts.requirement import AssessmentRequired, BadgeRequired, CreditsRequired, Requirement
from libs.common.contracts.results import ResultDescribed
from services.enrollment.model import Fault

MOST_ACCEPTED = 50
MOST_RESULTS = 20
_LEVELLED = ("RubricCriterionLevel", "LetterGrade")


def faults_of_results(draft: AchievementPublished, parts: Iterable[tuple[str, Requirement]]) -> Iterator[Fault]:
    """Results that no badge could ever tell, or in more than one way."""
    asked = {part.assessment_id for _, part in parts if isinstance(part, AssessmentRequired)}
    seen: set[str] = set()
    if len(draft.results) > MOST_RESULTS:
        yield Fault("/results", f"expected at most {MOST_RESULTS}, found {len(draft.results)}")
    for index, described in enumerate(draft.results):
        pointer = f"/results/{index}"
        if described.result_id in seen:
            yield Fault(f"{pointer}/result_id", f"expected each id once, found {described.result_id!r} again")
        seen.add(described.result_id)
        if described.assessment_id not in asked:
            detail = f"expected an assessment that the requirement mentions, found {described.assessment_id!r:.80}"
            yield Fault(f"{pointer}/assessment_id", detail)
        yield from _faults_of_scale(described, pointer)


def _faults_of_scale(described: ResultDescribed, pointer: str) -> Iterator[Fault]:
    low, high = described.value_min or Decimal(0), described.value_max
    if described.type == "RawScore" and high is not None and high <= low:
        yield Fault(f"{pointer}/value_max", f"expected more than {low}, found {high}")
    if described.type in _LEVELLED and not described.levels:
        yield Fault(f"{pointer}/levels", f"expected levels, low to high, for {described.type}, found none")
    if described.type not in _LEVELLED and described.levels:
        yield Fault(f"{pointer}/levels", f"expected no levels for {described.type}")
    ids = [level.level_id for level in described.levels]
    starts = [level.at_least for level in described.levels]
    if len(set(ids)) < len(ids) or any(before >= after for before, after in pairwise(starts)):
        yield Fault(f"{pointer}/levels", "expected each level once, and each to ask for more than the one before it")
    if described.required_level is not None and described.required_level not in ids:
        yield Fault(f"{pointer}/required_level", f"expected one of the levels, found {described.required_level!r}")


def faults_of_accepted(part: Requirement, pointer: str) -> Iterator[Fault]:
    """What is wrong with the badges of other issuers that one part of a tree accepts (B12)."""
    if not isinstance(part, BadgeRequired | CreditsRequired):
        return
    if len(part.accepts) > MOST_ACCEPTED:
        yield Fault(f"{pointer}/accepts", f"expected at most {MOST_ACCEPTED}, found {len(part.accepts)}")
    seen: set[tuple[str, str | None]] = set()
    for index, accepted in enumerate(part.accepts):
        name = (accepted.issuer, accepted.achievement)
        if name in seen:
            yield Fault(f"{pointer}/accepts/{index}", "expected each issuer and achievement once, found it again")
        seen.add(name)
        if isinstance(part, CreditsRequired) and accepted.credits is None:
            yield Fault(f"{pointer}/accepts/{index}/credits", "expected the credits that it adds, found nothing")


def credits_accepted(part: CreditsRequired) -> Decimal | None:
    """The credits that badges of others may add; None where there is no most, as any badge of an issuer counts."""
    if any(accepted.achievement is None for accepted in part.accepts):
        return None
    return sum((accepted.credits or Decimal(0) for accepted in part.accepts), Decimal(0))
