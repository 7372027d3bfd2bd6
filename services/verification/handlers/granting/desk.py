# pyright: basic
# ruff: noqa: ARG002, RUF012
"""OAuth 2.0 for the Open Badges 3.0 API, by the rules of Authlib: values in, decisions out.

Authlib asks for clients, codes and tokens while it decides, and waits for none. So what a request names is loaded
before, and what it decides is kept after, in the transaction of the request: the desk itself reaches nothing. It has
no types of its own and asks for arguments that nobody needs, hence the two lines above.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from authlib.common.security import generate_token
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, InvalidRequestError, JsonRequest, TokenMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7591 import ClientMetadataClaims, ClientRegistrationEndpoint
from authlib.oauth2.rfc7591.errors import InvalidClientMetadataError, InvalidRedirectURIError
from authlib.oauth2.rfc7636 import CodeChallenge

from services.verification.model.grants import Client, Code, GrantedToken
from services.verification.store.grants import digest

_PREFIX = "https://purl.imsglobal.org/spec/ob/v3p0/scope/"
READ_CREDENTIALS = f"{_PREFIX}credential.readonly"
WRITE_CREDENTIALS = f"{_PREFIX}credential.upsert"
READ_PROFILE = f"{_PREFIX}profile.readonly"
WRITE_PROFILE = f"{_PREFIX}profile.update"
OFFLINE = "offline_access"
SCOPES = (READ_CREDENTIALS, WRITE_CREDENTIALS, READ_PROFILE, WRITE_PROFILE, OFFLINE)
ACCESS_SECONDS = 3600
METHODS = ("client_secret_basic", "client_secret_post", "none")
# Authlib wants requests to have come over https. That is for whoever stands before us to see to.
_HERE = "https://desk.invalid/"
_MAX_REDIRECTS = 10
# The address stands on the consent page, in its Content-Security-Policy and in Location: a plain host, plain ASCII.
_PLAIN_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PLAIN_ADDRESS = re.compile(r"[!-~]{1,1999}")


@dataclass
class Loaded:
    """What a request names, as it is kept; `now` is the present instant."""

    now: datetime
    client: Client | None = None
    code: Code | None = None
    token: GrantedToken | None = None


@dataclass
class Kept:
    """What was decided, and is to be kept: nothing, unless it is set."""

    client: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
    code: tuple[str, OAuth2Request] | None = None
    token: Mapping[str, Any] | None = None
    revoked: bool = False


class Asked(OAuth2Request):
    """A request as Authlib reads one: the fields of its query or form, and its Authorization header."""

    def __init__(self, method: str, fields: Sequence[tuple[str, str]], authorization: str | None) -> None:
        super().__init__(method, _HERE, headers={} if authorization is None else {"Authorization": authorization})
        self.fields = dict(fields)
        payload = BasicOAuth2Payload(self.fields)
        for name in self.fields:
            payload.datalist[name] = [value for other, value in fields if other == name]
        self.payload = payload

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of the form."""
        return self.fields

    @property
    def args(self) -> Mapping[str, str]:
        """The fields of the query."""
        return self.fields


class _Program(ClientMixin):
    """A registered program, as Authlib asks about it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get_client_id(self) -> str:
        return self.client.client_id

    def get_default_redirect_uri(self) -> str | None:
        addresses = self.client.metadata["redirect_uris"]
        return addresses[0] if len(addresses) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str:
        registered = str(self.client.metadata.get("scope") or " ".join(SCOPES)).split()
        return " ".join(name for name in (scope or "").split() if name in registered)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.client.metadata["redirect_uris"]

    def check_client_secret(self, client_secret: str) -> bool:
        kept = self.client.secret_digest
        return kept is not None and hmac.compare_digest(kept, digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == self.client.metadata.get("token_endpoint_auth_method", METHODS[0])

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.client.metadata.get("grant_types", ["authorization_code", "refresh_token"])


class _Pair(TokenMixin):
    def __init__(self, token: GrantedToken) -> None:
        self.token = token

    def check_client(self, client: _Program) -> bool:
        return self.token.client_id == client.get_client_id()

    def get_scope(self) -> str:
        return self.token.scope


class _Consent:
    """A code, as Authlib asks about it."""

    def __init__(self, code: Code) -> None:
        self.code, self.code_challenge, self.code_challenge_method = code, code.challenge, "S256"

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri

    def get_scope(self) -> str:
        return self.code.scope


class _CodeGrant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = list(METHODS)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        self.server.kept.code = (code, request)

    def query_authorization_code(self, code: str, client: _Program) -> _Consent | None:
        found: Code | None = self.server.loaded.code
        if found is None or found.client_id != client.get_client_id() or found.ends_at <= self.server.loaded.now:
            return None
        return _Consent(found) if found.used_at is None and found.ended_at is None else None

    def delete_authorization_code(self, authorization_code: _Consent) -> None:
        """The code is marked as used where its tokens are kept."""

    def authenticate_user(self, authorization_code: _Consent) -> str:
        return authorization_code.code.learner_id


class _Pkce(CodeChallenge):
    """OB 3.0, section 7.2.2.1: every program must use PKCE, and only with S256."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Expected a 'code_challenge' with the method S256.")
        super().validate_code_challenge(grant, redirect_uri)


