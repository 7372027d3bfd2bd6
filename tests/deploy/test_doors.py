"""The client of the doors: it waits out what passes, with the same request, and says what does not pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from deploy.doors import SERVICES, Access, Doors, Refused, Unreachable
from deploy.local.server import free_port


@asynccontextmanager
async def door(*answers: tuple[int, str, str]) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """A server that gives these answers (status, header line, body) in turn; its URL and the bodies it was sent."""
    waiting, bodies = list(answers), list[bytes]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        bodies.append(await reader.readexactly(length))
        status, header, body = waiting.pop(0)
        writer.write(
            f"HTTP/1.1 {status} X\r\n{header}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", bodies


def doors(url: str, patience_seconds: float = 5) -> Doors:
    return Doors(Access(dict.fromkeys(SERVICES, url), "token"), patience_seconds=patience_seconds)


async def test_what_passes_is_waited_out_with_the_same_body() -> None:
    answers = [(503, "Retry-After: 0\r\n", ""), (502, "Retry-After: 0\r\n", ""), (202, "", '{"accepted": 1}')]
    async with door(*answers) as (url, bodies), doors(url) as client:
        answer = await client.post("progress", "/events", [{"id": "1"}])
    assert answer.json() == {"accepted": 1}
    assert bodies == [b'[{"id":"1"}]'] * 3
    assert client.retries == 2


async def test_a_refusal_is_not_repeated_and_says_why() -> None:
    problem = '{"title": "Invalid row", "status": 422, "detail": "Expected a name", "errors": [{"pointer": "/name"}]}'
    async with door((422, "", problem)) as (url, bodies), doors(url) as client:
        with pytest.raises(Refused, match=r"enrollment refused PUT /x with 422: Invalid row; Expected a name; .*/name"):
            await client.put("enrollment", "/x", {})
    assert len(bodies) == 1


async def test_a_refusal_that_is_no_problem_document_is_shown_as_it_is() -> None:
    async with door((404, "", "nothing here")) as (url, _), doors(url) as client:
        with pytest.raises(Refused, match="with 404: nothing here"):
            await client.get("awarding", "/x")


async def test_patience_ends() -> None:
    async with doors(f"http://127.0.0.1:{free_port()}", patience_seconds=0.3) as client:
        with pytest.raises(Unreachable, match=r"verification at http://127\.0\.0\.1:\d+/x did not answer"):
            await client.get("verification", "/x")
