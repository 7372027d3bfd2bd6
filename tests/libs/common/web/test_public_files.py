"""Documents as files for a web server in front: whole or not there, bounded, and gone in time (M1.3, B7)."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.common.web import public_files
from libs.common.web.documents import SIGNED, Document
from libs.common.web.public_files import PublicFiles, file_etag

DATE = datetime(2026, 1, 5, 9, tzinfo=UTC)


def document(text: str) -> Document:
    return Document(text.encode(), "application/json", SIGNED, DATE)


def begun(folder: Path, *, largest_bytes: int = 1_000, longest_seconds: float = 60) -> PublicFiles:
    files = PublicFiles(folder, "badges", largest_bytes=largest_bytes, longest_seconds=longest_seconds)
    assert files.begin()
    return files


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "badges").iterdir()}


async def seen(folder: Path, *expected: str) -> None:
    """Wait until exactly these files are there."""
    async with asyncio.timeout(10):
        while names(folder) != set(expected):  # noqa: ASYNC110 - a thread writes
            await asyncio.sleep(0.01)


async def test_a_file_says_what_the_document_says(tmp_path: Path) -> None:
    files = begun(tmp_path)
    files.put("badges/a.json", document("text"))
    await seen(tmp_path, "a.json")
    file = tmp_path / "badges" / "a.json"
    assert file.read_text() == "text"
    assert (file.stat().st_mode & 0o777, file.stat().st_mtime) == (0o644, DATE.timestamp())
    assert file_etag(document("text")) == f'"{int(DATE.timestamp()):x}-4"'
    files.put("badges/a.json", document("other"))
    files.drop("badges/b.json")
    files.drop("badges/a.json")
    await seen(tmp_path)
    assert len(files) == 0


async def test_the_oldest_make_room(tmp_path: Path) -> None:
    files = begun(tmp_path, largest_bytes=250)
    for name in "abc":
        files.put(f"badges/{name}", document(name * 100))
    files.put("badges/large", document("x" * 300))
    await seen(tmp_path, "b", "c")
    files.put("badges/b", document("b" * 100))  # anew, so that c is the oldest
    files.put("badges/d", document("d" * 100))
    await seen(tmp_path, "b", "d")


@asynccontextmanager
async def looked_after(files: PublicFiles, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """As the app does it, only more often."""
    monkeypatch.setattr(public_files, "_LOOK_SECONDS", 0.02)
    keeping = asyncio.create_task(files.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def test_they_go_in_time_whether_anybody_asks_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = begun(tmp_path, longest_seconds=2)
    async with looked_after(files, monkeypatch):
        files.put("badges/a", document("text"))
        await seen(tmp_path, "a")
        await seen(tmp_path)
    assert len(files) == 0


async def test_what_could_not_be_removed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = begun(tmp_path)
    in_the_way = tmp_path / "badges" / "a"
    in_the_way.mkdir()  # which nobody can unlink
    files.drop("badges/a")
    async with looked_after(files, monkeypatch):
        await asyncio.sleep(0.1)
        in_the_way.rmdir()
        in_the_way.write_text("of an earlier process")
        await seen(tmp_path)


async def test_a_folder_that_is_taken_away_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = begun(tmp_path / "public")
    shutil.rmtree(tmp_path / "public")
    files.put("badges/a", document("text"))
    async with looked_after(files, monkeypatch):
        async with asyncio.timeout(10):
            while not (tmp_path / "public" / "badges").exists():  # noqa: ASYNC110 - a thread writes
                await asyncio.sleep(0.01)
        assert len(files) == 0
        files.put("badges/b", document("text"))
        await seen(tmp_path / "public", "b")


ANOTHER = """
import sys
from pathlib import Path
from libs.common.web.public_files import PublicFiles

files = PublicFiles(Path(sys.argv[1]), "badges", largest_bytes=1000, longest_seconds=60)
print(files.begin(), flush=True)
sys.stdin.read()
"""


def another(folder: Path) -> subprocess.Popen[str]:
    """Another process with the same folder, and whether it has it."""
    return subprocess.Popen(
        [sys.executable, "-c", ANOTHER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def said_by(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() in ("True", "False"):
            return line.strip()
    raise AssertionError("expected a word, found none")


async def test_a_folder_is_one_process_s_own_and_the_next_finds_it_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = another(tmp_path)
    assert said_by(first) == "True"
    files = PublicFiles(tmp_path, "badges", largest_bytes=1_000, longest_seconds=60)
    files.put("badges/a", document("text"))
    assert (files.begin(), len(files), names(tmp_path)) == (False, 0, set())
    # Whoever wrote it: what is dropped is gone.
    (tmp_path / "badges" / "b").write_text("of the first")
    (tmp_path / "theirs").write_text("kept")
    files.drop("badges/b")
    await seen(tmp_path)
    (tmp_path / "badges" / "c").write_text("of the first")
    async with looked_after(files, monkeypatch):
        await asyncio.sleep(0.1)
        assert names(tmp_path) == {"c"}
        first.communicate()
        await seen(tmp_path)  # it is ours by now, and emptied, though nobody asked for anything
        files.put("badges/a", document("text"))
        await seen(tmp_path, "a")
    assert (tmp_path / "theirs").read_text() == "kept"
    second = another(tmp_path)
    assert said_by(second) == "False"
    second.communicate()


async def test_a_folder_that_cannot_be_made_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    files = PublicFiles(tmp_path / "taken", "badges", largest_bytes=1_000, longest_seconds=60)
    files.put("badges/a", document("text"))
    files.drop("badges/a")
    assert (files.begin(), len(files)) == (False, 0)


async def test_a_file_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    files = begun(tmp_path)
    (tmp_path / "badges" / "a" / "in the way").mkdir(parents=True)
    files.put("badges/a", document("text"))
    files.put("badges/b", document("text"))  # one after the other
    await seen(tmp_path, "a", "b")
    assert (tmp_path / "badges" / "a").is_dir()


async def test_what_has_no_date_makes_no_file() -> None:
    with pytest.raises(ValueError, match="with a date"):
        file_etag(Document(b"text", "text/plain", SIGNED))
