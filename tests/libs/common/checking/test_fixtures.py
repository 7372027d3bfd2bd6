"""Every badge that others made for us, good or bad, gets the verdict that its makers say (issue 5, "Tests")."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.libs.common.checking.world import World, reasons

FIXTURES = Path(__file__).parents[5] / "shared" / "data" / "credentials" / "fixtures"


def cases() -> list[Any]:
    """Each fixture that decides something, with the folder of its kind."""
    found: list[Any] = []
    for kind in ("ob3", "ob2"):
        path = FIXTURES / kind / "expected.json"
        for case in json.loads(path.read_text()) if path.is_file() else ():
            if "debatable" not in case["tags"]:
                found.append(pytest.param(kind, case, id=f"{kind}:{case.get('file') or case.get('input')}"))
    return found or [pytest.param("", {}, marks=pytest.mark.skip(reason=f"no fixtures at {FIXTURES}"))]


@pytest.mark.parametrize(("kind", "case"), cases())
async def test_a_fixture_gets_its_verdict(world: World, kind: str, case: dict[str, Any]) -> None:
    root = FIXTURES / kind
    for entry in json.loads((root / "world.json").read_text())["map"]:
        url, _, folder = entry.partition("=")
        world.folders[url] = root / folder
    source = case.get("file") or case["input"]
    content = source.encode() if source.startswith("https://") else (root / source).read_bytes()
    judgement = await world.judge(content, recipient=case.get("recipient"))
    assert (judgement.answer == "genuine") is case["verified"], f"{case['why']}: {reasons(judgement)}"
    # Nothing here is out of reach: each case is decided.
    assert judgement.answer != "cannot-tell"
