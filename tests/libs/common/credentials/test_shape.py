"""The compiled shape equals the reference path, byte for byte, for whatever may be claimed (architecture, 5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from libs.common.credentials.canonical import NotCanonical, canonical_nquads
from libs.common.credentials.documents import assemble, fixed_parts
from libs.common.credentials.model import Claim, Evidence, Result
from libs.common.credentials.shape import Shapes
from tests.libs.common.credentials.samples import CLAIM, FULL_CLAIM, FULL_TERMS, ISSUER, TERMS, claims, texts

FIXED = {terms.id: fixed_parts(ISSUER, terms) for terms in (TERMS, FULL_TERMS)}
SHAPES = {name: Shapes(*fixed.values()) for name, fixed in FIXED.items()}


def unhurried(max_examples: int) -> settings:
    """The first document of each shape takes milliseconds."""
    return settings(max_examples=max_examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def both(claim: Claim, terms_id: str = FULL_TERMS.id) -> tuple[str, str, bool]:
    """The canonical forms by shape and by library, and whether the first was compiled."""
    document = assemble(FIXED[terms_id], "A name", claim)
    by_shape = SHAPES[terms_id].canonical(document)
    return by_shape.text, canonical_nquads(document), by_shape.compiled


@unhurried(150)
@given(claims, st.sampled_from(sorted(FIXED)))
@example(FULL_CLAIM, FULL_TERMS.id)
@example(CLAIM, TERMS.id)
def test_the_compiled_form_is_the_reference_form(claim: Claim, terms_id: str) -> None:
    compiled, reference, _ = both(claim, terms_id)
    assert compiled == reference


@unhurried(60)
@given(st.lists(st.tuples(texts, texts), min_size=3, max_size=3))
def test_labels_of_blank_nodes_follow_the_texts(pairs: list[tuple[str, str]]) -> None:
    # One shape only, so every form but the first comes from what was compiled for other texts.
    claim = replace(
        FULL_CLAIM,
        evidence=tuple(Evidence(name=name) for name, _ in pairs),
        results=tuple(Result(value=value) for _, value in pairs),
    )
    compiled, reference, _ = both(claim)
    assert compiled == reference


few_iris = st.sampled_from([FULL_CLAIM.badge_url, FULL_TERMS.id, "https://a.example/"])
few_texts = st.sampled_from(["Completed", "1"])


@unhurried(150)
@given(
    st.lists(st.builds(Evidence, id=st.none() | few_iris, name=few_texts, genre=few_texts), min_size=2, max_size=3),
    st.lists(st.builds(Result, value=few_texts, status=st.sampled_from(["Completed", "Failed"])), max_size=3),
)
def test_what_is_said_twice_counts_once(evidence: list[Evidence], results: list[Result]) -> None:
    compiled, reference, _ = both(replace(FULL_CLAIM, evidence=tuple(evidence), results=tuple(results)))
    assert compiled == reference


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("plain", {}),
        ("no evidence", {"evidence": ()}),
        ("eight entries", {"evidence": tuple(Evidence(name=f"entry {number}") for number in range(8))}),
        ("an IRI that the library must look at", {"badge_url": "https://a.example/%C3%A9?x=(1)"}),
        ("dot segments", {"badge_url": "https://a.example/x/../y/./z"}),
        ("a text that looks like a format", {"name": "%s %(x)s {0} \\n"}),
        ("a text that looks like a blank node", {"name": "_:c14n0 . _:a"}),
        ("two pieces of evidence at one address", {"evidence": (Evidence("https://a.example/"),) * 2}),
        ("evidence at the badge's own address", {"evidence": (Evidence(FULL_CLAIM.badge_url, name="A name"),) * 2}),
    ],
)
def test_what_is_compiled(why: str, change: dict) -> None:
    compiled, reference, was_compiled = both(replace(FULL_CLAIM, **change))
    assert compiled == reference
    assert was_compiled


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("two results that nothing tells apart", {"results": (Result(value="1"), Result(value="1"))}),
        ("a result that says one thing twice", {"results": (Result(value="Completed", status="Completed"),) * 2}),
    ],
)
def test_what_only_the_library_can_tell_is_left_to_it(why: str, change: dict) -> None:
    compiled, reference, was_compiled = both(replace(FULL_CLAIM, **change))
    assert compiled == reference
    assert not was_compiled


def test_a_fixed_text_that_looks_like_a_token_is_no_slot() -> None:
    terms = replace(TERMS, name="urn:x-compiled-shape:0", description="urn:x-compiled-shape:x:1")
    fixed = fixed_parts(ISSUER, terms)
    document = assemble(fixed, "urn:x-compiled-shape:2", CLAIM)
    by_shape = Shapes(*fixed.values()).canonical(document)
    assert by_shape == (canonical_nquads(document), True)


def test_numbers_of_one_value_and_different_kind_are_different_shapes() -> None:
    for credits_earned in (1, 1.0, 1.5):
        compiled, reference, _ = both(replace(FULL_CLAIM, credits_earned=credits_earned))
        assert compiled == reference


def test_a_text_that_is_no_iri_is_refused_where_one_is_due() -> None:
    document = assemble(FIXED[TERMS.id], "A name", CLAIM)
    SHAPES[TERMS.id].canonical(document)
    with pytest.raises(NotCanonical, match="undefined-term"):
        SHAPES[TERMS.id].canonical({**document, "id": "not absolute"})


def test_shapes_do_not_grow_without_bound() -> None:
    fixed = fixed_parts(ISSUER, TERMS)
    shapes = Shapes(*fixed.values(), limit=2)
    for count in (0, 1, 2, 0):
        claim = replace(CLAIM, evidence=(Evidence(name="An essay"),) * count)
        document = assemble(fixed, "A name", claim)
        assert shapes.canonical(document).text == canonical_nquads(document)
    assert len(shapes) == 2
