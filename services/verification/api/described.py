"""All that the faces of a badge say of it: its verdict, its claims as far as they may be seen, its picture."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.requests import Request

from libs.common.credentials.proof import ProofResult
from libs.common.web.language import Language
from libs.common.web.refusals import not_found
from services.verification import store
from services.verification.api.parts import art_of, database_of, level_words, parts_of
from services.verification.api.pictures import image_of
from services.verification.api.recalling import logged_if_needed
from services.verification.api.results import result_words
from services.verification.api.visible import Seen
from services.verification.model import Achievement, Badge, Claims, NamedPicture, Standing, Verdict, View
from services.verification.rules.standing import decide_standing
from services.verification.rules.verdict import decide_verdict


class Described(NamedTuple):
    """A badge that may be seen, checked just now.

    `claims` are None where it is not genuine or cannot be read;
    `whole` says whether the caller may see the signed document.
    """

    badge: Badge
    view: View
    achievement: Achievement | None
    proof: ProofResult
    standing: Standing
    verdict: Verdict
    claims: Claims | None
    whole: bool

    @property
    def told(self) -> Claims:
        """The claims; for a badge that says nothing worth repeating the one 404."""
        if self.claims is None:
            raise not_found()
        return self.claims


async def described(request: Request, seen: Seen) -> Described:
    """Check the badge and read what it says."""
    badge, parts, pool = seen.badge, parts_of(request), database_of(request).pool
    issuer = await store.issuer(pool, badge.issuer_id)
    keys = await store.keys_of_issuer(pool, badge.issuer_id)
    achievement = await store.achievement(pool, badge.achievement_id, badge.version)
    logged = await logged_if_needed(pool, [badge.badge_id], keys)
    proof = await parts.proofs.check(badge.signed.content, parts.addresses.issuer_did(badge.issuer_id), keys)
    standing = decide_standing(
        parts.now(), valid_from=badge.valid_from, valid_until=badge.valid_until,
        revocation=badge.revocation, suspension=badge.suspension,
    )  # fmt: skip
    verdict = decide_verdict(
        proof,
        keys,
        signed_at=badge.valid_from,
        standing=standing,
        issuer_known=issuer is not None,
        awarded_at=badge.awarded_at,
        logged_at=logged.get(badge.badge_id),
    )
    # What is not genuine says nothing that is worth repeating.
    claims = None if verdict.authentic == "fail" else seen.claims
    return Described(badge, seen.view, achievement, proof, standing, verdict, claims, seen.whole)


def words_of(request: Request, found: Described) -> dict[str, Any]:
    """The picture of the badge, and what only the catalogue knows of it: level and learning time."""
    languages, language = parts_of(request).pages.languages, parts_of(request).pages.language_of(request)
    achievement, claims = found.achievement, found.claims
    level = None if achievement is None else achievement.level
    hours = None if achievement is None or achievement.hours is None else language.number(achievement.hours)
    art = None if claims is None else _shown(found, claims, languages.of(claims.language))
    results = [] if claims is None else [result_words(language, one) for one in claims.results]
    return {"art": art, "level": level_words(language, level), "hours": hours, "results": results}


def _shown(found: Described, claims: Claims, language: Language) -> str:
    """The picture of the badge as HTML: the uploaded one, or drawn art."""
    named = named_picture(found)
    return art_of_badge(found, language) if named is None else image_of(named, claims.language)


def named_picture(found: Described) -> NamedPicture | None:
    """The uploaded picture that the badge shows, if its achievement has one."""
    return None if found.achievement is None else found.achievement.picture


def art_of_badge(found: Described, language: Language) -> str:
    """The art of the badge as SVG, with its kind and level in words of `language`."""
    achievement, claims = found.achievement, found.told
    return art_of(
        language, title=claims.name, issuer=claims.issuer_name,
        kind=claims.kind if achievement is None else achievement.kind,
        level=None if achievement is None else achievement.level, achievement_id=found.badge.achievement_id,
    )  # fmt: skip
