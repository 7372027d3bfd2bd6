"""Proofs whose holder leaves parts out (`ecdsa-sd-2023`): what is shown is signed, and nothing else is believed.

Open Badges 3.0 Certification 1.2 asks it of verifiers (issue 5; B6).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, derive_private_key

from libs.common.checking.selective import MAX_SIGNATURES
from libs.common.credentials import status_list
from tests.libs.common.checking import disclosing
from tests.libs.common.checking.disclosing import (
    KEY,
    MANDATORY,
    OPTIONAL,
    badge,
    did_of,
    encoded_in,
    issue,
    parts_of,
    with_parts,
)
from tests.libs.common.checking.world import World, judged, reasons

Json = dict[str, Any]
ISSUED = issue(badge())
SHOWN = ISSUED.derived(*OPTIONAL[:3])
TRUSTED = frozenset({did_of(KEY)})


@pytest.mark.parametrize("optional", [(), OPTIONAL, OPTIONAL[:1], OPTIONAL[3:4], OPTIONAL[4:6]], ids=len)
async def test_what_is_shown_is_genuine(world: World, optional: tuple[str, ...]) -> None:
    document = ISSUED.derived(*optional)
    judgement = await world.judge(json.dumps(document).encode())
    assert (judgement.answer, judgement.authentic, judgement.current) == ("cannot-tell", "pass", "unknown"), reasons(
        judgement
    )
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
    assert (judgement.answer, judgement.current) == ("cannot-tell", "unknown")

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
    assert (await judged(world, ISSUED.undisclosed))[:2] == ("fail", "base-proof")


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


async def test_a_damaged_value_is_a_verdict(world: World) -> None:
    assert (await judged(world, with_parts(SHOWN, encoded_in(SHOWN)[:-1])))[:2] == ("fail", "proof-value")


def _with_signatures(count: int) -> list[Any]:
    first, own_key, _, labels, mandatory = parts_of(SHOWN)
    return [first, own_key, [bytes(64)] * count, labels, mandatory]


async def test_more_signatures_than_we_check_leave_the_answer_open(world: World) -> None:
    many = with_parts(SHOWN, _with_signatures(MAX_SIGNATURES + 1))
    assert (await judged(world, many))[:2] == ("unknown", "too-costly")
    most = with_parts(SHOWN, _with_signatures(MAX_SIGNATURES))
    assert (await judged(world, most))[:2] == ("fail", "statements")
