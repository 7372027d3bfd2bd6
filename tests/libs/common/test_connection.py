"""One connection: the order of answers, what is no request, who is too slow, and who asks for more than they take."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from libs.common import connection
from tests.libs.common.serving import Served, asked, get, spoken


def test_answers_keep_the_order_of_requests_that_come_together(served: Served) -> None:
    last = asked("/at-once", "Connection: close")
    said = spoken(
        served, asked("/at-once") + asked("/slow") + asked("/at-once", method="HEAD") + asked("/at-once") + last
    )
    told = [line for line in said.split(b"\r\n") if line.startswith((b"at once", b"127.0.0.1", b"x-told"))]
    # Behind one that takes its time, the others wait; whether the app answers them or not is all the same.
    assert said.count(b"HTTP/1.1 200 OK") == 5
    assert told[:2] == [b"x-told: at once", b"at onceHTTP/1.1 200 OK"]
    assert b"127.0.0.1 http HEAD" not in said


def test_a_request_may_come_in_pieces_and_bring_a_body_that_nobody_asked_for(served: Served) -> None:
    whole = asked("/at-once", "Content-Length: 5") + b"12345" + asked("/", "Connection: close")
    for size in (1, 7, len(whole)):
        said = spoken(served, *(whole[at : at + size] for at in range(0, len(whole), size)))
        assert said.count(b"HTTP/1.1 200 OK") == 2
        assert said.endswith(b"127.0.0.1 http GET")


def test_who_asks_for_more_than_they_take_is_waited_for_and_then_cut_off(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 20) as wire:
        wire.sendall(asked("/at-once", "X-Size: large") * 5_000)
        time.sleep(0.5)
        assert get(served.url) == "127.0.0.1 http GET"  # others do not wait
        taken = 0
        wire.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            while more := wire.recv(65_536):
                taken += len(more)
        # The first ones were answered, until nothing more was taken; of the others some wait, and that is too many.
        assert 100_000 < taken < 20_000_000
    assert get(served.url) == "127.0.0.1 http GET"


def test_trailers_are_no_headers(served: Served) -> None:
    posted = asked("/headers", "Transfer-Encoding: chunked", method="POST")
    said = spoken(
        served, posted + b"1\r\nx\r\n0\r\nAuthorization: Bearer evil\r\n\r\n" + asked("/", "Connection: close")
    )
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert (b"transfer-encoding" in said.lower(), b"evil" in said) == (True, False)


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (b"", b"1\r\nx\r\n"),
        (b"0\r\n", b"a: b\r\n"),
        (b"0\r\nX: ", b"aaaaaa"),
        (b"1;", b"aaaaaa"),
    ],
    ids=["body", "trailers", "a trailer without end", "an extension without end"],
)
def test_what_comes_after_an_answer_is_bounded(served: Served, first: bytes, more: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 20) as wire:
        wire.sendall(asked("/at-once", "Transfer-Encoding: chunked") + first)
        said = wire.recv(65_536)
        with pytest.raises(ConnectionError):
            for _ in range(200):
                wire.sendall(more * 10_000)
        # Nothing stands where the answer to the next request would.
        assert said.count(b"HTTP/1.1") == 1
    assert get(served.url) == "127.0.0.1 http GET"


def test_headers_may_come_in_pieces(served: Served) -> None:
    whole = asked("/", *(f"X-{number}: {'y' * 1_000}" for number in range(60)), "Connection: close")
    for size in (len(whole), 1_400, 20_000):
        said = b""
        with socket.create_connection(("127.0.0.1", served.port), 20) as wire:
            for at in range(0, len(whole), size):
                wire.sendall(whole[at : at + size])
                time.sleep(0.002)
            while piece := wire.recv(65_536):
                said += piece
        assert said.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("count", [60, 70, 500])
def test_of_many_requests_at_a_time_those_that_fit_are_answered(served: Served, count: int) -> None:
    said = spoken(served, asked("/") * count + asked("/", "Connection: close"))
    assert said.count(b"HTTP/1.1 200 OK") == min(count + 1, connection.MOST_WAITING + 1)


def test_what_is_no_request_costs_nobody_before_it_an_answer(served: Served) -> None:
    said = spoken(served, asked("/slow") + asked("/") + b"nothing\r\n\r\n" + asked("/"))
    assert (said.count(b"HTTP/1.1 200 OK"), said.count(b"HTTP/1.1")) == (2, 2)


def test_an_upgrade_smuggles_nothing(served: Served) -> None:
    asking = asked("/", "Connection: upgrade", "Upgrade: other", "Content-Length: 40", method="POST")
    assert spoken(served, asking + asked("/smuggled")).count(b"HTTP/1.1") == 1


def test_who_speaks_an_older_version_is_answered_in_full(served: Served) -> None:
    old = b"GET /at-once HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    for sent in (old, asked("/at-once") + old):
        assert spoken(served, sent).endswith(b"127.0.0.1 http GET")  # and hung up, which tells them that it ends


def test_a_large_upload_and_the_next_request_in_one_go(served: Served) -> None:
    upload = asked("/body", "Content-Length: 200000", method="POST") + b"x" * 200_000
    last = asked("/at-once", "Connection: close")
    said = spoken(served, upload + last[:30], last[30:])
    assert said.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n", b"400"),
        (b"GET /at-once HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 400_000, b"431"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"431"),
        (asked("/at-once") + b"nothing\r\n\r\n", b"200"),
    ],
    ids=["tls", "space before colon", "two lengths", "large header", "large target", "many headers", "after another"],
)
def test_what_is_no_request_is_refused(served: Served, sent: bytes, status: bytes) -> None:
    said = b""
    with contextlib.suppress(ConnectionError):  # what it had not read when it hung up
        said = spoken(served, sent)
    assert said.startswith(b"HTTP/1.1 " + status) or (not said and len(sent) > 65_536)
    if not said:
        return
    assert b"application/problem+json" in said
    assert get(served.url) == "127.0.0.1 http GET"


@asynccontextmanager
async def impatient(monkeypatch: pytest.MonkeyPatch, app: Any) -> AsyncIterator[tuple[int, uvicorn.server.ServerState]]:
    """A server in this process with patience for tenths of seconds: its port, and what it knows of connections."""
    for name, seconds in (("SLOWEST_HEADERS", 0.1), ("STUCK", 0.2), ("KEEP_ALIVE", 0.1), ("LOOK", 0.02)):
        monkeypatch.setattr(connection, f"{name}_SECONDS", seconds)
    config = uvicorn.Config(app, http=connection.protocol_of(known), lifespan="off", log_config=None, ws="none")
    config.load()
    state = uvicorn.server.ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: config.http_protocol_class(config, state, {}, loop), "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], state
        async with asyncio.timeout(20):
            while state.connections or state.tasks:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
    finally:
        listening.close()


async def test_who_sends_nothing_or_too_slowly_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with impatient(monkeypatch, nobody) as (port, _):
        for sent in (b"", b"GET / HTT", asked("/at-once"), asked("/at-once") + b"GET /a"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            said = await asyncio.wait_for(reader.read(), 20)  # until the other side hangs up
            assert said.startswith(b"HTTP/1.1 200" if b"at-once" in sent else b"")
            writer.close()


async def test_who_takes_nothing_or_withholds_a_body_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async with impatient(monkeypatch, generous) as (port, state):
        withheld = asked("/", "Content-Length: 10", method="POST") + b"1"
        for sent in (withheld, asked("/"), asked("/", "Connection: close"), asked("/at-once") * 3 + asked("/") * 3):
            with socket.create_connection(("127.0.0.1", port), 20) as wire:
                wire.sendall(sent)
                async with asyncio.timeout(20):
                    while not state.connections:  # noqa: ASYNC110 - nothing tells
                        await asyncio.sleep(0.01)
                    while state.connections:  # noqa: ASYNC110 - nothing tells
                        await asyncio.sleep(0.01)


async def test_a_long_answer_is_not_cut_off_and_its_connection_serves_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with impatient(monkeypatch, slow) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for rest in (b"GET /", b"at-once HTTP/1.1\r\n\r\n"):
            writer.write(asked("/") + rest if rest == b"GET /" else rest)
            said = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            assert said.startswith(b"HTTP/1.1 200")
        writer.close()


async def slow(scope: Any, receive: Any, send: Any) -> None:
    """Longer than anything else may take here."""
    await asyncio.sleep(0.5)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def generous(scope: Any, receive: Any, send: Any) -> None:
    """More than a caller takes who takes nothing."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.disconnect":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"50000000")]})
    for number in range(50):
        await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": number < 49})


def known(method: bytes, target: bytes, headers: object) -> tuple[bytes, ...] | None:
    return (b"HTTP/1.1 200 OK\r\n", b"content-length: 0\r\n\r\n") if target == b"/at-once" else None


async def nobody(scope: object, receive: object, send: object) -> None:
    raise AssertionError("expected no request to come so far")
