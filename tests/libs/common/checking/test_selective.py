"""Proofs whose holder leaves parts out (`ecdsa-sd-2023`): what is shown is signed, and nothing else is believed.

Open Badges 3.0 Certification 1.2 asks it of verifiers (issue 5; B6).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, derive_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.checking.selective import MAX_SIGNATURES, Disclosed, disclosure_fault, read_disclosed
from libs.common.checking.strict import Fault
from libs.common.credentials import status_list
from libs.common.credentials.canonical import MAX_BYTES, canonical_nquads
from tests.libs.common.checking import disclosing
from tests.libs.common.checking.disclosing import (
    BASE,
    KEY,
    MANDATORY,
    OPTIONAL,
    badge,
    did_of,
    encoded_in,
    issue,
    multikey,
    parts_of,
    signature,
    value_of,
    with_parts,
)
from tests.libs.common.checking.world import World, reasons

Json = dict[str, Any]
ISSUED = issue(badge())
SHOWN = ISSUED.derived(*OPTIONAL[:3])
OTHER = derive_private_key(7, SECP256R1())
TRUSTED = frozenset({did_of(KEY)})


async def judged(world: World, document: Json) -> tuple[str, str, str]:
    """Outcome, reason and what was found, of the check of the proof."""
    judgement = await world.judge(json.dumps(document).encode())
    (finding,) = [finding for finding in judgement.findings if finding.name == "proof"]
    assert (judgement.answer == "genuine") == (finding.outcome == "pass"), reasons(judgement)
    assert judgement.shown is None or finding.outcome == "pass"
    return finding.outcome, finding.reason, finding.more


@pytest.mark.parametrize("optional", [(), OPTIONAL, OPTIONAL[:1], OPTIONAL[3:4], OPTIONAL[4:6]], ids=len)
async def test_what_is_shown_is_genuine(world: World, optional: tuple[str, ...]) -> None:
    document = ISSUED.derived(*optional)
    judgement = await world.judge(json.dumps(document).encode())
    assert (judgement.answer, judgement.authentic, judgement.current) == ("genuine", "pass", "pass"), reasons(judgement)
    assert judgement.standard == "Open Badges 3.0"
    assert judgement.shown is not None
    assert (judgement.shown.name, judgement.shown.issuer_name) == ("Badge", "Collège")
    assert {finding.name: finding.reason for finding in judgement.findings if finding.outcome == "pass"}["proof"] == (
        "disclosed"
    )


async def test_a_text_that_looks_like_a_label_stays_as_it_is(world: World) -> None:
    issued = issue(badge(name="Badge _:c14n0 _:c14n99 ."))
    assert (await judged(world, issued.derived("/name", *OPTIONAL[2:4])))[0] == "pass"
    for name in ("Badge _:c14n1 _:c14n99 .", f"Badge _:u{'A' * 43} _:c14n99 ."):
        assert (await judged(world, {**issued.derived("/name"), "name": name}))[:2] == ("fail", "signature")


async def test_a_sentence_claims_no_more_than_is_shown(world: World) -> None:
    """Who may leave parts out may leave out an end, or the list of withdrawn badges (B6)."""
    judgement = await world.judge(json.dumps(SHOWN).encode(), trusted=TRUSTED)
    assert judgement.sentence == "Genuine, as far as its holder shows it"
    found = {finding.name: finding.reason for finding in judgement.findings}
    assert (found["status"], found["dates"]) == ("no-status-shown", "no-end-shown")

    place = "https://college.example/status/1"
    entry = {
        "id": f"{place}#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
        "statusListIndex": "7", "statusListCredential": place,
    }  # fmt: skip
    whole = issue(badge(validUntil="2099-01-05T00:00:00Z", credentialStatus=entry)).derived()
    for revoked, sentence in (([8], "Genuine and current"), ([7], "Genuine, but withdrawn")):
        listed = status_list.status_list_credential(
            place, did_of(KEY), "revocation", status_list.encode(revoked),
            valid_from=disclosing.START, valid_until=disclosing.START.replace(year=2099),
        )  # fmt: skip
        world.put(place, issue(listed, ("/issuer", "/validFrom", "/validUntil", "/credentialSubject")).derived())
        judgement = await world.judge(json.dumps(whole).encode(), trusted=TRUSTED)
        assert judgement.sentence == sentence, reasons(judgement)


async def test_a_base_proof_is_never_to_be_shown(world: World) -> None:
    assert (await judged(world, ISSUED.base))[:2] == ("fail", "base-proof")


@pytest.mark.parametrize("hidden", MANDATORY[5:])
async def test_what_open_badges_requires_must_be_shown(world: World, hidden: str) -> None:
    document = issue(badge(), [pointer for pointer in MANDATORY if pointer != hidden]).derived()
    judgement = await world.judge(json.dumps(document).encode())
    assert judgement.answer != "genuine"
    assert reasons(judgement)["schema"] == ("fail", "missing")
    assert judgement.shown is None


async def test_the_issuers_key_is_p_256(world: World) -> None:
    document = issue(badge(wide := derive_private_key(5, SECP384R1())), key=wide).derived()
    assert (await judged(world, document))[:2] == ("fail", "proof-value")
    short = with_parts(document, [bytes(64), *parts_of(document)[1:]])
    assert (await judged(world, short)) == ("fail", "signature", "expected a P-256 key")


async def test_a_statement_that_need_not_be_shown_may_be_left_out_with_its_signature(world: World) -> None:
    names = {pointer: ISSUED.derived(pointer) for pointer in OPTIONAL}
    assert {len(parts_of(document)[2]) for document in names.values()} >= {1, 2}
    for document in names.values():
        assert (await judged(world, document))[0] == "pass"


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


def _with(place: int, value: object) -> list[Any]:
    parts = parts_of(SHOWN)
    parts[place] = value
    return parts


ENCODED = encoded_in(SHOWN)
HOSTILE = {
    "no text": 5,
    "another multibase": "z" + value_of(ENCODED)[1:],
    "no base64url": "u2V0B*",
    "padding": value_of(ENCODED) + "=",
    "base64": "u2V0B+/8",
    "another alphabet": "u２V0B",
    "nothing": "u",
    "another header": value_of(ENCODED, b"\xd9\x5d\x02"),
    "the header alone": value_of(b""),
    "cut off": value_of(ENCODED[:-1]),
    "cut off early": value_of(ENCODED[:40]),
    "something after it": value_of(ENCODED + b"\x00"),
    "too large": "u" + "A" * MAX_BYTES,
    "an array without end": value_of(b"\x9f" + ENCODED[1:] + b"\xff"),
    "bytes without end": value_of(b"\x85\x5f\x58\x40" + bytes(64) + b"\xff"),
    "an array of more than there is": value_of(b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"),
    "bytes of more than there is": value_of(b"\x85\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"),
    "too deep": value_of(b"\x81" * 50_000 + b"\x00"),
    "a key twice": value_of(b"\x85\x40\x40\x80\xa2\x00\x40\x00\x41\x00\x80"),
    "longer than need be": value_of(b"\x98\x05" + ENCODED[1:]),
    "a tag": value_of(b"\xd8\x40" + ENCODED),
    "a tag that is known": value_of(b"\xd9\xd9\xf7" + ENCODED),
    "a number of astronomic size": value_of(b"\x85\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01"),
    "a map": value_of({"baseSignature": bytes(64)}),
    "four parts": value_of(parts_of(SHOWN)[:4]),
    "six parts": value_of([*parts_of(SHOWN), 0]),
    "a short signature": value_of(_with(0, bytes(63))),
    "a long signature": value_of(_with(2, [bytes(65)])),
    "a text for a signature": value_of(_with(2, ["x" * 64])),
    "a short key": value_of(_with(1, multikey(KEY)[:-1])),
    "a key with more": value_of(_with(1, multikey(KEY) + b"\x00")),
    "a key of another kind": value_of(_with(1, b"\xed\x01" + multikey(KEY)[2:])),
    "a point off the curve": value_of(_with(1, b"\x80\x24\x02" + b"\xff" * 32)),
    "an array for the labels": value_of(_with(3, [])),
    "a map for the indexes": value_of(_with(4, {})),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_value_that_is_none_is_refused(value: object) -> None:
    found = read_disclosed(value)
    assert isinstance(found, Fault)
    assert found.reason == "proof-value", found
    assert found.more


async def test_a_damaged_value_is_a_verdict(world: World) -> None:
    assert (await judged(world, with_parts(SHOWN, ENCODED[:-1])))[:2] == ("fail", "proof-value")


async def test_more_signatures_than_we_check_leave_the_answer_open(world: World) -> None:
    many = with_parts(SHOWN, _with(2, [bytes(64)] * (MAX_SIGNATURES + 1)))
    assert (await judged(world, many))[:2] == ("unknown", "too-costly")


def _fault(document: Json, proof_value: object) -> Fault | None:
    disclosed = read_disclosed(proof_value)
    if isinstance(disclosed, Fault):
        return disclosed
    return disclosure_fault(disclosed, *_texts(document), KEY.public_key())


def _texts(document: Json) -> tuple[str, str]:
    options = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    return canonical_nquads({**options, "@context": document["@context"]}), canonical_nquads(unsecured)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from(OPTIONAL)), st.sets(st.sampled_from(MANDATORY)), st.sampled_from(["cd", "cc"]))
def test_any_part_of_a_badge_can_be_shown(optional: set[str], mandatory: set[str], results: str) -> None:
    """Also of one whose two results cannot be told apart at all."""
    document = issue(badge(results=results), sorted(mandatory | {"/issuer"})).derived(*sorted(optional))
    assert _fault(document, document["proof"]["proofValue"]) is None


TEXTS = _texts(SHOWN)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(ENCODED) - 1), st.integers(1, 255))
def test_every_byte_of_a_proof_counts(place: int, change: int) -> None:
    changed = bytes([*ENCODED[:place], ENCODED[place] ^ change, *ENCODED[place + 1 :]])
    disclosed = read_disclosed(value_of(changed))
    if isinstance(disclosed, Disclosed):
        assert disclosure_fault(disclosed, *TEXTS, KEY.public_key()) is not None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([BASE, disclosing.DERIVED, b""]))
def test_any_bytes_are_read_or_refused(content: bytes, header: bytes) -> None:
    assert isinstance(read_disclosed(value_of(content, header)), Fault)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=70),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 4), _JSON)
def test_any_part_in_the_place_of_another_is_refused_or_proves_nothing(place: int, part: Any) -> None:
    found = read_disclosed(value_of(cbor2.dumps(_with(place, part))))
    if isinstance(found, Disclosed) and part != parts_of(SHOWN)[place]:
        assert disclosure_fault(found, *TEXTS, KEY.public_key()) is not None
