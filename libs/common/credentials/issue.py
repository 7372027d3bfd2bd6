"""Issue the badges of one achievement version: fixed parts once, then one claim after the other."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import orjson

from libs.common.credentials import open_badges_2, proof
from libs.common.credentials.canonical import Json
from libs.common.credentials.documents import assemble, fixed_parts
from libs.common.credentials.jwt import TokenSigner, vc_jwt
from libs.common.credentials.keys import Signer
from libs.common.credentials.model import AchievementTerms, Claim, IssuerProfile
from libs.common.credentials.shape import Patterns, Shapes


@dataclass(frozen=True, slots=True)
class Issued:
    """One issued badge; its bytes are kept, carried and served as they are.

    `credential` is the signed Open Badges 3.0 credential and `open_badge_2` the hosted Open Badges 2.0
    assertion, both compact JSON in UTF-8; `digest` is the hex SHA-256 of `credential`; `compiled` says whether a
    compiled shape made the canonical form (count those that are not: they are a hundred times slower);
    `credential_jwt` the same credential as a VC-JWT, if one was asked for.
    """

    credential: bytes
    open_badge_2: bytes
    digest: str
    compiled: bool
    credential_jwt: str | None = None


class Template:
    """The badges of one published achievement version by one issuer. Keep and share it: it remembers shapes.

    `patterns` are shared by the templates of a process: with them the first badge of an achievement costs little more
    than the next.
    """

    def __init__(self, issuer: IssuerProfile, terms: AchievementTerms, patterns: Patterns | None = None) -> None:
        self._issuer = issuer
        self._terms = terms
        self._fixed = fixed_parts(issuer, terms)
        self._shapes = Shapes(*self._fixed.values(), patterns=patterns)

    @property
    def open_badge_2_class(self) -> bytes:
        """The BadgeClass of Open Badges 2.0, as JSON."""
        return orjson.dumps(open_badges_2.badge_class(self._issuer, self._terms))

    @property
    def open_badge_2_issuer(self) -> bytes:
        """The issuer's Profile of Open Badges 2.0, as JSON."""
        return orjson.dumps(open_badges_2.issuer_profile(self._issuer))

    def issue(
        self, claim: Claim, signer: Signer, *, created: datetime | None = None, token_signer: TokenSigner | None = None
    ) -> Issued:
        """The badge of `claim`, signed by `signer`: equal input, equal bytes.

        The proof is dated `created` (aware), or `claim.valid_from`. `token_signer` makes the VC-JWT. Both must hold
        keys of the issuer. Raises `NotCanonical` if the terms cannot be signed as they are.
        """
        document = assemble(self._fixed, self._terms.name, claim)
        signed = proof.sign(document, signer, created or claim.valid_from, self._shapes)
        credential = orjson.dumps(signed.document)
        return Issued(
            credential=credential,
            open_badge_2=orjson.dumps(open_badges_2.assertion(self._terms, claim)),
            digest=hashlib.sha256(credential).hexdigest(),
            compiled=signed.compiled,
            credential_jwt=None if token_signer is None else _token(document, claim, token_signer),
        )


def _token(document: Json, claim: Claim, signer: TokenSigner) -> str:
    ends = None if claim.valid_until is None else int(claim.valid_until.timestamp())
    return vc_jwt(document, int(claim.valid_from.timestamp()), ends, signer)
