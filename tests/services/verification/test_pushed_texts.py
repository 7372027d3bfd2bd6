"""What a badge of others says of itself is kept, or refused with the reason: never a failure (OB 3.0, section 6)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from libs.common.credentials.jwt import JwtSigner, vc_jwt
from libs.common.credentials.token_keys import token_key_id, token_multikey
from services.verification.api.exchange import BASE
from tests.services.verification.support import ADDRESSES, Service, at, key_published
from tests.services.verification.test_exchange import PUSHED, Learner, learner, let_in, program, registered, served

__all__ = ["learner", "served"]

P256 = derive_private_key(4711, SECP256R1())
SIGNER = JwtSigner(P256, ADDRESSES.issuer_key_id("prairie", token_key_id(P256.public_key())))
TOKEN_KEY = key_published(
    key_id=token_key_id(P256.public_key()),
    public_key_multibase=token_multikey(P256.public_key()),
    public_key_jwk=json.dumps(SIGNER.public_jwk()),
)


def token(**more: Any) -> str:
    """A genuine badge as VC-JWT that says so."""
    document = json.loads(PUSHED.credential) | more
    del document["proof"]
    return vc_jwt(document, int(at(10).timestamp()), None, SIGNER)


async def pushed(served: Service, learner: Learner, content: str) -> httpx.Response:
    """The answer to a program that pushes it for the learner."""
    await served.hear_all(TOKEN_KEY)
    async with program(served, await registered(served)) as client:
        await let_in(served, learner, client)
        return await client.post(f"{BASE}/credentials", content=content)


# The last is of 1990 letters, and of more bytes than PostgreSQL can look up.
UNKEPT = ("urn:x:\0", "urn:x:" + "x" * 2000, "urn:x:" + "".join(map(chr, range(0x4E00, 0x4E00 + 1984))))


@pytest.mark.parametrize("credential_id", UNKEPT, ids=["u+0000", "long", "long-in-bytes"])
async def test_an_id_that_nobody_can_keep_is_refused(served: Service, learner: Learner, credential_id: str) -> None:
    answer = await pushed(served, learner, token(id=credential_id))
    assert (answer.status_code, answer.json()["imsx_codeMajor"]) == (400, "failure")
    assert "expected a credential with an id" in answer.json()["imsx_description"]


async def test_other_text_is_kept_as_it_was_signed(served: Service, learner: Learner) -> None:
    content = token(id="urn:x:1", name="a\0b", description="\0")
    answer = await pushed(served, learner, content)
    assert (answer.status_code, answer.text) == (201, content)
