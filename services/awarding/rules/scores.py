"""Scores, compared exactly: nothing is divided, nothing is rounded."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact

from libs.common.contracts.progress import Score
from services.awarding.model import Fact

# Scores have at most 20 digits and thresholds 12, so sums and products are exact; were one not, it would raise.
EXACT = Context(prec=80, traps=[Inexact])
_ONE = Decimal(1)


def points_of(score: Score) -> tuple[Decimal, Decimal]:
    """A score as points out of so many, both counted from the minimum of its scale.

    `scaled` wins over `raw`, as it does where scores are told.
    """
    if score.scaled is not None:
        return score.scaled, _ONE
    assert score.raw is not None
    assert score.max is not None
    if not score.min:
        return score.raw, score.max
    return EXACT.subtract(score.raw, score.min), EXACT.subtract(score.max, score.min)


def is_at_least(fact: Fact, ratio: Decimal) -> bool:
    """Whether the score of `fact` is at or above `ratio` (0 to 1) of its scale."""
    if fact.points is None or fact.out_of is None:
        return False
    return fact.points >= EXACT.multiply(ratio, fact.out_of)


def best(facts: Iterable[Fact]) -> Fact | None:
    """The attempt with the highest score (ratios compared crosswise); of equal ones the earliest."""
    found: tuple[Fact, Decimal, Decimal] | None = None
    for fact in sorted(facts, key=lambda fact: (fact.occurred_at, fact.event_id)):
        if fact.points is None or fact.out_of is None:
            continue
        if found is None or EXACT.multiply(fact.points, found[2]) > EXACT.multiply(found[1], fact.out_of):
            found = fact, fact.points, fact.out_of
    return None if found is None else found[0]


def plain(number: Decimal | None) -> str | None:
    """A number as plain decimal text without trailing zeros; equal numbers have equal texts."""
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
