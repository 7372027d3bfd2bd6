"""The server of an api, as a process: answers, believes proxies that it is told to, refuses a taken port, ends well."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.server import free_port

APP = """
import asyncio, sys, threading
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
    told = f"{scope['client'][0]} {scope['scheme']} {scope['method']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else told})

def at_once(scope):
    if scope["path"] == "/fault":
        raise ValueError("a fault")
    if scope["path"] != "/at-once":
        return None
    told = b"the loop's" if threading.current_thread() is threading.main_thread() else b"another"
    headers = [(b"content-length", b"%d" % len(told)), (b"x-thread", told)]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else told}

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


@pytest.fixture
def served() -> Iterator[Served]:
    started = Served()
    started.wait()
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGKILL)


def get(url: str, **headers: str) -> str:
    given = {name.replace("_", "-"): content for name, content in headers.items()}
    with httpx.Client(trust_env=False) as client:
        return client.get(url, headers=given).text


def test_it_answers_and_ends_in_order(served: Served) -> None:
    assert get(served.url) == "127.0.0.1 http GET"
    with httpx.Client(trust_env=False) as client:
        assert client.head(served.url).headers["content-length"] == "19"
    code, out, _ = served.end()
    assert (code, out) == (0, "shut down\n")


def test_what_is_there_at_once_is_answered_without_the_loop_and_the_rest_goes_on(served: Served) -> None:
    with httpx.Client(trust_env=False, base_url=served.url) as client:
        for _ in range(3):  # over one connection
            assert client.get("/at-once").text == "another"
            head = client.head("/at-once")
            assert (head.headers["content-length"], head.headers["x-thread"], head.content) == ("7", "another", b"")
            assert client.get("/at-once", headers={"X-Forwarded-For": "203.0.113.9"}).text == "another"
            assert client.get("/").text == "127.0.0.1 http GET"
            assert client.get("/fault").text == "127.0.0.1 http GET"
    code, out, err = served.end()
    assert (code, "ValueError" in out + err) == (0, True)


def test_a_request_under_way_is_answered_before_it_ends(served: Served) -> None:
    asking = subprocess.Popen(
        [sys.executable, "-c", f"import urllib.request as u; print(u.urlopen('{served.url}/slow').read().decode())"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(0.6)
    code, _, _ = served.end()
    assert asking.communicate(timeout=20)[0] == "127.0.0.1 http GET\n"
    assert code == 0


def test_only_trusted_proxies_say_who_calls(served: Served) -> None:
    said = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}
    assert get(served.url, **said) == "203.0.113.9 https GET"
    other = Served("192.0.2.1")
    other.wait()
    assert get(other.url, **said) == "127.0.0.1 http GET"
    other.end()


def test_a_port_that_is_taken_is_refused_and_a_killed_server_leaves_it_free(served: Served) -> None:
    second = served.start()
    _, err = second.communicate(timeout=20)
    assert second.returncode != 0
    assert "Address already in use" in err
    served.end(signal.SIGKILL)
    served.process = served.start()
    served.wait()
    assert get(served.url) == "127.0.0.1 http GET"


def test_an_app_that_cannot_start_ends_the_process() -> None:
    broken = Served("127.0.0.1", "broken")
    _, err = broken.process.communicate(timeout=20)
    assert broken.process.returncode != 0
    assert "lifespan startup" in err
