"""The sandbox: what takes too much is killed, and the next job is done all the same (SR-11)."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from pypdf import PdfWriter

from libs.common.credentials.canonical import canonical_nquads
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from libs.common.sandbox import Killed, Sandbox

DOCUMENT = {
    "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
    "id": "urn:x:1",
    "type": ["VerifiableCredential"],
    "name": "A name",
    "credentialSubject": {"type": ["AchievementSubject"]},
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of the test's own."""
    started = Sandbox()
    yield started
    started.close()


async def test_it_does_what_the_process_itself_would(sandbox: Sandbox) -> None:
    found = await sandbox.do("canonical", documents=[DOCUMENT, DOCUMENT])
    assert found == {"texts": [canonical_nquads(DOCUMENT)] * 2}


async def test_a_refusal_is_told(sandbox: Sandbox) -> None:
    found = await sandbox.do("canonical", documents=[{**DOCUMENT, "grade": "A+"}])
    assert found["reason"] == "undefined-term"


async def test_too_much_computing_is_killed_and_the_next_job_done(sandbox: Sandbox) -> None:
    """A single document is bounded long before; so the work of very many stands for it."""
    with pytest.raises(Killed):
        await sandbox.do("canonical", documents=[DOCUMENT] * 20_000)
    assert "texts" in await sandbox.do("canonical", documents=[DOCUMENT])


async def test_too_long_by_the_clock_is_killed() -> None:
    sandbox = Sandbox(seconds=0.0)
    try:
        with pytest.raises(Killed):
            await sandbox.do("canonical", documents=[DOCUMENT])
    finally:
        sandbox.close()


async def test_too_much_memory_is_killed_and_the_next_job_done(sandbox: Sandbox) -> None:
    with pytest.raises(Killed):
        await sandbox.do("attachments", document="A" * 400_000_000)
    assert await sandbox.do("attachments") == {"files": []}


async def test_attachments_of_a_pdf_are_found(sandbox: Sandbox) -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("badge.json", b'{"a": 1}')
    document = io.BytesIO()
    writer.write(document)
    found = await sandbox.do("attachments", document=base64.b64encode(document.getvalue()).decode())
    assert [base64.b64decode(file) for file in found["files"]] == [b'{"a": 1}']
    assert (await sandbox.do("attachments", document=base64.b64encode(b"%PDF-1.7 nothing").decode()))["files"] == []


async def test_it_knows_nothing_of_its_surroundings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_DATABASE_DSN", "postgresql://secret")
    await sandbox.do("attachments")
    process = sandbox._process  # pyright: ignore[reportPrivateUsage]
    assert process is not None
    with open(f"/proc/{process.pid}/environ", "rb") as file:  # noqa: ASYNC230, PTH123
        assert b"secret" not in file.read()
