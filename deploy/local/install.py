"""Install everything that a checkout needs: `make setup`. Standard library only, for it runs before all else.

What it asks of the network it asks through pip, uv and jgo, with the settings that the user gave them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from deploy.local.home import REPOSITORY, home, megabytes_missing

T = TypeVar("T")

UV = "uv==0.13.9"
OLDEST, NEWEST = (3, 11), (3, 14)
MEGABYTES = 2_500  # the environment, Kafka with its start-up cache, and room for a demo's data
ENVIRONMENT = REPOSITORY / ".venv"
# A change to any of these makes setup run again.
INPUTS = ("pyproject.toml", "uv.lock", "deploy/local/kafka.lock", "deploy/local/install.py")
NO_NETWORK = (
    "name resolution", "dns error", "connection refused", "failed to fetch", "connecterror", "timed out",
    "network is unreachable", "max retries exceeded", "no matching distribution", "newconnectionerror",
)  # fmt: skip


class CannotInstall(Exception):
    """A step failed. The message says in a line what is wrong and what to do about it."""


def main() -> int:
    """Run the steps that are due; 0 when everything is installed, 1 with a plain line when not."""
    try:
        _require_python()
        stamp = home() / "setup.stamp"
        if _is_current(stamp):
            return 0
        missing = megabytes_missing(home(), MEGABYTES)
        if missing:
            raise CannotInstall(f"the disk of {home()} is full: free at least {missing} MB more")
        home().mkdir(parents=True, exist_ok=True)
        with (home() / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second `make` at the same time waits, then finds all done
            if not _is_current(stamp):
                _install()
                stamp.write_text(_fingerprint())
    except CannotInstall as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


def _install() -> None:
    started = time.monotonic()
    python = ENVIRONMENT / "bin" / "python"
    uv = _step("uv, the installer", _find_or_install_uv)
    _step("Python packages, PostgreSQL and Java", lambda: _install_packages(uv))
    _step("Kafka", lambda: _run([python, "-m", "deploy.local.jars"]))
    _step("Kafka's first start", lambda: _run([python, "-m", "deploy.local.kafka"]))
    print(f"setup: ready in {time.monotonic() - started:.0f} s", flush=True)


def _step(name: str, action: Callable[[], T]) -> T:
    print(f"setup: {name} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        result = action()
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", flush=True)
    return result


def _require_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        found, oldest, newest = (".".join(map(str, v)) for v in (sys.version_info[:2], OLDEST, NEWEST))
        raise CannotInstall(
            f"{sys.executable} is Python {found}: use one from {oldest} to {newest}, "
            "for example `make PYTHON=python3.11 setup`"
        )


def _fingerprint() -> str:
    """What the installation was made from: the files that decide it, the Python, the place."""
    digest = hashlib.sha256(f"{REPOSITORY} {home()} {sys.version_info[:2]}".encode())
    for name in INPUTS:
        digest.update((REPOSITORY / name).read_bytes())
    return digest.hexdigest()


def _is_current(stamp: Path) -> bool:
    installed = (ENVIRONMENT / "bin" / "python", ENVIRONMENT / "bin" / "cairn", home() / "kafka" / "jars", stamp)
    return all(path.exists() for path in installed) and stamp.read_text() == _fingerprint()


def _find_or_install_uv() -> Path:
    """The `uv` on PATH if there is one that runs, else a pinned one in a small environment of its own."""
    found = shutil.which("uv")
    if found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0:
        return Path(found)
    bootstrap = home() / "bootstrap"
    if not (bootstrap / "bin" / "uv").exists():
        try:
            venv.create(bootstrap, clear=True, with_pip=True)
        except (subprocess.CalledProcessError, ImportError) as error:
            raise CannotInstall(
                "this Python has no venv or pip: install them (on Debian: apt install python3-venv)"
            ) from error
        _run([bootstrap / "bin" / "python", "-m", "pip", "install", "--quiet", UV])
    return bootstrap / "bin" / "uv"


def _install_packages(uv: Path) -> None:
    """Install what uv.lock names, byte for byte, into `.venv`."""
    environment = _uv_environment()
    if not _index_is_chosen(environment):
        _run(
            [uv, "sync", "--quiet", "--frozen", "--all-groups", "--compile-bytecode", "--python", sys.executable],
            environment,
        )
        return
    # uv.lock holds addresses of the public index. Where another one is to be used, take from the lock
    # only names, versions and checksums.
    wanted = home() / "requirements.txt"
    _run(
        [
            uv,
            "export",
            "--quiet",
            "--frozen",
            "--all-groups",
            "--compile-bytecode",
            "--no-emit-project",
            "--output-file",
            wanted,
        ],
        environment,
    )
    if not (ENVIRONMENT / "bin" / "python").exists():
        _run([uv, "venv", "--quiet", "--python", sys.executable, ENVIRONMENT], environment)
    environment["VIRTUAL_ENV"] = str(ENVIRONMENT)
    _run([uv, "pip", "sync", "--quiet", "--require-hashes", wanted], environment)
    _run([uv, "pip", "install", "--quiet", "--no-deps", "--editable", REPOSITORY], environment)


def _uv_environment() -> dict[str, str]:
    """Our environment, with what the user told pip also told to uv."""
    environment = dict(os.environ, UV_PROJECT_ENVIRONMENT=str(ENVIRONMENT))
    environment.pop("VIRTUAL_ENV", None)
    for pip, uv in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
        ("PIP_CERT", "SSL_CERT_FILE"), ("PIP_PROXY", "ALL_PROXY"),
    ):  # fmt: skip
        if environment.get(pip):
            environment.setdefault(uv, environment[pip])
    return environment


def _index_is_chosen(environment: dict[str, str]) -> bool:
    return any(environment.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"))


def _run(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> None:
    """Run one command in the repository, silent unless it fails; then say why."""
    done = subprocess.run(
        [str(word) for word in command], cwd=REPOSITORY, env=environment, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode == 0:
        return
    said = done.stdout.strip()
    if "No space left on device" in said:
        raise CannotInstall("the disk is full: free some space and run `make setup` again")
    if any(sign in said.lower() for sign in NO_NETWORK):
        print(said[-800:], file=sys.stderr)
        raise CannotInstall("a package cannot be downloaded: check the network, then run `make setup` again")
    program = Path(command[0]).name
    raise CannotInstall(said if said.count("\n") == 0 and said else f"{program} failed:\n{said[-2000:]}")


if __name__ == "__main__":
    raise SystemExit(main())
