"""The server of an api as a process, with an app of the tests' own, and ways to speak to it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time

import httpx

from deploy.local.server import free_port

APP = """
import asyncio, sys
from libs.common.server import serve

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup" and "broken" in sys.argv:
                await send({"type": "lifespan.startup.failed", "message": "broken"})
                return
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                print("shut down", flush=True)
                return
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    if scope["path"] == "/headers":
        while (await receive()).get("more_body"):
            pass
        told = b"; ".join(b"%b: %b" % header for header in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
        await send({"type": "http.response.body", "body": told})
        return
    if scope["path"] == "/body":
        size = 0
        while (message := await receive()).get("more_body", False) or message.get("body"):
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
    told = f"{scope['client'][0]} {scope['scheme']} {scope['method']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else told})

def at_once(method, target, headers):
    if target == b"/fault":
        raise ValueError("a fault")
    if target != b"/at-once":
        return None
    body = b"x" * 100_000 if dict(headers).get(b"x-size") == b"large" else b"at once"
    head = b"content-length: %d\\r\\nx-told: %s\\r\\n\\r\\n" % (len(body), b"at once")
    return (b"HTTP/1.1 200 OK\\r\\n", head, body) if method == b"GET" else (b"HTTP/1.1 200 OK\\r\\n", head)

serve(app, "127.0.0.1", int(sys.argv[1]), sys.argv[2], at_once)
"""


class Served:
    """The app above in a process of its own."""

    def __init__(self, *words: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self.start(*words)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", APP, str(self.port), *(words or ("127.0.0.1",))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def wait(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


def get(url: str, **headers: str) -> str:
    given = {name.replace("_", "-"): content for name, content in headers.items()}
    with httpx.Client(trust_env=False) as client:
        return client.get(url, headers=given).text


def spoken(served: Served, *pieces: bytes, until: bytes | None = None) -> bytes:
    """What the server says to `pieces`, sent one after the other, until it hangs up, or has said `until`."""
    with socket.create_connection(("127.0.0.1", served.port), 20) as wire:
        for piece in pieces:
            wire.sendall(piece)
        said = b""
        while until is None or not said.endswith(until):
            more = wire.recv(65_536)
            if not more:
                break
            said += more
        return said


def asked(path: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()
