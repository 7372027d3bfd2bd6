"""Documents in memory: bounded, least recently read first out, and gone in time."""

from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.types import Message, Receive, Scope, Send

from libs.common.web.documents import SIGNED, Document
from libs.common.web.shelf import FromShelf, Shelf


def document(text: str) -> Document:
    return Document(text.encode(), "application/json", SIGNED)


def test_the_least_recently_read_makes_room() -> None:
    shelf = Shelf(10_000, 60)
    for name in ("a", "b", "c"):
        shelf.put(name, document(name * 100))
    assert shelf.find("a") is not None  # now b is the one that was read longest ago
    shelf.put("d", document("d" * 100))
    assert [name for name in "abcd" if shelf.find(name) is not None] == ["a", "c", "d"]
    assert shelf.size <= 10_000


def test_what_is_put_again_counts_once() -> None:
    shelf = Shelf(10_000, 60)
    shelf.put("a", document("one"))
    size = shelf.size
    shelf.put("a", document("two"))
    found = shelf.find("a")
    assert found is not None
    assert found.document.body == b"two"
    assert (shelf.size, len(shelf)) == (size, 1)


def test_what_is_too_large_is_not_kept() -> None:
    shelf = Shelf(4_000, 60)
    shelf.put("a", document("small"))
    shelf.put("b", document("b" * 5_000))
    assert shelf.find("a") is not None
    assert shelf.find("b") is None


def test_what_is_old_is_asked_for_anew() -> None:
    shelf = Shelf(10_000, -1)
    shelf.put("a", document("old"))
    assert shelf.find("a") is None
    assert (shelf.size, len(shelf)) == (0, 0)


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"behind"})


async def ask(
    layer: FromShelf, method: str = "GET", path: str = "/a", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    raw = [(name.replace("_", "-").encode(), content.encode()) for name, content in headers.items()]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": raw}
    await layer(scope, receive, send)
    answered = {name.decode(): content.decode() for name, content in sent[0]["headers"]}
    return sent[0]["status"], answered, sent[1]["body"]


def layer_with(text: str) -> FromShelf:
    shelf = Shelf(10_000, 60)
    shelf.put("/a", document(text))
    return FromShelf(behind, shelf=shelf, key_of=lambda path, accept: path, service="test", route="/{name}")


async def test_a_hit_is_answered_here() -> None:
    layer = layer_with("text")
    status, headers, body = await ask(layer)
    assert (status, body) == (200, b"text")
    assert headers["content-length"] == "4"
    status, held, body = await ask(layer, if_none_match=headers["etag"])
    assert (status, body, held["etag"]) == (304, b"", headers["etag"])
    status, again, body = await ask(layer, "HEAD")
    assert (status, body, again) == (200, b"", headers)


async def test_who_has_it_is_told_so_however_they_say_it() -> None:
    layer = layer_with("text")
    etag = (await ask(layer))[1]["etag"]
    for said in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        assert (await ask(layer, if_none_match=said))[0] == 304
    assert (await ask(layer, if_none_match='"other"'))[0] == 200
    assert (await ask(layer, "HEAD", if_none_match=etag))[0] == 304


def counted(status: int) -> float:
    found = REGISTRY.get_sample_value(
        "cairn_http_from_memory_total", {"service": "test", "route": "/{name}", "status": str(status)}
    )
    return found or 0.0


async def test_what_is_answered_is_counted_by_its_status() -> None:
    layer = layer_with("text")
    before = counted(200), counted(304)
    etag = (await ask(layer))[1]["etag"]
    await ask(layer, "HEAD")
    await ask(layer, if_none_match=etag)
    await ask(layer, path="/b")
    assert (counted(200), counted(304)) == (before[0] + 2, before[1] + 1)


async def test_over_the_wire_it_is_the_same_answer() -> None:
    layer = layer_with("text")
    _, headers, _ = await ask(layer)
    line, head, body = layer.at_once(b"GET", b"/a?from=there", []) or ()
    assert (line, body) == (b"HTTP/1.1 200 OK\r\n", b"text")
    assert head.endswith(b"\r\n\r\n")
    assert dict(part.decode().split(": ", 1) for part in head.strip().split(b"\r\n")) == headers
    assert layer.at_once(b"HEAD", b"/a", []) == (line, head)
    etag = headers["etag"].encode()
    _, held, _ = await ask(layer, if_none_match=headers["etag"])
    line, head = layer.at_once(b"GET", b"/a", [(b"if-none-match", etag)]) or ()
    assert line == b"HTTP/1.1 304 Not Modified\r\n"
    assert dict(part.decode().split(": ", 1) for part in head.strip().split(b"\r\n")) == held
    assert layer.at_once(b"GET", b"/b", []) is None


def test_a_refusal_is_not_kept() -> None:
    with pytest.raises(ValueError, match="found 410"):
        Shelf(10_000, 60).put("a", Document(b"gone", "text/plain", SIGNED, status=410))


async def test_everything_else_goes_on() -> None:
    layer = layer_with("text")
    assert (await ask(layer, path="/b"))[2] == b"behind"
    assert (await ask(layer, "POST"))[2] == b"behind"
