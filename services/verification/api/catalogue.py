"""The public addresses of issuers and achievements: pages, Open Badges 2.0 documents, pictures."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.credentials import model as credentials
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.open_badges_2 import badge_class, issuer_profile
from libs.common.web.documents import OPEN_TO_ALL, STATUS, Document, respond
from libs.common.web.refusals import not_found
from services.verification import store
from services.verification.api.parts import (
    JSON_TYPES,
    KINDS,
    PAGE,
    PATHS,
    PICTURE_HEADERS,
    art_of,
    database_of,
    form_of,
    json_document,
    level_words,
    parts_of,
    version_of,
)
from services.verification.api.pictures import address_of, image_of
from services.verification.model import Achievement, Issuer
from services.verification.store import signing
from services.verification.store.endorsements import Endorsed, endorsements_of_version

router = APIRouter(tags=["catalogue"])
READ = ["GET", "HEAD"]
_SHOWN = 200


@router.api_route("/", methods=READ, include_in_schema=False)
async def home(request: Request) -> Response:
    """What this site is, and whose badges it knows."""
    issuers = await store.issuers(database_of(request).pool, _SHOWN)
    rows = [(issuer, PATHS.issuer(issuer.issuer_id)) for issuer in issuers]
    return parts_of(request).pages.respond(request, "home.html", headers=OPEN_TO_ALL, issuers=rows)


@router.api_route(PATHS.issuer("{issuer_id}"), methods=READ)
async def issuer_page(request: Request, issuer_id: str) -> Response:
    """The issuer: a page for people, its Open Badges 2.0 profile for programs."""
    if form_of(request, (PAGE, *JSON_TYPES)) != PAGE:
        return await issuer_open_badge_2(request, issuer_id)
    pool, parts = database_of(request).pool, parts_of(request)
    issuer = await found_issuer(request, issuer_id)
    keys = await store.keys_of_issuer(pool, issuer_id)
    achievements = await store.achievements_of_issuer(pool, issuer_id, _SHOWN)
    return parts.pages.respond(
        request,
        "issuer.html",
        last_modified=issuer.told_at,
        headers=OPEN_TO_ALL,
        issuer=issuer,
        did=parts.addresses.issuer_did(issuer_id),
        did_path=PATHS.issuer(issuer_id) + "/did.json",
        keys=keys,
        logo=None if issuer.picture is None else image_of(issuer.picture),
        achievements=[_card(request, achievement, issuer) for achievement in achievements],
    )


@router.api_route(PATHS.issuer_open_badge_2("{issuer_id}"), methods=READ)
async def issuer_open_badge_2(request: Request, issuer_id: str) -> Response:
    """The issuer's Open Badges 2.0 profile."""
    issuer = await found_issuer(request, issuer_id)
    addresses = parts_of(request).addresses
    keys = [key for key in await signing.token_keys_of_issuer(database_of(request).pool, issuer_id) if key.is_rsa]
    content = issuer_profile(
        profile_of(addresses, issuer),
        # One that was withdrawn proves nothing any more: what it signed is not to be told from what a thief did.
        public_keys=[addresses.open_badge_2_key(issuer_id, key.key_id) for key in keys if key.revoked_at is None],
        revocations=addresses.open_badge_2_revocations(issuer_id) if keys else None,
    )
    return json_document(request, content, last_modified=max([issuer.told_at, *(key.told_at for key in keys)]))


@router.api_route("/achievements/{achievement_id}", methods=READ)
async def newest(request: Request, achievement_id: str) -> Response:
    """The way to the newest version of an achievement."""
    version = await store.latest_version(database_of(request).pool, achievement_id)
    if version is None:
        raise not_found()
    query = f"?{request.url.query}" if request.url.query else ""
    place = PATHS.achievement(achievement_id, str(version)) + query
    return Response(status_code=302, headers={"Location": place, "Cache-Control": STATUS, **OPEN_TO_ALL})


@router.api_route(PATHS.achievement("{achievement_id}", "{version}"), methods=READ)
async def achievement_page(request: Request, achievement_id: str, version: str) -> Response:
    """One version of an achievement: a page for people, its Open Badges 2.0 BadgeClass for programs."""
    if form_of(request, (PAGE, *JSON_TYPES)) != PAGE:
        return await achievement_badge_class(request, achievement_id, version)
    achievement, issuer = await _achievement(request, achievement_id, version)
    language = parts_of(request).pages.language_of(request)
    return parts_of(request).pages.respond(
        request,
        "achievement.html",
        last_modified=max(achievement.told_at, issuer.told_at),
        headers=OPEN_TO_ALL,
        achievement=achievement,
        issuer=issuer,
        issuer_path=PATHS.issuer(issuer.issuer_id),
        art=_shown(request, achievement, issuer),
        kind=KINDS.get(achievement.kind, achievement.kind),
        level=level_words(language, achievement.level),
        hours=None if achievement.hours is None else language.number(achievement.hours),
        credits=None if achievement.credits is None else language.number(achievement.credits),
        badge_class_path=PATHS.badge_class(achievement_id, version),
        endorsements=await _endorsements(request, achievement),
        endorsement_path=PATHS.endorsement,
    )


