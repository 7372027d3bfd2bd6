"""The whole story: learning events in at one door, signed badges that anybody can verify out at another."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from openbadgeslib.ob2.verifier import OB2Verifier
from openbadgeslib.ob3.ldp import OB3LdpVerifier, OB3VerificationError

from deploy.demo.catalogue import WELCOME
from deploy.demo.cohort import UNKNOWN_LEARNER_ID, example_cohort, learner_id
from deploy.demo.links import broken, links_to_show
from deploy.doors import Doors
from deploy.local.system import System
from deploy.replay.sending import CLOUDEVENTS_BATCH
from tests.journeys.stage import badges_of, send, whole_system

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
# Counted by hand from the cohort: of every six learners these earn it, and there are four times six.
EXPECTED = {
    "First steps": 24,
    "Reading data": 3 * 4,
    "Charts that tell": 1 * 4,
    "Data ethics": 3 * 4,
    "Data literacy": 2 * 4,
    "Data steward": 2 * 4,
}


async def test_the_whole_story(tmp_path: Path) -> None:
    """Issue 3, items 1, 4, 5, 6: badges, their verification, their pages, and one trace through all of it."""
    spans_file = tmp_path / "spans.jsonl"
    async with whole_system(tmp_path / "system", trace_file=spans_file) as (system, doors):
        outcome = await send(example_cohort(), doors)
        assert outcome.badges == EXPECTED
        assert (outcome.sent.parked, outcome.sent.unmapped, outcome.sent.refused) == (1, 1, [])

        badges = await badges_of(doors, learner_id(1))
        assert set(badges) == {
            "first-steps", "reading-data", "charts-that-tell", "data-ethics", "data-literacy", "data-steward",
        }  # fmt: skip
        await _verify_as_a_stranger(badges["data-steward"]["id"])
        await _parked_until_known(doors)
        await _served_well(badges["data-literacy"]["id"])
        for badge in badges.values():
            await _signed_on_request(doors, learner_id(1), badge["id"])
        assert await broken(await links_to_show(system, doors, example_cohort()), print) == []
        await _traced(system, doors, spans_file)


async def _verify_as_a_stranger(url: str) -> None:
    """What an employer's software does: fetch the badge and the issuer's document, and check the proof."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers={"Accept": "application/vc+ld+json"})
        credential = answer.json()
        did = credential["issuer"]["id"]
        host, *path = did.removeprefix("did:web:").split(":")
        document = (await client.get(f"http://{host.replace('%3A', ':')}/{'/'.join(path)}/did.json")).content
    verifier = OB3LdpVerifier.for_issuer_did(did)
    await asyncio.to_thread(verifier.verify, answer.content, download=lambda _: document)
    altered = answer.content.replace(b"Data steward", b"Data steworb")
    assert altered != answer.content
    with pytest.raises(OB3VerificationError):
        await asyncio.to_thread(verifier.verify, altered, download=lambda _: document)


