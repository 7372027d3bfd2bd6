"""From the command in the how-to to a signed badge: a picture outlives the services that brought it (B6, B8; M1.41)."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import httpx
import orjson

from deploy.demo.cohort import example_cohort, learner_id
from deploy.doors import Doors
from deploy.local.identity import SCOPES
from deploy.local.system import System
from tests.house.tree import ROOT
from tests.journeys.stage import badges_of, rebuild, rows, send, whole_system
from tests.libs.common.pictures.hostile import GOOD

CAPTION = "A heap of three stones"
# A learner who was not there before: who started an earlier version gets the badge of that one (B5).
LATER = "example-99"
WHY = {"reason": "Reviewed by the board.", "evidence": "Minutes of 3 March"}
COMMAND = re.compile(r"^```sh\n(curl.*?)^```", re.MULTILINE | re.DOTALL)


async def test_a_picture_goes_all_the_way_and_stays(tmp_path: Path) -> None:
    async with whole_system(tmp_path / "system") as (system, doors):
        await send(example_cohort(), doors)
        earlier = (await badges_of(doors, learner_id(1)))["first-steps"]
        signed = await _credential(system, earlier["badge_id"])
        version = await _upload(system, tmp_path)
        assert version["picture"]["caption"] == CAPTION

        await doors.post("enrollment", "/learners", {"learners": [{"learner_id": LATER}]})
        await _heard(system)
        await doors.post("awarding", "/badges", {"learner_id": LATER, "achievement_id": "data-ethics", **WHY})
        badge = await _held(doors, LATER, "data-ethics")
        assert badge["version"] == version["version"] == 2
        document = await _credential(system, badge["badge_id"])
        image = orjson.loads(document)["credentialSubject"]["achievement"]["image"]
        assert (image["type"], image["caption"]) == ("Image", CAPTION)
        place = image["id"].partition("/pictures/")[2]
        assert place == f"{version['picture']['digest'].removeprefix('sha256:')}.svg"
        assert await _credential(system, earlier["badge_id"]) == signed

        await rebuild(system, "verification")
        others = [name for name in system.processes if not name.startswith("verification-")]
        for name in others:
            await system.stop_process(name)
        await asyncio.to_thread(system.kafka.stop)
        async with httpx.AsyncClient(base_url=system.urls["verification"], timeout=30) as client:
            served = await client.get(f"/pictures/{place}")
            assert (served.status_code, served.headers["content-type"]) == (200, "image/svg+xml")
            page = await client.get(f"/badges/{badge['badge_id']}", headers={"Accept": "text/html"})
            assert f'<img src="/pictures/{place}" alt="{CAPTION}"' in page.text
        for service in ("progress", "awarding"):
            found = await rows(system, service, "select count(*) as letters from dead_letter")
            assert found[0]["letters"] == 0


async def _upload(system: System, folder: Path) -> dict[str, Any]:
    """Run the command of the how-to, as it stands there."""
    match = COMMAND.search((ROOT / "docs" / "how-to" / "upload-a-picture.md").read_text())
    assert match is not None
    (folder / "badge.svg").write_text(GOOD)
    access = system.access(SCOPES)
    told = {"TOKEN": access.token, "ENROLLMENT": access.urls["enrollment"].rstrip("/"), "ACHIEVEMENT": "data-ethics"}
    process = await asyncio.create_subprocess_exec(
        "sh", "-eu", "-c", match[1], cwd=folder, env={**os.environ, **told, "no_proxy": "*"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    answer, fault = await process.communicate()
    assert process.returncode == 0, fault.decode()
    return orjson.loads(answer)


async def _heard(system: System) -> None:
    """Wait until awarding knows of the version with the picture, and of who is to get its badge."""
    query = f"""select from achievement, learner
                where achievement_id = 'data-ethics' and version = 2 and learner_id = '{LATER}'"""
    for _ in range(300):
        if await rows(system, "awarding", query):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("expected awarding to hear of it")


async def _held(doors: Doors, learner: str, achievement: str) -> dict[str, Any]:
    for _ in range(300):
        found = (await badges_of(doors, learner)).get(achievement)
        if found is not None:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"expected {learner} to hold {achievement}")


async def _credential(system: System, badge_id: str) -> bytes:
    async with httpx.AsyncClient(base_url=system.urls["verification"], timeout=30) as client:
        return (await client.get(f"/badges/{badge_id}.json")).raise_for_status().content
