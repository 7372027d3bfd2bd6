"""The words of a certificate, and of the card that social media show."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from libs.common.web.badge_art import LEVELS
from libs.common.web.card import card_svg
from libs.common.web.colour import hue_of, palette
from libs.common.web.language import Language
from services.verification.api.described import Described, named_picture
from services.verification.api.parts import level_words, parts_of
from services.verification.api.results import result_words
from services.verification.rules.codes import code_of

_MOST_NAME, _MOST_DESCRIPTION, _MOST_CRITERIA, _MOST_SKILLS, _MOST_SKILL = 90, 320, 360, 4, 90
_MOST_RESULTS = 3
_HAS = {
    "micro-credential": "has earned the micro-credential",
    "stack": "has completed the stack",
    "pathway": "has completed the pathway",
    "milestone": "has reached the milestone",
    "attendance": "took part in",
    "commemorative": "was honoured with",
}
_STATES = {
    "revoked": "Withdrawn by the issuer on %(day)s",
    "suspended": "Suspended by the issuer on %(day)s",
    "expired": "Expired on %(day)s",
    "not-yet": "In force from %(day)s",
}


def language_of(request: Request, found: Described) -> Language:
    """The language that the address asks for, else that of the badge: a document is the same for all who fetch it."""
    languages = parts_of(request).pages.languages
    return languages.of(request.query_params.get("lang") or found.told.language)


def certificate_words(request: Request, found: Described, language: Language) -> dict[str, Any]:
    """What certificate.typ reads: every text cut to what one sheet holds."""
    claims, achievement, badge, texts = found.told, found.achievement, found.badge, language.texts.gettext
    name = claims.shown_name or texts("The holder of this badge")
    kind = claims.kind if achievement is None else achievement.kind
    colours, picture = palette(hue_of(badge.achievement_id)), named_picture(found)
    site = urlsplit(parts_of(request).addresses.base_url).netloc
    return {
        "lang": language.tag,
        "title": f"{claims.name} – {name}",
        "issuer": claims.issuer_name,
        "date": [badge.valid_from.year, badge.valid_from.month, badge.valid_from.day],
        "accent": colours.middle,
        "tint": colours.disc,
        "badge_alt": texts("The badge: %(name)s") % {"name": claims.name} if picture is None else picture.caption,
        "qr_alt": texts("QR code of the address at which the badge is verified"),
        "verify": texts("Verify in seconds"),
        "scan": texts("Scan the code or enter this at"),
        "site": f"{site}/c",
        "code": code_of(badge.badge_id),
        "eyebrow": texts("Certificate of achievement"),
        "state": state_words(found, language),
        "certifies": texts("This certifies that"),
        "name": _cut(name, _MOST_NAME),
        "has": texts(_HAS.get(kind, _HAS["micro-credential"])),
        "achievement": _cut(claims.name, _MOST_NAME),
        "description": _cut(claims.description, _MOST_DESCRIPTION),
        "skills_label": texts("Skills"),
        "skills": [
            _cut(skill, _MOST_SKILL)
            for skill in (*(entry.name for entry in claims.alignments), *claims.tags)[:_MOST_SKILLS]
        ],
        "results": _results(found, language),
        "criteria": _cut(claims.criteria, _MOST_CRITERIA),
        "facts": _facts(found, language),
        "attached": texts("The signed badge, for verification by programs"),
    }


def state_words(found: Described, language: Language) -> str | None:
    """What keeps the badge from holding, with its day; None for one that holds."""
    template = _STATES.get(found.standing.state)
    if template is None or found.standing.since is None:
        return None
    return language.texts.gettext(template) % {"day": language.date(found.standing.since)}


def card_of(found: Described, language: Language, art: str) -> str:
    """The card of the badge as SVG; `art` is its picture as SVG."""
    claims, texts = found.told, language.texts.gettext
    earned = texts("%(name)s earned") % {"name": claims.shown_name} if claims.shown_name else texts("Earned and signed")
    state = state_words(found, language)
    return card_svg(
        art,
        hue=hue_of(found.badge.achievement_id),
        earned=earned,
        title=claims.name,
        below=f"{claims.issuer_name} · {language.month(found.badge.valid_from)}",
        sign=state or texts("Verify in one click"),
        tone="bad" if found.standing.state == "revoked" else "caution" if state else "good",
    )


def _results(found: Described, language: Language) -> str:
    """The first results in one line."""
    shown = [result_words(language, one) for one in found.told.results[:_MOST_RESULTS]]
    return " · ".join(f"{_cut(one.name, _MOST_SKILL)}: {_cut(one.reached, _MOST_SKILL)}" for one in shown)


def _facts(found: Described, language: Language) -> list[tuple[str, str]]:
    badge, achievement, texts = found.badge, found.achievement, language.texts.gettext
    facts = [
        (texts("Issued by"), _cut(found.told.issuer_name, 40)),
        (texts("Issued"), language.date(badge.valid_from)),
    ]
    if badge.valid_until is not None:
        facts.append((texts("Expires"), language.date(badge.valid_until)))
    if achievement is not None and achievement.level is not None:
        words = level_words(language, achievement.level)
        facts.append((texts("Level"), words or f"{achievement.level}/{LEVELS}"))
    if achievement is not None and achievement.hours is not None:
        hours = texts("%(hours)s hours") % {"hours": language.number(achievement.hours)}
        facts.append((texts("Learning time"), hours))
    return facts


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