async def _served_well(url: str) -> None:
    """Page, JSON by Accept and by address, the hosted assertion at its own id, and 304."""
    async with httpx.AsyncClient() as client:
        page = await client.get(url, headers={"Accept": "text/html"})
        assert (page.status_code, "Data literacy" in page.text) == (200, True)
        signed = await client.get(url, headers={"Accept": "application/ld+json"})
        assert signed.json()["credentialSubject"]["achievement"]["name"] == "Data literacy"
        assert (await client.get(f"{url}.json")).content == signed.content
        again = await client.get(f"{url}.json", headers={"If-None-Match": signed.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        badge_id = url.rpartition("/")[2]
        hosted = (await client.get(f"{url.removesuffix(f'/badges/{badge_id}')}/ob2/assertions/{badge_id}")).json()
        assert hosted["verification"]["type"] in ("HostedBadge", "hosted")
        assert (await client.get(hosted["id"])).json() == hosted
        badge_class = (await client.get(hosted["badge"])).json()
        assert badge_class["name"] == "Data literacy"
        assert (await client.get(badge_class["issuer"])).json()["id"] == badge_class["issuer"]


async def _signed_on_request(doors: Doors, learner: str, url: str) -> None:
    """Any badge as signed Open Badges 2.0, with the keys that a system is made with (M1.39); others read it."""
    path = f"/learners/{learner}/badges/{url.rpartition('/')[2]}/signed-assertion"
    deadline = time.monotonic() + 30
    while (answer := await doors.post("awarding", path, {})).status_code == 202:
        assert time.monotonic() < deadline
    verifier = OB2Verifier(download=lambda place: httpx.get(place, headers={"Accept": "application/json"}).content)
    found = await asyncio.to_thread(verifier.verify, answer.text, check_revocation=True)
    assert found.id == url.replace("/badges/", "/ob2/assertions/")
    judged = await doors.post_content("verification", "/verifications", answer.content, "text/plain")
    assert judged.json()["answer"] == "genuine", judged.json()["findings"]


async def _parked_until_known(doors: Doors) -> None:
    """What is told of an unknown learner waits, is seen to wait, and counts when the learner is registered."""
    parked = await doors.get("progress", "/events", state="parked")
    assert [event["learner_id"] for event in parked["events"]] == [UNKNOWN_LEARNER_ID]
    await doors.post("enrollment", "/learners", {"learners": [{"learner_id": UNKNOWN_LEARNER_ID}]})
    await _until_held(doors, UNKNOWN_LEARNER_ID, "first-steps")
    assert (await doors.get("progress", "/events", state="parked"))["events"] == []


async def _traced(system: System, doors: Doors, spans_file: Path) -> None:
    """One trace from the ingest call over outbox, Kafka and signing to the kept badge; the page links to it."""
    learner = "example-traced"
    await doors.post("enrollment", "/learners", {"learners": [{"learner_id": learner}]})
    event = {
        "specversion": "1.0", "id": "traced-1", "source": "urn:example:lms", "time": "2026-03-03T09:00:00Z",
        "type": "cairn.activity-completed.v1", "data": {"learner_id": learner, "activity_id": WELCOME},
    }  # fmt: skip
    access = system.access(["events.write"])
    async with httpx.AsyncClient() as client:
        headers = {
            "Authorization": f"Bearer {access.token}",
            "Content-Type": CLOUDEVENTS_BATCH,
            "traceparent": TRACEPARENT,
        }
        answer = await client.post(f"{access.urls['progress']}/events", content=json.dumps([event]), headers=headers)
        assert answer.status_code == 202
        badge = await _until_held(doors, learner, "first-steps")
        assert (await client.get(badge["id"], headers={"Accept": "text/html"})).status_code == 200
    deadline = time.monotonic() + 15
    while missing := _missing(await _spans(spans_file)):
        assert time.monotonic() < deadline, f"expected {missing} in the trace"
        await asyncio.sleep(0.2)


async def _spans(path: Path) -> list[dict[str, Any]]:
    """The spans of all processes so far; they are written in the background."""
    return [orjson.loads(line) for line in (await asyncio.to_thread(path.read_bytes)).splitlines()]


def _missing(spans: list[dict[str, Any]]) -> set[str]:
    """What the trace of our event lacks of its whole way."""
    way = {"cairn-progress POST /events", "cairn-awarding award", "cairn-verification keep badge"}
    missing = way - {f"{span['service']} {span['name']}" for span in spans if span["trace_id"] == TRACE_ID}
    # Between the services runs Kafka: each worker's batch links to, or stands in, the trace of its message.
    batches = [
        span for span in spans if span["name"] == "process" and (span["trace_id"] == TRACE_ID or _links_to(span))
    ]
    missing |= {"cairn-awarding", "cairn-verification"} - {span["service"] for span in batches}
    page = _page_span(spans)
    return missing if page and page["service"] == "cairn-verification" else missing | {"the badge's page"}


def _page_span(spans: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The span of the badge's page: it is tied to our trace by a link."""
    return next((span for span in spans if span["name"] == "GET /badges/{badge_id}" and _links_to(span)), None)


def _links_to(span: dict[str, Any]) -> bool:
    return any(link.startswith(TRACE_ID) for link in span["links"])


async def _until_held(doors: Doors, learner: str, achievement_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        found = await badges_of(doors, learner)
        if achievement_id in found:
            return found[achievement_id]
        assert time.monotonic() < deadline, f"{learner} has no badge of {achievement_id}"
        await asyncio.sleep(0.1)
