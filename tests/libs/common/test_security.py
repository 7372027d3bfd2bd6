"""Only a token that is whole, current, meant for us and signed by a key of ours opens a door (SR-8)."""

from __future__ import annotations

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey, RSAKey

from libs.common.problems import Problem
from libs.common.security import SESSION_COOKIE, Principal, Tokens, caller, requires
from tests.tokens import AUDIENCE, ISSUER

CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "lms", "scope": "events.write records.read"}
KEY = OKPKey.generate_key("Ed25519", {"kid": "tests", "alg": "Ed25519", "use": "sig"})


values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.sampled_from([*CLAIMS, "exp", "nbf", "iat"]) | st.text(), part),
)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(_keys_file(tmp_path, KEY), issuer=ISSUER, audience=AUDIENCE)


def _keys_file(folder: Path, *keys: Any) -> Path:
    path = folder / "keys.json"
    path.write_bytes(orjson.dumps(KeySet(list(keys)).as_dict(private=False)))
    return path


def _token(key: Any = KEY, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    head = {"alg": "Ed25519", "kid": "tests", "typ": "at+jwt"} | (header or {})
    told = {name: claim for name, claim in (CLAIMS | {"exp": int(time.time()) + 60} | claims).items() if claim != ""}
    return jwt.encode(head, told, key, algorithms=[head["alg"]])


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


def test_a_good_token_names_its_caller(tokens: Tokens) -> None:
    principal = tokens.principal(_token(learner_id="ada"))
    assert principal is not None
    assert (principal.subject, principal.learner_id) == ("lms", "ada")
    assert principal.scopes == {"events.write", "records.read"}
    several = tokens.principal(_token(aud=["other", AUDIENCE]))
    assert several is not None


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 1},
        {"exp": ""},
        {"exp": "later"},
        {"exp": True},
        {"nbf": int(time.time()) + 86_400},
        {"iss": "another"},
        {"iss": ""},
        {"aud": "another"},
        {"aud": []},
        {"aud": ""},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_not_good(tokens: Tokens, claims: dict[str, Any]) -> None:
    assert tokens.principal(_token(**claims)) is None


def test_only_an_access_token_is_good(tokens: Tokens) -> None:
    """RFC 9068 section 4: what an issuer signs for other ends lets nobody in."""
    for typ in ("AT+JWT", "application/at+jwt"):
        assert tokens.principal(_token(header={"typ": typ})) is not None
    for typ in ("JWT", "", "id_token", "at+jwt2"):
        assert tokens.principal(_token(header={"typ": typ})) is None
    without = jwt.encode({"alg": "Ed25519", "kid": "tests"}, CLAIMS | {"exp": int(time.time()) + 60}, KEY,
                         algorithms=["Ed25519"])  # fmt: skip
    assert tokens.principal(without) is None


def test_an_unsigned_token_is_not_good(tokens: Tokens) -> None:
    claims = CLAIMS | {"exp": int(time.time()) + 60}
    for algorithm in ("none", "None", "NONE"):
        for header in ({"alg": algorithm}, {"alg": algorithm, "kid": "tests"}):
            assert tokens.principal(f"{_part(header)}.{_part(claims)}.") is None


def test_another_key_under_our_name_is_not_good(tokens: Tokens) -> None:
    other = OKPKey.generate_key("Ed25519", {"kid": "tests", "alg": "Ed25519", "use": "sig"})
    assert tokens.principal(_token(other)) is None
    assert tokens.principal(_token(other, header={"kid": "unknown"})) is None
    brought = _token(other, header={"jwk": other.as_dict(private=False)})
    assert tokens.principal(brought) is None


def test_a_public_key_is_no_shared_secret(tmp_path: Path) -> None:
    """Algorithm confusion: HS256 with the bytes of the public key, as PEM and as raw bytes."""
    rsa = RSAKey.generate_key(2048, {"kid": "tests", "alg": "RS256", "use": "sig"})
    keys = Tokens(_keys_file(tmp_path, rsa, KEY), issuer=ISSUER, audience=AUDIENCE)
    assert keys.principal(_token(rsa, header={"alg": "RS256"})) is not None
    raw = base64.urlsafe_b64decode(str(KEY.as_dict(private=False)["x"]) + "==")
    for secret in (rsa.as_pem(private=False), rsa.as_der(private=False), KEY.as_pem(private=False), raw, b""):
        claims = CLAIMS | {"exp": int(time.time()) + 60}
        for header in ({"alg": "HS256", "kid": "tests"}, {"alg": "HS256"}):
            signed = f"{_part(header)}.{_part(claims)}"
            signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256"))
            assert keys.principal(f"{signed}.{signature.rstrip(b'=').decode()}") is None


