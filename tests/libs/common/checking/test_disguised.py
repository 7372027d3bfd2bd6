"""What a holder rewrites so that the signed statements stay and the rules read less: refused, never genuine (SR-9)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from libs.common.credentials.canonical import NotCanonical, canonical_nquads
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from tests.libs.common.checking.test_status import ISSUER, LIST, credential, listed, signed
from tests.libs.common.checking.world import World, reasons
from tests.services.verification.support import KEY

CREDENTIALS = "https://www.w3.org/2018/credentials#"
STAMP = "http://www.w3.org/2001/XMLSchema#dateTime"
ENDED = "2026-02-01T00:00:00Z"


@pytest.fixture
def web(world: World) -> World:
    """A college that withdrew its badge."""
    keys = [PublishedKey(LocalSigner(KEY, ISSUER).public_key)]
    world.put("https://college.example/.well-known/did.json", did_document(ISSUER, keys))
    world.put(LIST, signed(listed(7)))
    return world


def badge() -> dict[str, Any]:
    """A badge that was withdrawn and has ended."""
    unsigned = {name: told for name, told in json.loads(credential()).items() if name != "proof"}
    return json.loads(signed({**unsigned, "validUntil": ENDED}))


def moved(document: dict[str, Any], **names: str) -> dict[str, Any]:
    """The document with its members under other names."""
    return {names.get(name, name): told for name, told in document.items()}


def by_iri(document: dict[str, Any]) -> dict[str, Any]:
    changed = moved(document, credentialStatus=CREDENTIALS + "credentialStatus", validUntil=CREDENTIALS + "validUntil")
    return {**changed, CREDENTIALS + "validUntil": {"@type": STAMP, "@value": ENDED}}


def by_prefix(document: dict[str, Any]) -> dict[str, Any]:
    return {**moved(document, credentialStatus="cred:credentialStatus"), "@context": [*document["@context"]]}


def within(name: str) -> Any:
    """The status and the end put into another place of JSON-LD."""

    def rewritten(document: dict[str, Any]) -> dict[str, Any]:
        hidden = {part: document[part] for part in ("credentialStatus", "validUntil")}
        return {**{part: told for part, told in document.items() if part not in hidden}, name: hidden}

    return rewritten


def by_evidence(document: dict[str, Any]) -> dict[str, Any]:
    hidden = {part: document.pop(part) for part in ("credentialStatus", "validUntil")}
    return {**document, "evidence": [{"id": document["id"], "type": ["VerifiableCredential"], **hidden}]}


REWRITTEN = (
    by_iri,
    by_prefix,
    *map(within, ("@graph", "@included", "@nest", "@reverse", "@index", "@set", "@list", "@value", "@id")),
    by_evidence,
    lambda document: moved(document, id="@id"),
    lambda document: moved(document, type="@type"),
    lambda document: {**document, "credentialStatus": moved(document["credentialStatus"], id="@id")},
    lambda document: {**document, "issuer": moved(document["issuer"], id="@id")},
    lambda document: {**document, "validUntil": {"@type": STAMP, "@value": ENDED}},
    lambda document: {**document, "validUntil": {"@value": ENDED}},
    lambda document: {**document, "expirationDate": None},
)


@pytest.mark.parametrize("rewritten", REWRITTEN)
async def test_a_holder_hides_no_revocation_and_no_end(web: World, rewritten: Any) -> None:
    assert (await web.judge(orjson.dumps(badge()))).answer == "not-genuine"
    document = rewritten(badge())
    judgement = await web.judge(orjson.dumps(document))
    assert judgement.answer == "not-genuine"
    assert judgement.authentic != "pass"  # not even as something that was withdrawn: nobody signed it so
    with pytest.raises(NotCanonical) as refused:
        canonical_nquads({name: told for name, told in document.items() if name != "proof"})
    assert refused.value.reason in ("disguised-term", "keyword", "undefined-term", "json-ld")


async def test_the_reason_is_said_in_words(web: World) -> None:
    judgement = await web.judge(orjson.dumps(by_iri(badge())))
    assert reasons(judgement)["schema"] == ("fail", "disguised-term")
    assert "disguised" not in judgement.findings[1].detail


@pytest.mark.parametrize("name", ["endorsement", "verifiableCredential"])
async def test_a_part_is_not_disguised_either(web: World, name: str) -> None:
    """What holds a disguised part is not genuine: neither its own proof nor the one around it has such names."""
    unsigned = {part: told for part, told in json.loads(credential()).items() if part != "proof"}
    del unsigned["credentialStatus"]
    inner = by_iri(badge())
    whole = {**unsigned, name: [inner]} if name == "endorsement" else unsigned
    if name == "verifiableCredential":
        whole["credentialSubject"] = {**unsigned["credentialSubject"], name: [inner]}
    judgement = await web.judge(orjson.dumps({**whole, "proof": badge()["proof"]}))
    assert reasons(judgement)["schema"] == ("fail", "disguised-term")


async def test_a_status_list_hides_no_end(web: World) -> None:
    old = json.loads(signed(listed(8, days=-1)))
    until = old.pop("validUntil")
    web.put(LIST, {**old, CREDENTIALS + "validUntil": {"@type": STAMP, "@value": until}})
    assert reasons(await web.judge(credential()))["status"] == ("fail", "status-forged")


async def test_an_old_badge_hides_no_end_by_an_empty_one(web: World) -> None:
    """`validUntil: null` is no statement, so that a holder may add it: what counts is the end that was signed."""
    unsigned = {name: told for name, told in json.loads(credential()).items() if name not in ("proof", "validFrom")}
    begun = (datetime.now(UTC) - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    old = {
        **unsigned, "@context": ["https://www.w3.org/2018/credentials/v1", OPEN_BADGES_3],
        "issuanceDate": begun, "expirationDate": begun,
    }  # fmt: skip
    assert CREDENTIALS_V2 not in old["@context"]
    with pytest.raises(NotCanonical, match="disguised-term"):
        canonical_nquads({**old, "validUntil": None})


def test_texts_in_a_language_stay() -> None:
    document = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3], "id": "urn:b", "type": ["VerifiableCredential"],
        "name": [{"@value": "Coaching", "@language": "en"}, {"@value": "Accompagnement", "@language": "fr"}],
    }  # fmt: skip
    assert '"Accompagnement"@fr' in canonical_nquads(document)