@router.api_route(PATHS.badge_class("{achievement_id}", "{version}"), methods=READ)
async def achievement_badge_class(request: Request, achievement_id: str, version: str) -> Response:
    """The Open Badges 2.0 BadgeClass of one version of an achievement."""
    achievement, issuer = await _achievement(request, achievement_id, version)
    addresses = parts_of(request).addresses
    terms = _terms(addresses, achievement)
    said = await _endorsements(request, achievement)
    urls = [addresses.open_badge_2_endorsement(one.endorsement_id) for one in said]
    content = badge_class(profile_of(addresses, issuer), terms, endorsements=urls)
    return json_document(request, content, last_modified=max(achievement.told_at, issuer.told_at))


@router.api_route(PATHS.achievement_image("{achievement_id}", "{version}"), methods=READ)
async def achievement_image(request: Request, achievement_id: str, version: str) -> Response:
    """The picture of the badges of one version of an achievement: drawn in its own language, or the way to its own."""
    achievement, issuer = await _achievement(request, achievement_id, version)
    if achievement.picture is not None:
        place = {"Location": address_of(achievement.picture), "Cache-Control": STATUS}
        return Response(status_code=302, headers={**place, **OPEN_TO_ALL})
    picture = Document(
        _art(request, achievement, issuer).encode(), "image/svg+xml", STATUS,
        max(achievement.told_at, issuer.told_at), PICTURE_HEADERS,
    )  # fmt: skip
    return respond(request, picture)


async def found_issuer(request: Request, issuer_id: str) -> Issuer:
    """The issuer of this id. Raises the one 404."""
    issuer = await store.issuer(database_of(request).pool, issuer_id)
    if issuer is None:
        raise not_found()
    return issuer


async def _achievement(request: Request, achievement_id: str, version: str) -> tuple[Achievement, Issuer]:
    found = await store.achievement(database_of(request).pool, achievement_id, version_of(version))
    if found is None:
        raise not_found()
    return found, await found_issuer(request, found.issuer_id)


async def _endorsements(request: Request, achievement: Achievement) -> list[Endorsed]:
    return await endorsements_of_version(database_of(request).pool, achievement.achievement_id, achievement.version)


def _art(request: Request, achievement: Achievement, issuer: Issuer) -> str:
    return art_of(
        parts_of(request).pages.languages.of(achievement.language), title=achievement.name, issuer=issuer.name,
        kind=achievement.kind, level=achievement.level, achievement_id=achievement.achievement_id,
    )  # fmt: skip


def _shown(request: Request, achievement: Achievement, issuer: Issuer) -> str:
    """The picture of its badges as HTML: the uploaded one, or drawn art."""
    named = achievement.picture
    return _art(request, achievement, issuer) if named is None else image_of(named, achievement.language)


def _card(request: Request, achievement: Achievement, issuer: Issuer) -> dict[str, object]:
    return {
        "achievement": achievement,
        "art": _shown(request, achievement, issuer),
        "path": PATHS.achievement(achievement.achievement_id, str(achievement.version)),
        "kind": KINDS.get(achievement.kind, achievement.kind),
    }


def profile_of(addresses: Addresses, issuer: Issuer) -> credentials.IssuerProfile:
    """The issuer as its badges name it."""
    picture = issuer.picture
    return credentials.IssuerProfile(
        id=addresses.issuer_did(issuer.issuer_id),
        name=issuer.name,
        url=issuer.url,
        open_badge_2_url=addresses.issuer_open_badge_2(issuer.issuer_id),
        email=issuer.email,
        description=issuer.description,
        image=None if picture is None else addresses.picture(picture.digest, picture.media_type),
        image_caption=None if picture is None else picture.caption,
    )


def _terms(addresses: Addresses, achievement: Achievement) -> credentials.AchievementTerms:
    name, version, picture = achievement.achievement_id, str(achievement.version), achievement.picture
    return credentials.AchievementTerms(
        id=addresses.achievement(name, version),
        name=achievement.name,
        description=achievement.description,
        type="Badge",
        criteria_narrative=achievement.criteria,
        criteria_url=addresses.achievement(name, version),
        image=addresses.achievement_image(name, version)
        if picture is None
        else addresses.picture(picture.digest, picture.media_type),
        image_caption=None if picture is None else picture.caption,
        badge_class_url=addresses.badge_class(name, version),
        version=version,
        language=achievement.language,
        tags=achievement.tags,
        alignments=tuple(
            credentials.Alignment(entry.name, entry.url, framework=entry.framework, code=entry.code)
            for entry in achievement.alignments
        ),
    )
