"""What a badge says, out of its signed bytes."""

from __future__ import annotations

from typing import Any, cast

from libs.common.credentials.canonical import NotCanonical, parse_json
from services.verification.model import Alignment, Claims, Evidence
from services.verification.rules.results import read_results

Json = dict[str, Any]

# OB 3.0 achievement types, as awarding writes them, to the kinds of our own catalogue.
_KINDS = {
    "MicroCredential": "micro-credential",
    "LearningProgram": "pathway",
    "Achievement": "milestone",
    "Badge": "attendance",
    "Award": "commemorative",
}


def read_claims(content: bytes) -> Claims | None:
    """The claims in the Open Badges 3.0 credential `content`, or None when it is no such document.

    Whether they are true is for `decide_verdict` to say: do not show them where the signature fails.
    """
    try:
        document = parse_json(content)
    except NotCanonical:
        return None
    subject = _object(document.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    issuer = _object(document.get("issuer"))
    name = _text(achievement.get("name"))
    if name is None:
        return None
    return Claims(
        name=name,
        description=_text(achievement.get("description")) or "",
        criteria=_text(_object(achievement.get("criteria")).get("narrative")) or "",
        language=_text(achievement.get("inLanguage")) or "en",
        kind=_KINDS.get(_text(achievement.get("achievementType")) or "", "micro-credential"),
        issuer_id=_text(issuer.get("id")) or "",
        issuer_name=_text(issuer.get("name")) or "",
        issuer_url=_web_address(issuer.get("url")),
        shown_name=_shown_name(subject),
        narrative=_text(subject.get("narrative")),
        tags=tuple(tag for tag in _list(achievement.get("tag")) if isinstance(tag, str)),
        alignments=tuple(_alignments(achievement)),
        evidence=tuple(_evidence(document)),
        credits=_number(subject.get("creditsEarned")),
        results=read_results(subject, achievement),
    )


def _alignments(achievement: Json) -> list[Alignment]:
    found: list[Alignment] = []
    for entry in map(_object, _list(achievement.get("alignment"))):
        name, url = _text(entry.get("targetName")), _web_address(entry.get("targetUrl"))
        if name is not None and url is not None:
            framework, code = _text(entry.get("targetFramework")), _text(entry.get("targetCode"))
            found.append(Alignment(name, url, framework, code))
    return found


def _evidence(document: Json) -> list[Evidence]:
    found: list[Evidence] = []
    for entry in map(_object, _list(document.get("evidence"))):
        name = _text(entry.get("name"))
        if name is not None:
            found.append(Evidence(name, _text(entry.get("description")), _web_address(entry.get("id"))))
    return found


def _shown_name(subject: Json) -> str | None:
    """The learner's name, which stands in a badge only by their own choice (OB 3.0, IdentityObject)."""
    for entry in map(_object, _list(subject.get("identifier"))):
        if entry.get("identityType") == "name" and entry.get("hashed") is False:
            return _text(entry.get("identityHash"))
    return None


def _web_address(value: Any) -> str | None:
    # Anything else ("javascript:…") must not become a link.
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def _number(value: Any) -> str | None:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _object(value: Any) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
