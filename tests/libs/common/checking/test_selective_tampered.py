"""Proofs of `ecdsa-sd-2023` that somebody tampered with are refused, each by its fault (B6)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from libs.common.credentials.canonical import canonical_nquads
from tests.libs.common.checking.disclosing import (
    OPTIONAL,
    badge,
    issue,
    multikey,
    parts_of,
    signature,
    with_parts,
)
from tests.libs.common.checking.world import World, judged

Json = dict[str, Any]
SHOWN = issue(badge()).derived(*OPTIONAL[:3])
OTHER = derive_private_key(7, SECP256R1())


def _tampered(change: Callable[[Json, list[Any]], None]) -> Json:
    document, parts = copy.deepcopy(SHOWN), parts_of(SHOWN)
    change(document, parts)
    return with_parts(document, parts)


def _name(document: Json, parts: list[Any]) -> None:
    document["name"] = "Better"


def _mandatory_name(document: Json, parts: list[Any]) -> None:
    document["credentialSubject"]["achievement"]["name"] = "Better"


def _holder(document: Json, parts: list[Any]) -> None:
    document["credentialSubject"]["id"] = "urn:uuid:8e1a4c3c-2c8c-4f59-9f0b-5a1b6a1c0002"


def _more(document: Json, parts: list[Any]) -> None:
    document["credentialSubject"]["achievement"]["tag"] = ["best"]


def _more_and_signed(document: Json, parts: list[Any]) -> None:
    document["credentialSubject"]["achievement"]["tag"] = ["best"]
    parts[2].append(parts[2][0])


def _more_and_mandatory(document: Json, parts: list[Any]) -> None:
    document["validUntil"] = "2099-01-01T00:00:00Z"
    parts[4].append(max(parts[4]) + 1)


def _less(document: Json, parts: list[Any]) -> None:
    del document["name"]


def _less_of_what_must_be_shown(document: Json, parts: list[Any]) -> None:
    del document["issuer"]["name"]
    parts[4].pop()


def _no_longer_mandatory(document: Json, parts: list[Any]) -> None:
    parts[4].pop()


def _no_longer_mandatory_and_signed(document: Json, parts: list[Any]) -> None:
    parts[4].pop()
    parts[2].append(parts[2][0])


def _none_mandatory(document: Json, parts: list[Any]) -> None:
    parts[4] = []


def _own_key(document: Json, parts: list[Any]) -> None:
    parts[1] = multikey(OTHER)


def _own_key_and_all_it_signs(document: Json, parts: list[Any]) -> None:
    document["name"] = "Better"
    parts[1] = multikey(OTHER)
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    lines = canonical_nquads(unsecured).splitlines(keepends=True)
    parts[2] = [signature(OTHER, line.encode()) for place, line in enumerate(lines) if place not in parts[4]]


def _order(document: Json, parts: list[Any]) -> None:
    parts[2].reverse()


def _base_signature(document: Json, parts: list[Any]) -> None:
    parts[0] = signature(OTHER, b"")


def _created(document: Json, parts: list[Any]) -> None:
    document["proof"]["created"] = "2026-01-06T00:00:00Z"


def _too_few(document: Json, parts: list[Any]) -> None:
    parts[2].pop()


def _too_many(document: Json, parts: list[Any]) -> None:
    parts[2].append(parts[2][0])


def _beyond(document: Json, parts: list[Any]) -> None:
    parts[4].append(1000)


def _below(document: Json, parts: list[Any]) -> None:
    parts[4].append(-1)


def _twice(document: Json, parts: list[Any]) -> None:
    parts[4].append(parts[4][0])


def _not_a_number(document: Json, parts: list[Any]) -> None:
    parts[4].append(True)


def _no_names(document: Json, parts: list[Any]) -> None:
    parts[3] = {}


def _short_name(document: Json, parts: list[Any]) -> None:
    parts[3][0] = b"short"


def _text_as_label(document: Json, parts: list[Any]) -> None:
    parts[3]["c14n0"] = bytes(32)


def _negative_label(document: Json, parts: list[Any]) -> None:
    parts[3][-1] = bytes(32)


def _one_name_for_two(document: Json, parts: list[Any]) -> None:
    parts[3][0] = parts[3][1]


def _names_changed_over(document: Json, parts: list[Any]) -> None:
    parts[3][0], parts[3][1] = parts[3][1], parts[3][0]


@pytest.mark.parametrize(
    ("change", "reason", "found"),
    [
        (_name, "signature", "not signed"),
        (_mandatory_name, "signature", "mandatory statements"),
        (_holder, "signature", "mandatory statements"),
        (_more, "statements", "signatures of statements"),
        (_more_and_signed, "signature", ""),
        (_more_and_mandatory, "signature", "mandatory statements"),
        (_less, "statements", "signatures of statements"),
        (_less_of_what_must_be_shown, "signature", "mandatory statements"),
        (_no_longer_mandatory, "statements", "signatures of statements"),
        (_no_longer_mandatory_and_signed, "signature", "mandatory statements"),
        (_none_mandatory, "statements", "signatures of statements"),
        (_own_key, "signature", "another key"),
        (_own_key_and_all_it_signs, "signature", "another key"),
        (_order, "signature", "not signed"),
        (_base_signature, "signature", "mandatory statements"),
        (_created, "signature", "options"),
        (_too_few, "statements", "signatures of statements"),
        (_too_many, "statements", "signatures of statements"),
        (_beyond, "statements", "found 1000"),
        (_below, "statements", "mandatory index"),
        (_twice, "statements", "mandatory index"),
        (_not_a_number, "statements", "mandatory index"),
        (_no_names, "labels", "_:c14n0"),
        (_short_name, "labels", "32 bytes"),
        (_text_as_label, "labels", "numbers"),
        (_negative_label, "labels", "numbers"),
        (_one_name_for_two, "labels", "another name"),
        (_names_changed_over, "signature", ""),
    ],
)
async def test_tampering_is_refused_by_its_name(
    world: World, change: Callable[[Json, list[Any]], None], reason: str, found: str
) -> None:
    outcome, why, more = await judged(world, _tampered(change))
    assert (outcome, why) == ("fail", reason), more
    assert found in more


async def test_statements_of_two_badges_are_not_mixed(world: World) -> None:
    """Even of one issuer: each badge has names and a key of its own."""
    other = issue(badge(name="Better"))
    document = {**SHOWN, "name": "Better"}
    parts = parts_of(SHOWN)
    parts[2] = parts_of(other.derived(*OPTIONAL[:3]))[2]
    parts[1] = multikey(OTHER)
    assert (await judged(world, with_parts(document, parts)))[:2] == ("fail", "signature")