class _RefreshGrant(RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = list(METHODS)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> _Pair | None:
        found: GrantedToken | None = self.server.loaded.token
        if found is None or not hmac.compare_digest(found.refresh_digest, digest(refresh_token)):
            return None
        ended = found.replaced_at is not None or found.ended_at is not None
        return None if ended or found.refresh_ends_at <= self.server.loaded.now else _Pair(found)

    def authenticate_user(self, refresh_token: _Pair) -> str:
        return refresh_token.token.learner_id

    def revoke_old_credential(self, refresh_token: _Pair) -> None:
        """The old pair is marked as replaced where the new one is kept."""


class _Register(ClientRegistrationEndpoint):
    """Anybody may register: what a program may do is for learners to say, who see its name and its address."""

    def authenticate_token(self, request: JsonRequest) -> bool:
        return True

    def get_server_metadata(self) -> dict[str, Any]:
        return {
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": list(METHODS),
        }

    def extract_client_metadata(self, request: JsonRequest) -> dict[str, Any]:
        told = super().extract_client_metadata(request)
        addresses = told.get("redirect_uris")
        if not isinstance(addresses, list) or not 0 < len(addresses) <= _MAX_REDIRECTS:
            raise InvalidRedirectURIError(f"Expected 1 to {_MAX_REDIRECTS} redirect_uris.")
        if not all(isinstance(address, str) and _is_safe(address) for address in addresses):
            raise InvalidRedirectURIError("Expected https addresses, or http ones of the same machine.")
        if not isinstance(told.get("client_name"), str) or not 0 < len(told["client_name"].strip()) <= 200:
            raise InvalidClientMetadataError("Expected a client_name of 1 to 200 characters.")
        return told

    def save_client(self, client_info: Mapping[str, Any], client_metadata: Mapping[str, Any], request: Any) -> None:
        self.server.kept.client = (client_info, client_metadata)


class _Revoke(RevocationEndpoint):
    CLIENT_AUTH_METHODS = list(METHODS)

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Pair | None:
        found = self.server.loaded.token
        return None if found is None else _Pair(found)

    def revoke_token(self, token: _Pair, request: OAuth2Request) -> None:
        self.server.kept.revoked = True


class Desk(AuthorizationServer):
    """Decides on one request, from what was `loaded`, and notes in `kept` what is to be kept."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.loaded, self.kept = loaded, Kept()
        generator = BearerTokenGenerator(_secret, _secret, lambda *_: ACCESS_SECONDS)
        self.register_token_generator("default", generator)
        self.register_grant(_CodeGrant, [_Pkce(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Register(self, [ClientMetadataClaims]))
        self.register_endpoint(_Revoke(self))

    def query_client(self, client_id: str) -> _Program | None:
        """The program with this id, if it is the one that was loaded."""
        found = self.loaded.client
        return _Program(found) if found is not None and found.client_id == client_id else None

    def save_token(self, token: Mapping[str, Any], request: OAuth2Request) -> None:
        """Note the tokens that were made."""
        self.kept.token = token

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        """The request is read already."""
        return request

    def create_json_request(self, request: JsonRequest) -> JsonRequest:
        """The request is read already."""
        return request

    def handle_response(self, status: int, body: Any, headers: Sequence[tuple[str, str]]) -> tuple[int, Any, Any]:
        """The answer as values."""
        return status, body, headers


def read_registration(document: Mapping[str, Any]) -> JsonRequest:
    """A request to register the program that `document` describes."""
    request: Any = JsonRequest("POST", _HERE)
    request.payload = BasicOAuth2Payload(dict(document))
    return request


def _secret(**_: Any) -> str:
    return generate_token(48)


def _is_safe(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    is_plain = _PLAIN_ADDRESS.fullmatch(address) and _PLAIN_HOST.fullmatch(parts.netloc)
    return bool((parts.scheme == "https" or here) and is_plain and not parts.fragment)
