"""What a whole run of ours issues, before the judges of others: their libraries say genuine, and refuse what is not.

@digitalbazaar and @digitalcredentials check proofs and status lists, jose checks tokens (B6, B8; issue 5, Tests).
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.demo.catalogue import ISSUER_ID
from deploy.demo.cohort import example_cohort, learner_id
from deploy.doors import Access
from deploy.local.identity import SCOPES
from libs.common.credentials.contexts import MULTIKEY_V1, PINNED, context
from tests.journeys.stage import badges_of, send, whole_system
from tests.judges.asking import judged

JUDGES = ("digitalbazaar", "digitalcredentials")

Json = dict[str, Any]


class Issued:
    """What a run of ours serves of some badges, as a stranger gets it over HTTP; `records` are CLRs of theirs."""

    def __init__(
        self, credentials: list[bytes], tokens: list[str], documents: dict[str, Json], jwks: Json, records: list[Json]
    ) -> None:
        self.credentials = credentials
        self.tokens = tokens
        self.records = records
        self.documents = documents
        self.jwks = jwks


async def _issued(addresses: list[str], records: list[Json]) -> Issued:
    documents = {url: context(url) for url in PINNED}
    credentials, tokens, jwks = list[bytes](), list[str](), Json()
    async with httpx.AsyncClient() as client:
        for address in addresses:
            content = (await client.get(f"{address}.json")).content
            credentials.append(content)
            credential = json.loads(content)
            issuer = credential["issuer"]["id"]
            host, *path = issuer.removeprefix("did:web:").split(":")
            place = f"http://{host.replace('%3A', ':')}/{'/'.join(path)}"
            _add_keys(documents, (await client.get(f"{place}/did.json")).json())
            for entry in _entries(credential):
                url = entry["statusListCredential"]
                documents[url] = (await client.get(url)).json()
            token = await client.get(f"{address}.jwt")
            if token.status_code == 200:
                tokens.append(token.text)
                jwks = (await client.get(f"{place}/jwks.json")).json()
        for record in records:
            for entry in _entries(record):
                url = entry["statusListCredential"]
                documents[url] = (await client.get(url)).json()
    return Issued(credentials, tokens, documents, jwks, records)


async def _records(access: Access, badges: list[Json]) -> list[Json]:
    """The records of the first learner: of all badges of an issuer, and of each badge with what it stands on."""
    learner = f"{access.urls['awarding']}/learners/{learner_id(1)}"
    places = [f"{learner}/record?issuer={ISSUER_ID}"]
    places += [f"{learner}/badges/{badge['id'].rpartition('/')[2]}/record" for badge in badges]
    found: list[Json] = []
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {access.token}"}, timeout=60) as client:
        for place in places:
            answer = await client.get(place)
            while answer.status_code == 202:
                answer = await client.get(place)
            assert answer.status_code == 200, answer.text
            found.append(answer.json())
    return found


def _entries(credential: Json) -> list[Json]:
    entries = credential.get("credentialStatus", [])
    return entries if isinstance(entries, list) else [entries]


def _add_keys(documents: dict[str, Json], document: Json) -> None:
    documents[document["id"]] = document
    for method in document["verificationMethod"]:
        documents[method["id"]] = {"@context": MULTIKEY_V1, **method}


@pytest.fixture
async def issued(tmp_path: Path) -> AsyncIterator[Issued]:
    """The badges of two learners, earned in a run of the whole system."""
    async with whole_system(tmp_path / "system") as (system, doors):
        await send(example_cohort(), doors)
        own = list((await badges_of(doors, learner_id(1))).values())
        badges = [*own, *(await badges_of(doors, learner_id(2))).values()]
        records = await _records(system.access(SCOPES), own)
        yield await _issued([badge["id"] for badge in badges], records)


async def test_judges_of_others_agree(node: subprocess.Popen[str], issued: Issued) -> None:
    assert len(issued.credentials) >= 8
    for judge in JUDGES:
        for content in issued.credentials:
            credential = json.loads(content)
            answer = judged(node, judge=judge, documents=issued.documents, credential=credential)
            assert answer["verified"], (judge, answer["error"])
            for forged in _forged(credential):
                answer = judged(node, judge=judge, documents=issued.documents, credential=forged)
                assert not answer["verified"], (judge, forged)
    assert any(record["credentialSubject"].get("association") for record in issued.records)
    for record in issued.records:
        subject = record["credentialSubject"]
        cut = {**record, "credentialSubject": {**subject, "verifiableCredential": subject["verifiableCredential"][1:]}}
        for judge in JUDGES:
            answer = judged(node, judge=judge, documents=issued.documents, credential=record)
            assert answer["verified"], (judge, answer["error"])
            assert not judged(node, judge=judge, documents=issued.documents, credential=cut)["verified"], judge
    for token in issued.tokens:
        assert judged(node, judge="jose", jwks=issued.jwks, token=token)["verified"]
        header, payload, signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        claims["credentialSubject"]["achievement"]["name"] = "Better"
        other = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        assert not judged(node, judge="jose", jwks=issued.jwks, token=f"{header}.{other}.{signature}")["verified"]


def _forged(credential: Json) -> list[Json]:
    """The same badge with another name, another holder, another beginning, and a word that nobody defined."""
    subject = credential["credentialSubject"]
    proof = credential["proof"][0]
    return [
        {**credential, "name": "Better"},
        {**credential, "credentialSubject": {**subject, "id": "urn:somebody-else"}},
        {**credential, "validFrom": "2020-01-01T00:00:00Z"},
        {**credential, "proof": [{**proof, "created": "2020-01-01T00:00:00Z"}]},
        {**credential, "unheardOf": "x"},
    ]
