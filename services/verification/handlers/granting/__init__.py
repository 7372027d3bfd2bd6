# pyright: basic
"""Programs at a learner's badges (OAuth 2.0): registered, let in by consent, given tokens, and sent away again.

Each request loads what it names, lets the desk decide, and keeps what it decided, in one transaction. Who shows a
code or a refresh token a second time is somebody else than its program: all that came of that consent ends.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import unquote_plus
from uuid import uuid4

from authlib.oauth2 import OAuth2Error

from libs.common.messaging.work import Work
from services.verification.handlers.granting.desk import OFFLINE, SCOPES, Asked, Desk, Loaded, read_registration
from services.verification.model.grants import Client, Code, GrantedToken
from services.verification.store import grants as store

if TYPE_CHECKING:
    from libs.common.postgres.database import Pool

_CODE_TIME = timedelta(minutes=2)
# Without `offline_access` a program works while its learner is about: a day from their consent, however often it
# refreshes. With it, as long as it comes back within 90 days.
_ATTENDED_TIME = timedelta(days=1)
_OFFLINE_TIME = timedelta(days=90)


class Answer(NamedTuple):
    """What is answered: the status, a JSON object or nothing, and headers."""

    status: int
    body: Mapping[str, Any] | str
    headers: Sequence[tuple[str, str]]


class Wish(NamedTuple):
    """What a program wishes of a learner: who it is, the scopes, and where the learner goes back to."""

    client: Client
    scopes: tuple[str, ...]
    redirect_uri: str


async def register_program(work: Work, document: Mapping[str, Any], now: datetime) -> Answer:
    """Register a program (RFC 7591)."""
    desk = Desk(Loaded(now))
    answer = _told(desk.create_endpoint_response("client_registration", read_registration(document)))
    if desk.kept.client is not None:
        given, metadata = desk.kept.client
        public = metadata.get("token_endpoint_auth_method") == "none"
        secret = None if public else given["client_secret"]
        await store.keep_client(work.connection, given["client_id"], secret, metadata, now)
        if public:
            told = {
                name: value
                for name, value in cast("Mapping[str, Any]", answer.body).items()
                if not name.startswith("client_secret")
            }
            return answer._replace(body=told)
    return answer


async def show_wish(pool: Pool, fields: Sequence[tuple[str, str]], now: datetime) -> Wish | Answer:
    """What a program that sent a learner here wishes, or the answer to a wish that is not as it must be."""
    asked = Asked("GET", fields, None)
    desk = Desk(Loaded(now, client=await store.client(pool, asked.fields.get("client_id", ""))))
    try:
        grant = desk.get_consent_grant(asked)
    except OAuth2Error as fault:
        return _told(desk.handle_error_response(asked, fault))
    client = desk.loaded.client
    assert client is not None
    return Wish(client, tuple(grant.request.scope.split()) or SCOPES[:1], grant.validate_authorization_request())


async def record_consent(
    work: Work, fields: Sequence[tuple[str, str]], learner_id: str | None, now: datetime
) -> Answer:
    """Send the learner back to the program: with a code if they consented, else (None) with their refusal."""
    asked = Asked("GET", fields, None)
    desk = Desk(Loaded(now, client=await store.held_client(work.connection, asked.fields.get("client_id", ""))))
    try:
        grant = desk.get_consent_grant(asked)
    except OAuth2Error as fault:
        return _told(desk.handle_error_response(asked, fault))
    answer = _told(desk.create_authorization_response(asked, grant_user=learner_id, grant=grant))
    if desk.kept.code is not None and learner_id is not None:
        code, granted = desk.kept.code
        address = grant.validate_authorization_request()
        scope, challenge = granted.scope or SCOPES[0], asked.fields["code_challenge"]
        kept = Code(uuid4(), asked.fields["client_id"], learner_id, scope, address, challenge,
                    now + _CODE_TIME, None, None)  # fmt: skip
        await store.keep_code(work.connection, code, kept, now)
    return answer


async def issue_tokens(
    work: Work, fields: Sequence[tuple[str, str]], authorization: str | None, now: datetime
) -> Answer:
    """Give a program tokens for a code, or new ones for a refresh token (RFC 6749, sections 4.1.3 and 6)."""
    asked, connection = Asked("POST", fields, authorization), work.connection
    shown_code, shown_token = asked.form.get("code", ""), asked.form.get("refresh_token", "")
    loaded = Loaded(
        now,
        client=await store.client(connection, _client_id(asked, authorization)),
        code=await store.code(connection, shown_code) if shown_code else None,
        token=await store.token(connection, shown_token) if shown_token else None,
    )
    desk = Desk(loaded)
    answer = _told(desk.create_token_response(asked))
    granted = desk.kept.token
    if granted is not None:
        pair = _pair(granted, loaded.token, now)
        if loaded.client is not None:
            await store.use_client(connection, loaded.client.client_id, now)
        if asked.fields.get("grant_type") == "authorization_code" and loaded.code is not None:
            await store.use_code(connection, shown_code, now)
            await store.keep_token(connection, loaded.code.grant_id, pair)
        elif loaded.token is not None:
            await store.replace_token(connection, loaded.token.access_digest, now)
            await store.keep_token(connection, loaded.token.grant_id, pair)
    elif loaded.code is not None and loaded.code.used_at is not None:
        await store.end_grant(connection, loaded.code.grant_id, now, "misuse")
    elif loaded.token is not None and loaded.token.replaced_at is not None:
        await store.end_grant(connection, loaded.token.grant_id, now, "misuse")
    return answer


async def revoke_tokens(
    work: Work, fields: Sequence[tuple[str, str]], authorization: str | None, now: datetime
) -> Answer:
    """End what a program was granted, by either of its tokens (RFC 7009)."""
    asked = Asked("POST", fields, authorization)
    shown = asked.form.get("token", "")
    client = await store.client(work.connection, _client_id(asked, authorization))
    token = await store.token(work.connection, shown) if shown else None
    desk = Desk(Loaded(now, client=client, token=token))
    answer = _told(desk.create_endpoint_response("revocation", asked))
    if desk.kept.revoked and token is not None:
        await store.end_grant(work.connection, token.grant_id, now, "program")
    return answer


def _pair(granted: Mapping[str, Any], replaced: GrantedToken | None, now: datetime) -> store.Pair:
    """The tokens that were made, with their ends: `replaced` are those in whose place they come, if any."""
    scope, refresh = granted.get("scope", ""), granted.get("refresh_token")
    access_ends_at = now + timedelta(seconds=granted["expires_in"])
    if refresh is None:
        # Of a program that takes none: something that nobody has.
        refresh, refresh_ends_at = store.digest(str(uuid4())).hex(), access_ends_at
    elif OFFLINE in scope.split():
        refresh_ends_at = now + _OFFLINE_TIME
    else:
        refresh_ends_at = now + _ATTENDED_TIME if replaced is None else replaced.refresh_ends_at
    return store.Pair(granted["access_token"], refresh, scope, access_ends_at, refresh_ends_at)


def _told(answer: Any) -> Answer:
    """What the desk answers."""
    status, body, headers = answer
    return Answer(status, body, headers)


def _client_id(asked: Asked, authorization: str | None) -> str:
    """Which program says it is asking: by HTTP Basic, or in the form."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return asked.fields.get("client_id", "")
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return unquote_plus(text.partition(":")[0])
