"""Documents within a document, endorsements and the badges of a record, hold on their own (OB 3.0, 8.4; CLR 2.0)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from libs.common.credentials.canonical import MAX_BYTES, canonical_nquads
from libs.common.credentials.clr import LearnerRecord, clr_credential
from libs.common.credentials.documents import status_entry
from libs.common.credentials.endorsement import Endorsement, endorsement_credential
from libs.common.credentials.identifiers import hashed_subject, subject_id
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.credentials.model import StatusEntry
from libs.common.credentials.proof import sign, sign_canonical
from libs.common.credentials.shape import Shapes
from libs.common.credentials.status_list import encode, status_list_credential
from tests.libs.common.checking.test_own import CREDENTIAL, DID
from tests.libs.common.checking.world import World, reasons
from tests.services.verification.support import ADDRESSES, KEY, OTHER_KEY, PEPPER, at, profile

SIGNER = LocalSigner(KEY, DID)
SHAPES = Shapes()
FORGED = json.dumps({**json.loads(CREDENTIAL), "name": "Better"}).encode()


def signed(document: dict[str, Any], signer: LocalSigner = SIGNER) -> dict[str, Any]:
    return sign(document, signer, at(0), SHAPES).document


def record(*badges: bytes) -> bytes:
    subject = subject_id(PEPPER, "learner-1", DID)
    made = LearnerRecord(
        url=ADDRESSES.record("1"), name="All of it", issuer=profile(), subject_id=subject,
        recipient=hashed_subject(subject, "00" * 16), valid_from=at(0), badges=badges,
    )  # fmt: skip
    document = clr_credential(made)
    return orjson.dumps(sign_canonical(document, canonical_nquads(document), SIGNER, at(0)))


def endorsed(key: bytes) -> bytes:
    """A badge whose achievement is endorsed by a council; `key` is what the endorsement is signed with."""
    council = "did:web:council.example"
    endorsement = Endorsement(
        url="https://council.example/e/1", open_badge_2_url="https://council.example/ob2/e/1",
        endorser=replace(profile(), id=council, name="Council"), endorsed=ADDRESSES.achievement("coaching", "2"),
        comment="Sound.", valid_from=at(0),
    )  # fmt: skip
    said = signed(endorsement_credential(endorsement), LocalSigner(key, council))
    document = {name: value for name, value in json.loads(CREDENTIAL).items() if name != "proof"}
    document["credentialSubject"]["achievement"]["endorsement"] = [said]
    return orjson.dumps(signed(document))


@pytest.fixture
def web(world: World) -> World:
    """The keys of our issuer and of the council."""
    world.put(f"{ADDRESSES.issuer('prairie')}/did.json", did_document(DID, [PublishedKey(SIGNER.public_key)]))
    council = LocalSigner(KEY, "did:web:council.example")
    world.put(
        "https://council.example/.well-known/did.json",
        did_document("did:web:council.example", [PublishedKey(council.public_key)]),
    )
    return world


async def test_a_record_of_good_badges_is_genuine(web: World) -> None:
    judgement = await web.judge(record(CREDENTIAL))
    assert judgement.answer == "genuine", reasons(judgement)
    assert judgement.standard == "Comprehensive Learner Record 2.0"
    assert judgement.findings[-1].name == "parts"


async def test_a_record_with_a_forged_badge_is_not(web: World) -> None:
    judgement = await web.judge(record(CREDENTIAL, FORGED))
    assert judgement.answer == "not-genuine"
    assert reasons(judgement)["parts"] == ("fail", "part-false")
    assert judgement.shown is None


async def test_a_record_out_of_date_is_genuine_all_the_same(web: World) -> None:
    """What was withdrawn or has ended within it is no forgery, and the sentence says which it is (B6)."""
    place = ADDRESSES.status_list("prairie-revocation-1")
    badge = json.loads(CREDENTIAL)
    for member, told, sentence, check in (
        ({"validUntil": "2026-01-02T00:00:00Z"}, [], "Genuine, but something in it is not in force", "dates"),
        ({"credentialStatus": status_entry(StatusEntry(place, 7))}, [7], "Genuine, but something in it was withdrawn",
         "status"),
    ):  # fmt: skip
        lists = status_list_credential(
            place, DID, "revocation", encode(told), valid_from=at(0), valid_until=datetime(2100, 1, 1, tzinfo=UTC)
        )
        web.put(place, signed(lists))
        part = signed({**{name: value for name, value in badge.items() if name != "proof"}, **member})
        judgement = await web.judge(record(CREDENTIAL, orjson.dumps(part)))
        assert (judgement.answer, judgement.sentence) == ("not-genuine", sentence)
        assert (judgement.authentic, judgement.current) == ("pass", "fail")
        assert list(reasons(judgement)) == [check, "issuer"]
        assert judgement.shown is not None


async def test_a_record_of_hundreds_is_checked_in_full(web: World) -> None:
    """Each badge counts, the last too; more than one record holds are more than are checked (SR-11)."""
    unsigned = {name: value for name, value in json.loads(CREDENTIAL).items() if name != "proof"}
    badges = [orjson.dumps(signed({**unsigned, "id": f"https://badges.example/badges/{n}"})) for n in range(161)]
    whole = record(*badges[:160])
    assert len(whole) > MAX_BYTES
    judgement = await web.judge(whole)
    assert judgement.answer == "genuine", reasons(judgement)
    altered = await web.judge(record(*badges[:159], badges[160].replace(b"badges/160", b"badges/16x")))
    assert reasons(altered)["parts"] == ("fail", "part-false")
    small = [b'{"id":"https://badges.example/badges/%d"}' % number for number in range(501)]
    many = await web.judge(record(*small))
    assert reasons(many)["parts"] == ("unknown", "too-many-parts")


async def test_an_endorsement_counts_with_its_own_proof(web: World) -> None:
    judgement = await web.judge(endorsed(KEY))
    assert judgement.answer == "genuine", reasons(judgement)
    assert reasons(await web.judge(endorsed(OTHER_KEY)))["parts"] == ("fail", "part-false")


async def test_an_endorser_that_is_away_leaves_the_answer_open(web: World) -> None:
    del web.folders["https://council.example"]
    judgement = await web.judge(endorsed(KEY))
    assert judgement.answer == "cannot-tell"
    assert reasons(judgement)["parts"] == ("unknown", "part-unknown")
