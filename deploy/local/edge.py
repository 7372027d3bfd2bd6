"""The edge cache on this machine: the nginx that is installed, with the configuration of deploy/edge."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from pathlib import Path

from deploy.local.home import REPOSITORY
from deploy.local.server import CannotStart, Child, is_root

TEMPLATE = REPOSITORY / "deploy" / "edge" / "cairn.conf.template"
_START_SECONDS = 10
_FRAME = """\
worker_processes 2;
daemon off;
pid {directory}/master.pid;
error_log {directory}/error.log warn;
{user}
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {inside}
}}
"""


def nginx() -> str | None:
    """The nginx of this machine, or None."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def edge_settings(
    *, listen: str, upstream: str, cache: Path, requests_per_second: int, files: Path = Path("/nowhere")
) -> str:
    """The configuration of deploy/edge, filled in as the image `nginx` does it.

    `files` is the folder that verification's api keeps, if it keeps one.
    """
    text = TEMPLATE.read_text(encoding="utf-8")
    given = {
        "LISTEN": listen, "UPSTREAM": upstream, "CACHE": str(cache), "RATE": str(requests_per_second),
        "FILES": str(files),
    }  # fmt: skip
    for name, content in given.items():
        text = text.replace(f"${{CAIRN_EDGE_{name}}}", content)
    return text


class LocalNginx:
    """One nginx in `directory`; `inside` is what stands in its `http {}`. It is to listen on 127.0.0.1:`port`."""

    def __init__(self, directory: Path, port: int, inside: str) -> None:
        self.directory = directory
        self.port = port
        self._inside = inside
        self._child = Child("nginx", directory, signal.SIGTERM)

    def start(self) -> None:
        """Start it and wait until it listens. Raises `CannotStart`."""
        program = nginx()
        if program is None:
            raise CannotStart("nginx: not installed (Debian: apt-get install nginx-light)")
        self.directory.mkdir(parents=True, exist_ok=True)
        # As root its workers would become somebody who may not enter this directory.
        user = "user root;" if is_root() else ""
        file = self.directory / "nginx.conf"
        file.write_text(_FRAME.format(directory=self.directory, user=user, inside=self._inside), encoding="utf-8")
        words = [program, "-p", str(self.directory), "-c", str(file), "-e", str(self.directory / "error.log")]
        self._child.start(words, dict(os.environ))
        if not self._child.wait_until(lambda: _listens(self.port), _START_SECONDS):
            why = self._child.why()
            self._child.stop(timeout_seconds=1)
            raise CannotStart(f"nginx: {why}")

    @property
    def pid(self) -> int:
        """The process id of its master."""
        return self._child.pid

    def stop(self) -> None:
        """Stop it."""
        self._child.stop(timeout_seconds=5)


def _listens(port: int) -> bool:
    with socket.socket() as door:
        door.settimeout(1)
        return door.connect_ex(("127.0.0.1", port)) == 0
