"""Achievements share the patterns of their badges: what was fixed is bound, and equals the reference path, byte for
byte, whatever its texts are (architecture, 5; issue 4, "Speed")."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from libs.common.credentials import shape as shape_module
from libs.common.credentials.canonical import canonical_nquads
from libs.common.credentials.documents import assemble, fixed_parts
from libs.common.credentials.issue import Template
from libs.common.credentials.model import (
    AchievementTerms,
    Alignment,
    Claim,
    IssuerProfile,
    ResultDescription,
    RubricLevel,
)
from libs.common.credentials.shape import Patterns, Shapes
from tests.libs.common.credentials.samples import (
    CLAIM,
    FULL_CLAIM,
    FULL_TERMS,
    ISSUER,
    SIGNER,
    TERMS,
    claims,
    iris,
    texts,
)

# Of all examples: a pattern that was compiled for one serves the next.
PATTERNS = Patterns()
unhurried = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

few_iris = iris | st.sampled_from([FULL_TERMS.id, ISSUER.id, FULL_CLAIM.badge_url])
few_texts = texts | st.sampled_from(["Completed", ISSUER.name, "urn:x-compiled-shape:1", "_:c14n0", "en"])
maybe = st.none() | few_texts
issuers = st.builds(
    IssuerProfile,
    id=few_iris,
    name=few_texts,
    url=few_iris,
    open_badge_2_url=few_iris,
    email=st.none() | st.just("badges@ou.example"),
    description=maybe,
    image=st.none() | few_iris,
)
alignments = st.builds(
    Alignment, name=few_texts, url=few_iris, description=maybe, framework=maybe, code=maybe, type=st.none()
)
levels = st.builds(RubricLevel, id=few_iris, name=few_texts, description=maybe, level=maybe, points=maybe)
results = st.builds(
    ResultDescription,
    id=few_iris,
    name=few_texts,
    type=st.just("LetterGrade"),
    allowed_values=st.lists(few_texts, max_size=2).map(tuple),
    required_level=st.none() | few_iris,
    required_value=maybe,
    value_min=maybe,
    value_max=maybe,
    levels=st.lists(levels, max_size=2).map(tuple),
)
terms_of_any_text = st.builds(
    AchievementTerms,
    id=few_iris,
    name=few_texts,
    description=few_texts,
    type=st.sampled_from(["MicroCredential", "LearningProgram", "Award"]),
    criteria_narrative=few_texts,
    criteria_url=few_iris,
    image=few_iris,
    badge_class_url=few_iris,
    version=few_texts,
    language=st.none() | st.sampled_from(["en", "en-GB", "fr", "zh-Hant", "ar"]),
    image_caption=maybe,
    tags=st.lists(few_texts, max_size=3).map(tuple),
    alignments=st.lists(alignments, max_size=2).map(tuple),
    results=st.lists(results, max_size=1).map(tuple),
    human_code=maybe,
    field_of_study=maybe,
    specialization=maybe,
    credits_available=st.none() | st.sampled_from([5.0, 7.5]),
    creator=st.none() | issuers,
)


def both(issuer: IssuerProfile, terms: AchievementTerms, claim: Claim) -> tuple[str, str]:
    """The canonical forms by the shared patterns and by the library."""
    fixed = fixed_parts(issuer, terms)
    document = assemble(fixed, terms.name, claim)
    return Shapes(*fixed.values(), patterns=PATTERNS).canonical(document).text, canonical_nquads(document)


@unhurried
@given(issuers, terms_of_any_text, claims)
@example(ISSUER, FULL_TERMS, FULL_CLAIM)
@example(replace(ISSUER, name="urn:x-compiled-shape:0"), FULL_TERMS, FULL_CLAIM)
def test_whatever_an_achievement_says_equals_the_reference_form(
    issuer: IssuerProfile, terms: AchievementTerms, claim: Claim
) -> None:
    ours, reference = both(issuer, terms, claim)
    assert ours == reference


# One structure: all examples but the first are by a pattern that was made for other texts.
few_levels = tuple(RubricLevel(f"https://a.example/levels/{number}", "Pass") for number in range(2))


@unhurried
@given(
    st.lists(st.tuples(few_texts, few_iris), min_size=2, max_size=2),
    st.lists(few_texts, min_size=6, max_size=6),
    few_iris,
)
def test_texts_that_were_fixed_are_bound_to_one_pattern(
    pairs: list[tuple[str, str]], words: list[str], iri: str
) -> None:
    terms = replace(
        FULL_TERMS,
        id=iri,
        name=words[0],
        description=words[1],
        criteria_narrative=words[2],
        tags=tuple(words[3:5]),
        human_code=words[5],
        alignments=tuple(Alignment(name, url) for name, url in pairs),
    )
    ours, reference = both(ISSUER, terms, FULL_CLAIM)
    assert ours == reference


def many(count: int) -> list[AchievementTerms]:
    """Achievements that differ in their texts and addresses alone."""
    return [
        replace(TERMS, id=f"{TERMS.id}/{number}", name=f"Module {number}", tags=(f"tag {number}", "common"))
        for number in range(count)
    ]


def test_the_library_is_asked_once_for_all_achievements_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(document: dict) -> str:
        asked.append(document["id"])
        return canonical_nquads(document)

    monkeypatch.setattr(shape_module, "canonical_nquads", counted)
    patterns = Patterns()
    issued = [Template(ISSUER, terms, patterns).issue(CLAIM, SIGNER) for terms in many(50)]
    assert all(badge.compiled for badge in issued)
    assert (len(asked), len(patterns)) == (1, 1)
    assert issued == [Template(ISSUER, terms).issue(CLAIM, SIGNER) for terms in many(50)]


def test_patterns_do_not_grow_without_bound() -> None:
    patterns = Patterns(limit=2)
    for terms in (TERMS, FULL_TERMS, replace(TERMS, tags=("one",)), TERMS):
        assert Template(ISSUER, terms, patterns).issue(CLAIM, SIGNER) == Template(ISSUER, terms).issue(CLAIM, SIGNER)
    assert len(patterns) == 2


def test_patterns_are_shared_by_threads() -> None:
    patterns = Patterns(limit=1)
    found: list[bool] = []

    def work(first: int) -> None:
        for number, terms in enumerate(many(40)[first:]):
            own = replace(terms, language="en") if number % 2 else terms
            found.append(Template(ISSUER, own, patterns).issue(CLAIM, SIGNER).compiled)

    threads = [Thread(target=work, args=(first,)) for first in range(0, 20, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40 + 35 + 30 + 25
    assert all(found)


def test_a_pattern_that_cannot_be_bound_is_made_for_its_achievement_alone() -> None:
    # Texts that are alike only here, and one that could be taken for a token.
    alike = replace(TERMS, results=(ResultDescription(TERMS.id + "/r", "Grade", "LetterGrade", ("A", "A")),))
    other = replace(TERMS, results=(ResultDescription(TERMS.id + "/r", "Grade", "LetterGrade", ("A", "B")),))
    for terms in (other, alike, replace(TERMS, name="urn:x-compiled-shape:7")):
        ours, reference = both(ISSUER, terms, CLAIM)
        assert ours == reference
