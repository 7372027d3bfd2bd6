"""What everybody may see, as files for a web server in front, which then need ask nobody (decision 25).

The folder is this process's own: what lies in it follows from what was read here, and goes in time, so that what its
learner took back or had erased is gone from it too (M1.3, B7).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from libs.common.web.documents import Document

log = structlog.get_logger(__name__)

# Documents that wait to be written: with a slow disk the rest stays unwritten, and is served as if there were no files.
_MOST_WAITING = 256
# Whose the folder is: a lock on this file, which a process that ends gives back. It lies beside what is served.
_OWNER = ".owner"
# How often the folder is looked after: taken over if it is free, and freed of what is old.
_LOOK_SECONDS = 1.0


def file_etag(document: Document) -> str:
    """The entity tag that nginx gives a file with this content and date: both in hexadecimal digits.

    It is a strong one only where the bytes at one address never change (RFC 9110, section 8.8.1), as with what was
    signed. Raises `ValueError` for a document without a date.
    """
    return f'"{_seconds_of(document):x}-{len(document.body):x}"'


@dataclass(slots=True)
class _Kept:
    size: int
    kept_at: float


class PublicFiles:
    """Documents as files below `folder`, at most `largest_bytes` together, each for at most `longest_seconds`.

    Of several processes with one folder, one has it, and the others do without until it ends. All but `begin` is
    called from the event loop; one thread writes, in the order of the calls. When the process ends, the files stay:
    while it is away they are all there is (B6).
    """

    def __init__(self, folder: Path, *names: str, largest_bytes: int, longest_seconds: float) -> None:
        """`names` are the folders below `folder` in which documents lie. Nothing is done yet."""
        self.folder = folder
        self._names = names
        self._largest = largest_bytes
        self._longest = longest_seconds
        self._kept: dict[str, _Kept] = {}
        self._size = 0
        self._unremoved: set[str] = set()
        self._writer = ThreadPoolExecutor(1, "public-files")
        self._waiting = 0
        self._owner: int | None = None

    def begin(self) -> bool:
        """Take the folder over if it is free, and away what an earlier process left there; whether it is ours."""
        if self._owner is None:
            try:
                self._owner = _take(self.folder, self._names)
            except BlockingIOError:
                log.debug("public files are another's")
            except OSError as fault:
                log.warning("no public files", fault=type(fault).__name__)
        return self._owner is not None

    async def keep(self) -> None:
        """Look after the folder until cancelled: what is old goes, whether anybody asks or not."""
        while True:
            if self._owner is None:
                await asyncio.get_running_loop().run_in_executor(self._writer, self.begin)
            last = time.monotonic() - self._longest
            for name in [name for name, kept in self._kept.items() if kept.kept_at <= last]:
                self.drop(name)
            for name in self._unremoved.copy():
                self.drop(name)
            await asyncio.sleep(_LOOK_SECONDS)

    def put(self, name: str, document: Document) -> None:
        """Keep `document` under `name`, a relative path of two plain names. The oldest ones make room."""
        size = len(document.body)
        if self._owner is None or self._waiting >= _MOST_WAITING or size > self._largest:
            return
        self._forget(name)
        self._kept[name] = _Kept(size, time.monotonic())
        self._size += size
        path, seconds = self.folder / name, _seconds_of(document)
        self._do(self._written, _write, self.folder / f".{os.getpid()}", path, document.body, seconds)
        while self._size > self._largest:
            self.drop(next(iter(self._kept)))

    def drop(self, name: str) -> None:
        """Take the document under `name` away, if there is one, whoever wrote it."""
        self._forget(name)
        self._do(partial(self._removed, name), _remove, self.folder / name)

    def _forget(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        if kept is not None:
            self._size -= kept.size

    def _do(self, then: Callable[[BaseException | None], None], work: Callable[..., None], *given: object) -> None:
        def done(finished: asyncio.Future[None]) -> None:
            self._waiting -= 1
            then(None if finished.cancelled() else finished.exception())

        self._waiting += 1
        asyncio.get_running_loop().run_in_executor(self._writer, work, *given).add_done_callback(done)

    def _written(self, fault: BaseException | None) -> None:
        if fault is not None:
            log.warning("public file not written", fault=type(fault).__name__)
        if isinstance(fault, FileNotFoundError) and self._owner is not None:
            # Somebody took the folder away, and our lock with it.
            os.close(self._owner)
            self._owner, self._size = None, 0
            self._kept.clear()

    def _removed(self, name: str, fault: BaseException | None) -> None:
        if fault is None or name in self._kept:
            self._unremoved.discard(name)
            return
        if name not in self._unremoved:
            log.warning("public file not removed", fault=type(fault).__name__)
        self._unremoved.add(name)

    def __len__(self) -> int:
        return len(self._kept)


def _seconds_of(document: Document) -> int:
    if document.last_modified is None:
        raise ValueError("expected a document with a date")
    return int(document.last_modified.timestamp())


def _take(folder: Path, names: Sequence[str]) -> int:
    """Make the folders anew, empty, and answer the descriptor that holds them. Raises `OSError` where another does."""
    folder.mkdir(parents=True, exist_ok=True)
    owner = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in names:
            place = folder / name
            if place.exists():
                shutil.rmtree(place)
            place.mkdir()
            place.chmod(0o755)  # the server of files is somebody else
    except OSError:
        os.close(owner)
        raise
    return owner


def _write(new: Path, path: Path, content: bytes, seconds: int) -> None:
    """Write a file that nobody sees half written, with the date of what it says."""
    new.write_bytes(content)
    new.chmod(0o644)
    os.utime(new, (seconds, seconds))
    new.replace(path)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
