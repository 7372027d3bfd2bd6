"""No document, however odd, makes the check fail with a fault: each gets a verdict, and no odd one a good one."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.checking import Terms, check
from libs.common.checking.dialogue import Answer, Canonicalise, Fetched, Recall, Recorded, Refused
from libs.common.checking.model import Judgement
from libs.common.credentials import open_badges_2
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from tests.libs.common.checking.test_own import CREDENTIAL, DID
from tests.services.verification.support import KEY, at, badge_issued, profile, terms

KEYS = json.dumps(did_document(DID, [PublishedKey(LocalSigner(KEY, DID).public_key)])).encode()
STATUS = {
    "credentialStatus": {
        "id": "https://badges.example/status/1#7",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://badges.example/status/1",
    }
}
ODD = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", "https://badges.example/x", [], [[]], [None], {}, {"id": []}, [{}]]
)
DOCUMENTS: list[dict[str, Any]] = [
    json.loads(CREDENTIAL) | STATUS,
    json.loads(badge_issued().open_badge_2),
    open_badges_2.badge_class(profile(), terms()),
    open_badges_2.issuer_profile(profile()),
    json.loads(KEYS),
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: the container and the key within it."""
    found: list[tuple[Any, Any]] = []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        found += [(value, key), *places(inner)]
    return found


@st.composite
def odd_documents(draw: st.DrawFn) -> Any:
    """A good document with one to three of its places filled with something odd."""
    document = json.loads(json.dumps(draw(st.sampled_from(DOCUMENTS))))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(places(document) or [({}, "")]))
        container[key] = json.loads(json.dumps(draw(ODD)))
    return document


def judged(content: bytes, web: bytes) -> Judgement:
    """The judgement when every address answers with `web` and nothing has a canonical form."""
    asking = check(content, Terms(at(0)))
    try:
        question = next(asking)
        while True:
            answer: Answer = Fetched(200, "", web)
            if isinstance(question, Canonicalise):
                answer = Refused("json-ld")
            elif isinstance(question, Recall):
                answer = Recorded(web, at(-1))
            question = asking.send(answer)
    except StopIteration as end:
        return end.value


@given(odd_documents(), st.sampled_from(DOCUMENTS))
@settings(max_examples=300, deadline=None)
def test_an_odd_badge_gets_a_verdict(document: Any, web: Any) -> None:
    assert judged(json.dumps(document).encode(), json.dumps(web).encode()).answer != "genuine"


@given(odd_documents(), st.sampled_from(DOCUMENTS))
@settings(max_examples=300, deadline=None)
def test_an_odd_web_gives_a_verdict(web: Any, document: Any) -> None:
    judged(json.dumps(document).encode(), json.dumps(web).encode())


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_verdict(content: bytes) -> None:
    for start in (b"", b"{", b"\x89PNG\r\n\x1a\n", b"<svg ", b"eyJhbGciOiJFUzI1NiJ9."):
        assert judged(start + content, content).answer != "genuine"
