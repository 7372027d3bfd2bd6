"""Kafka's jars are the ones of the lock file, or are not used."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.local import jars
from deploy.local.server import CannotStart


def write_lock(folder: Path, content: bytes) -> Path:
    lock = folder / "kafka.lock"
    lock.write_text(f"# a comment\n{hashlib.sha256(content).hexdigest()}  org.example:thing:1.0\n")
    return lock


def test_the_lock_file_names_kafka_and_a_checksum_for_every_jar() -> None:
    locked = jars.read_lock()
    assert "org.apache.kafka:kafka_2.13:4.4.0" in {jar.coordinates for jar in locked}
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in locked)
    assert len({jar.name for jar in locked}) == len(locked)


def test_a_jar_that_differs_from_the_lock_file_is_refused(tmp_path: Path) -> None:
    lock = write_lock(tmp_path, b"what was locked")
    (tmp_path / "thing-1.0.jar").write_bytes(b"something else")
    with pytest.raises(CannotStart, match=r"thing-1\.0\.jar is not the file of kafka\.lock"):
        jars.class_path(tmp_path, lock)


def test_a_jar_that_agrees_is_on_the_class_path_and_not_fetched_again(tmp_path: Path) -> None:
    lock = write_lock(tmp_path, b"what was locked")
    (tmp_path / "thing-1.0.jar").write_bytes(b"what was locked")
    assert jars.class_path(tmp_path, lock) == str(tmp_path / "thing-1.0.jar")
    assert jars.fetch(tmp_path, lock) == 0


def test_a_missing_jar_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="run `make setup`"):
        jars.class_path(tmp_path, write_lock(tmp_path, b""))


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is inherited
        """Say nothing: the tests look at what was fetched."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository on this machine, chosen as a mirror would be: in jgo's own settings file."""
    files = tmp_path / "repository"
    place = files / "org" / "example" / "thing" / "1.0"
    place.mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(files))) as server:
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\nhere = http://127.0.0.1:{server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield place
        server.shutdown()
        thread.join()


def test_a_missing_jar_is_fetched_and_kept(tmp_path: Path, repository: Path) -> None:
    (repository / "thing-1.0.jar").write_bytes(b"what was locked")
    lock = write_lock(tmp_path, b"what was locked")
    assert jars.fetch(tmp_path / "jars", lock) == 1
    assert (tmp_path / "jars" / "thing-1.0.jar").read_bytes() == b"what was locked"


def test_a_jar_that_the_repository_serves_differently_is_not_kept(tmp_path: Path, repository: Path) -> None:
    (repository / "thing-1.0.jar").write_bytes(b"something else")
    with pytest.raises(CannotStart, match=r"is not the file of kafka\.lock"):
        jars.fetch(tmp_path / "jars", write_lock(tmp_path, b"what was locked"))
    assert list((tmp_path / "jars").iterdir()) == []


def test_without_a_way_to_the_jars_the_command_says_so_in_a_line(tmp_path: Path, repository: Path) -> None:
    # In a process of its own, as `make setup` runs it: the repository has none of the jars.
    environment = os.environ | {"CAIRN_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "deploy.local.jars"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"Kafka: cannot download \S+\.jar .* check the network, .*`make setup`\n", done.stderr)
