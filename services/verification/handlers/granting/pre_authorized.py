# pyright: basic
"""The grant of a pre-authorized code (OpenID4VCI 1.0, section 6), at the desk of OAuth 2.0: no program registers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from services.verification.handlers.granting.desk import Desk, Loaded
from services.verification.model.wallet import Redemption
from services.verification.rules.wallet import PRE_AUTHORIZED

TOKEN_SECONDS = 300
# One answer for what was never there, is over, was taken or is wrong: nobody learns which (section 6.3).
_GONE = "Expected the code and PIN of an offer that is open."


class _PreAuthorizedGrant(BaseGrant, TokenEndpointMixin):
    GRANT_TYPE = PRE_AUTHORIZED

    def validate_token_request(self) -> None:
        if not self.request.form.get("pre-authorized_code"):
            raise InvalidRequestError("Expected a 'pre-authorized_code'.")
        redemption: Redemption = self.server.redemption
        if redemption == "no-pin":
            raise InvalidRequestError("Expected a 'tx_code'.")
        if redemption == "needless-pin":
            raise InvalidRequestError("Expected no 'tx_code'.")
        if redemption != "good":
            raise InvalidGrantError(_GONE)

    def create_token_response(self) -> tuple[int, Any, Any]:
        token = {"access_token": generate_token(48), "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        self.save_token(token)
        return 200, token, self.TOKEN_RESPONSE_HEADER


class WalletDesk(Desk):
    """Decides on one request of a wallet, of whose code the rules found the `redemption`."""

    def __init__(self, now: datetime, redemption: Redemption) -> None:
        super().__init__(Loaded(now))
        self.redemption = redemption
        self.register_grant(_PreAuthorizedGrant)
