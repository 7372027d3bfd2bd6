"""Who calls, and what may they do: OAuth 2.0 bearer tokens (RFC 6750) that are JWTs (RFC 9068), by scope.

Tokens are checked against a JWKS file; `alg` is pinned per key, so neither `none` nor a confused algorithm
passes (SR-8). A person who follows a link gets the same token in a cookie (see `session_cookie`).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson
from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from libs.common.problems import Problem

ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256"]
SESSION_COOKIE = "cairn_session"
_CACHE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller: `subject` names it, `scopes` say what it may do, `learner_id` whom it is."""

    subject: str
    scopes: frozenset[str]
    expires_at: float
    learner_id: str | None = None


class Tokens:
    """Checks access tokens. A checked token is remembered until it ends, by its digest only."""

    def __init__(self, keys_file: Path | None, *, issuer: str, audience: str) -> None:
        self._keys = _read_keys(keys_file)
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._known: dict[bytes, Principal] = {}

    def principal(self, token: str) -> Principal | None:
        """The caller that `token` stands for, or None when it is not good (any more)."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._check(token)
            if known is None:
                return None
            if len(self._known) >= _CACHE_LIMIT:
                self._known.clear()
            self._known[digest] = known
        if known.expires_at <= time.time():
            self._known.pop(digest, None)
            return None
        return known

    def _check(self, token: str) -> Principal | None:
        if self._keys is None:
            return None
        try:
            decoded = jwt.decode(token, self._keys, algorithms=ALGORITHMS)
            claims = decoded.claims
            self._claims.validate(claims)
        except (JoseError, ValueError):
            return None
        # RFC 9068 section 4: an ID token, or any other JWT of the same issuer, is no access token.
        if str(decoded.header.get("typ")).lower().removeprefix("application/") != "at+jwt":
            return None
        learner_id: object = claims.get("learner_id")
        return Principal(
            subject=str(claims["sub"]),
            scopes=frozenset(str(claims.get("scope", "")).split()),
            expires_at=float(claims["exp"]),
            learner_id=learner_id if isinstance(learner_id, str) else None,
        )


def _read_keys(keys_file: Path | None) -> KeySet | None:
    if keys_file is None:
        return None
    document: Any = orjson.loads(keys_file.read_bytes())
    return KeySet.import_key_set(cast("KeySetSerialization", document))


def requires(scope: str) -> Callable[[Request], Principal]:
    """A FastAPI dependency that lets in only callers whose token holds `scope`: else 401 or 403."""

    def authorised(request: Request) -> Principal:
        principal = caller(request)
        if principal is None:
            challenge = (("WWW-Authenticate", f'Bearer realm="cairn", scope="{scope}"'),)
            raise Problem(401, "Authentication required", f"Expected a bearer token with {scope!r}.", headers=challenge)
        if scope not in principal.scopes:
            raise Problem(403, "Not allowed", f"Expected a token with the scope {scope!r}.")
        return principal

    return authorised


def form_token(request: Request) -> str:
    """What a form on a page must send back to be believed: a digest of the session, which no other site can know."""
    return hashlib.sha256(b"cairn form " + request.cookies.get(SESSION_COOKIE, "").encode()).hexdigest()


def sender(request: Request, sent: str) -> Principal | None:
    """Who sent a form: the session's caller, if `sent` is the `form_token` of that session (SR-17)."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie or not hmac.compare_digest(form_token(request).encode(), sent.encode("utf-8", "replace")):
        return None
    return cast("Tokens", request.app.state.tokens).principal(cookie)


def caller(request: Request) -> Principal | None:
    """Who calls, by the Authorization header or, on a safe method only, by the session cookie."""
    tokens = cast("Tokens", request.app.state.tokens)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return tokens.principal(token.strip())
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie and request.method in ("GET", "HEAD"):
        return tokens.principal(cookie)
    return None