def test_a_key_serves_its_own_algorithm_only(tmp_path: Path) -> None:
    key = RSAKey.generate_key(2048, {"kid": "tests", "alg": "PS256", "use": "sig"})
    keys = Tokens(_keys_file(tmp_path, key), issuer=ISSUER, audience=AUDIENCE)
    unbound = RSAKey.import_key({name: part for name, part in key.as_dict(private=True).items() if name != "alg"})
    assert keys.principal(_token(unbound, header={"alg": "RS256"})) is None


def test_an_unknown_critical_header_is_not_passed_over(tokens: Tokens) -> None:
    _, body, _ = _token().split(".")
    header = {"alg": "Ed25519", "kid": "tests", "crit": ["cairn-unknown"], "cairn-unknown": True}
    signed = f"{_part(header)}.{body}"
    raw = base64.urlsafe_b64decode(str(KEY.as_dict(private=True)["d"]) + "==")
    signature = base64.urlsafe_b64encode(Ed25519PrivateKey.from_private_bytes(raw).sign(signed.encode()))
    assert tokens.principal(f"{signed}.{signature.rstrip(b'=').decode()}") is None


def test_every_changed_letter_spoils_a_token(tokens: Tokens) -> None:
    token = _token()
    for place in range(0, len(token) - 1, 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert tokens.principal(changed) is None, place


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200) | st.lists(st.text(max_size=30), max_size=6).map(".".join))
def test_no_text_raises(tokens: Tokens, text: str) -> None:
    assert tokens.principal(text) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values)
def test_no_signed_content_raises(tokens: Tokens, content: Any) -> None:
    signed = f"{_part({'alg': 'Ed25519', 'kid': 'tests'})}.{_part_of(content)}"
    raw = base64.urlsafe_b64decode(str(KEY.as_dict(private=True)["d"]) + "==")
    signature = base64.urlsafe_b64encode(Ed25519PrivateKey.from_private_bytes(raw).sign(signed.encode()))
    assert tokens.principal(f"{signed}.{signature.rstrip(b'=').decode()}") is None


def _part_of(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_a_known_token_ends_when_it_says(tokens: Tokens) -> None:
    token = _token(exp=int(time.time()) + 1)
    assert tokens.principal(token) is not None
    while tokens.principal(token) is not None:  # it ends by itself, though it is remembered
        time.sleep(0.05)


def test_without_keys_nobody_is_let_in() -> None:
    assert Tokens(None, issuer=ISSUER, audience=AUDIENCE).principal(_token()) is None


class _State:
    def __init__(self, tokens: Tokens) -> None:
        self.state = self
        self.tokens = tokens


def _request(tokens: Tokens, method: str = "GET", **headers: str) -> Request:
    raw = [(name.encode(), content.encode()) for name, content in headers.items()]
    return Request({"type": "http", "method": method, "headers": raw, "app": _State(tokens), "query_string": b""})


def test_a_cookie_opens_safe_methods_only(tokens: Tokens) -> None:
    cookie = f"{SESSION_COOKIE}={_token()}"
    assert isinstance(caller(_request(tokens, cookie=cookie)), Principal)
    assert isinstance(caller(_request(tokens, "HEAD", cookie=cookie)), Principal)
    for method in ("POST", "PUT", "PATCH", "DELETE"):  # no cross-site request forgery
        assert caller(_request(tokens, method, cookie=cookie)) is None


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Token {}", "{}"])
def test_only_a_bearer_header_counts(tokens: Tokens, header: str) -> None:
    assert caller(_request(tokens, authorization=header.format(_token()))) is None
    assert caller(_request(tokens, authorization=f"bearer {_token()}")) is not None


def test_a_scope_is_a_whole_word(tokens: Tokens) -> None:
    request = _request(tokens, authorization=f"Bearer {_token(scope='events.write.all records.rea')}")
    for scope in ("events.write", "records.read", "write", ""):
        with pytest.raises(Problem) as refused:
            requires(scope)(request)
        assert refused.value.status == 403
