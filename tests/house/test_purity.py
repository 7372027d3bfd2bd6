"""Rules, models, contracts and credentials only decide (architecture: taste, rule 4)."""

from __future__ import annotations

import pytest

from tests.house.purity import impurities
from tests.house.tree import assert_kept, found


def test_pure_rooms_only_decide() -> None:
    assert_kept(impurities, "services", "libs")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("async def decide_awards(): ...", "if it awaits"),
        ("async def f():\n    await g()", "if it awaits"),
        ("now = datetime.now(UTC)", "reads the clock"),
        ("now = datetime.datetime.utcnow()", "reads the clock"),
        ("on = date.today()", "reads the clock"),
        ("id = uuid.uuid4()", "random id"),
        ("from uuid import uuid4", "random id"),
        ("salt = os.urandom(16)", "random id"),
        ("from os import urandom", "imports `os`"),
        ("key = Ed25519PrivateKey.generate()", "random key"),
        ("import time", "imports `time`"),
        ("def f():\n    import random", "imports `random`"),
        ("import urllib.request", "imports `urllib.request`"),
        ("text = open('x').read()", "does I/O"),
        ("print('x')", "does I/O"),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "services/awarding/rules.py",
        "services/awarding/rules/quadrant.py",
        "services/progress/model.py",
        "libs/common/contracts/envelope.py",
        "libs/common/credentials/proofs.py",
    ],
)
def test_what_does_something_is_caught(text: str, why: str, path: str) -> None:
    if "uuid import" in text:
        why = "imports `uuid.uuid4`"
    assert any(why in reason for reason in found(impurities, text, path))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("from uuid import UUID, uuid5\nbadge = uuid5(namespace, name)", "services/awarding/rules.py"),
        ("now = datetime.fromisoformat(text)", "services/awarding/rules.py"),
        ("from urllib.parse import urlsplit", "libs/common/credentials/identifiers.py"),
        ("async def on_enrolled(): ...\nnow = datetime.now(UTC)", "services/awarding/handlers.py"),
    ],
)
def test_what_only_decides_is_not(text: str, path: str) -> None:
    assert found(impurities, text, path) == []
