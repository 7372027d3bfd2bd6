"""Proofs of `ecdsa-sd-2023` of another library: what it issues and derives we believe, and it what ours derives."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from libs.common.credentials.contexts import DID_V1, MULTIKEY_V1, PINNED, context
from libs.common.sandbox import Sandbox
from tests.judges.asking import judged
from tests.libs.common.checking.disclosing import KEY, MANDATORY, OPTIONAL, badge, did_of, issue, parts_of, with_parts
from tests.libs.common.checking.world import World, reasons

Json = dict[str, Any]
SHOWN = [list(OPTIONAL[:count]) for count in range(1, len(OPTIONAL) + 1)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The process in which what strangers wrote is canonicalised."""
    started = Sandbox()
    yield started
    started.close()


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox) -> World:
    """An empty internet."""
    return World(tmp_path / "web", sandbox)


def known() -> dict[str, Json]:
    """The contexts, and the key of the tests' own issuer."""
    did = did_of(KEY)
    multikey = did.removeprefix("did:key:")
    method = {"id": f"{did}#{multikey}", "type": "Multikey", "controller": did, "publicKeyMultibase": multikey}
    controller = {"@context": [DID_V1, MULTIKEY_V1], "id": did, "assertionMethod": [method["id"]]}
    return {
        **{url: context(url) for url in PINNED},
        did: {**controller, "verificationMethod": [method]},
        method["id"]: {"@context": MULTIKEY_V1, **method},
    }


@pytest.mark.parametrize("results", ["cd", "cc"], ids=["told apart", "alike"])
async def test_what_another_library_derives_is_genuine(node: subprocess.Popen[str], world: World, results: str) -> None:
    mandatory = [pointer for pointer in MANDATORY if pointer[1:].partition("/")[0] in badge()]
    answer = judged(
        node, judge="issuer", documents=known(), credential=badge(results=results), mandatory=mandatory, optional=SHOWN
    )
    assert "error" not in answer, answer["error"]
    assert len(answer["derived"]) == len(SHOWN)
    for document in answer["derived"]:
        judgement = await world.judge(json.dumps(document).encode())
        assert judgement.authentic == "pass", reasons(judgement)
        for forged in _forged(document):
            judgement = await world.judge(json.dumps(forged).encode())
            assert (judgement.answer, judgement.shown) == ("not-genuine", None)
    assert reasons(await world.judge(json.dumps(answer["base"]).encode()))["proof"] == ("fail", "base-proof")


def _forged(document: Json) -> Iterator[Json]:
    """The same with another name, another holder, another tag, another beginning, a signature less, and names mixed."""
    subject, parts = document["credentialSubject"], parts_of(document)
    achievement = subject["achievement"]
    yield {**document, "name": "Better"}
    yield {**document, "credentialSubject": {**subject, "id": "urn:somebody-else"}}
    yield {**document, "credentialSubject": {**subject, "achievement": {**achievement, "tag": ["best"]}}}
    yield {**document, "validFrom": "2020-01-01T00:00:00Z"}
    yield with_parts(document, [*parts[:2], parts[2][:-1], *parts[3:]])
    yield with_parts(document, [*parts[:3], dict.fromkeys(parts[3], bytes(32)), parts[4]])


def test_another_library_believes_what_ours_derives(node: subprocess.Popen[str]) -> None:
    """So the issuer of our own tests does as the standard says."""
    issued = issue(badge())
    for pointers in SHOWN:
        document = issued.derived(*pointers)
        answer = judged(node, judge="selective", documents=known(), credential=document)
        assert answer["verified"], answer["error"]
        assert not judged(node, judge="selective", documents=known(), credential={**document, "name": "x"})["verified"]
