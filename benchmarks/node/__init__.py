"""The libraries of Digital Bazaar, in a Node process beside this one (sign.mjs, verify.mjs)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_INSTALL_SECONDS = 300


class NodeMissing(Exception):
    """Node, npm, or the libraries are not to be had; the message says which."""


class Node:
    """A Node process that runs `script`, which is told `given` and then works for some seconds at a time.

    `first` is what it answered to `given`.
    """

    def __init__(self, script: str, given: dict[str, Any]) -> None:
        """Installs the libraries if they are not there. Raises `NodeMissing`."""
        install(FOLDER)
        self._script = script
        self._process = subprocess.Popen(
            ["node", script], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.first: dict[str, Any] = self._ask(given)

    @property
    def version(self) -> str:
        """The version of @digitalbazaar/vc."""
        return json.loads((FOLDER / "node_modules/@digitalbazaar/vc/package.json").read_text())["version"]

    def work_for(self, seconds: float) -> tuple[int, float]:
        """Work for `seconds`; how many badges it were, and the seconds that it took."""
        answer = self._ask({"seconds": seconds})
        return answer["done"], answer["seconds"]

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise NodeMissing(f"expected {self._script} to answer, it ended with {self._process.wait(10)}")
        return json.loads(line)


def install(folder: Path) -> None:
    """Install what the lock file in `folder` names, if it is not there. Raises `NodeMissing`."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            raise NodeMissing(f"expected {command} on the PATH (Node 20 or later)")
    if (folder / "node_modules" / ".package-lock.json").exists():
        return
    words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NodeMissing(f"expected npm ci to end within {_INSTALL_SECONDS} s") from None
    if done.returncode:
        raise NodeMissing(f"expected npm ci to succeed: {done.stderr.strip()[-300:]}")
