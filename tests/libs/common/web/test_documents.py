"""Documents as HTTP answers: entity tags, conditional requests, HEAD (RFC 9110, sections 8.8 and 13)."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from starlette.requests import Request

from libs.common.web.documents import SIGNED, STATUS, Document, http_date, matches, read_http_date, respond

BODY = b'{"a": 1}'
CHANGED = datetime(2026, 1, 5, 9, 0, 0, 250_000, tzinfo=UTC)
ETAG = f'"{sha256(BODY).hexdigest()}"'


def request(method: str = "GET", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), content.encode()) for name, content in headers.items()]
    return Request({"type": "http", "method": method, "path": "/", "headers": raw})


def document(cache_control: str = SIGNED, status: int = 200) -> Document:
    return Document(BODY, "application/json", cache_control, CHANGED, {"Vary": "Accept"}, status)


def test_a_full_answer_says_everything() -> None:
    answer = respond(request(), document())
    assert answer.status_code == 200
    assert answer.body == BODY
    assert dict(answer.headers) == {
        "content-type": "application/json",
        "cache-control": SIGNED,
        "etag": ETAG,
        "x-content-type-options": "nosniff",
        "vary": "Accept",
        "last-modified": "Mon, 05 Jan 2026 09:00:00 GMT",
        "content-length": "8",
    }


def test_head_says_the_same_without_the_body() -> None:
    whole, head = respond(request(), document()), respond(request("HEAD"), document())
    assert head.body == b""
    assert dict(head.headers) == dict(whole.headers)


@pytest.mark.parametrize(
    "held", [ETAG, "*", f'"x", {ETAG}', f"W/{ETAG}", f' {ETAG} , "y"'], ids=["tag", "any", "list", "weak", "spaces"]
)
def test_what_the_caller_has_is_not_sent_again(held: str) -> None:
    answer = respond(request(if_none_match=held), document())
    assert (answer.status_code, answer.body) == (304, b"")
    assert answer.headers["etag"] == ETAG
    assert answer.headers["cache-control"] == SIGNED
    assert answer.headers["vary"] == "Accept"
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("held", ['"x"', "", ETAG.strip('"'), '"*"'])
def test_what_the_caller_has_not_is_sent(held: str) -> None:
    assert not matches(held, ETAG)
    assert respond(request(if_none_match=held), document()).status_code == 200


def test_a_date_is_believed_for_what_cannot_change() -> None:
    since = http_date(CHANGED)
    assert respond(request(if_modified_since=since), document()).status_code == 304
    assert respond(request(if_modified_since=since), document(STATUS)).status_code == 200
    assert respond(request(if_modified_since="Mon, 05 Jan 2026 08:59:59 GMT"), document()).status_code == 200
    assert respond(request(if_modified_since="yesterday"), document()).status_code == 200
    # RFC 9110, section 13.1.3: the entity tag wins over the date.
    assert respond(request(if_modified_since=since, if_none_match='"x"'), document()).status_code == 200


def test_a_refusal_is_never_not_modified() -> None:
    assert respond(request(if_none_match="*"), document(status=410)).status_code == 410


def test_dates_survive_the_way() -> None:
    assert read_http_date(http_date(CHANGED)) == CHANGED.replace(microsecond=0)
    assert read_http_date("Mon, 05 Jan 2026 09:00:00 -0000") == CHANGED.replace(microsecond=0)
    assert read_http_date("") is None
