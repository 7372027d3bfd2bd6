"""Sharing on other sites: frames, oEmbed, Open Graph, schema.org, LinkedIn; only the owner has the controls (M1.3)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from services.verification.rules.codes import code_of
from tests.services.verification.support import (
    ACHIEVEMENT,
    ADDRESSES,
    ISSUER,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    revoked,
)

HTML = "text/html"
BADGE = badge_issued(shown_name="Ada Lovelace", valid_until=at(9_999_999))
PAGE, ADDRESS = f"/badges/{BADGE.badge_id}", ADDRESSES.badge(BADGE.badge_id)


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with a badge that names its learner."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
    return service


def own(service: Service) -> dict[str, str]:
    return {"authorization": f"Bearer {service.mint.token(learner_id='learner-1')}"}


async def decide(service: Service, **decision: Any) -> None:
    answer = await service.client.put(f"{PAGE}/sharing", headers=own(service), json=decision)
    assert answer.status_code == 200


async def page_of_owner(service: Service) -> str:
    return (await service.client.get(PAGE, headers={"accept": HTML, **own(service)})).text


def meta(page: str) -> dict[str, str]:
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page)
    return {name: unescape(content) for name, content in found}


async def test_a_link_has_a_picture_and_words_on_social_media(served: Service) -> None:
    told = meta((await served.get(PAGE, HTML)).text)
    assert told["og:title"] == "Ada Lovelace: Coaching and Mentoring"
    assert told["og:url"] == ADDRESS
    assert told["twitter:card"] == "summary_large_image"
    picture = await served.get(urlsplit(told["og:image"]).path)
    assert picture.headers["content-type"] == told["og:image:type"]
    assert int.from_bytes(picture.content[16:20]) == int(told["og:image:width"]) == 1200
    assert int.from_bytes(picture.content[20:24]) == int(told["og:image:height"]) == 630


async def test_search_engines_read_the_badge(served: Service) -> None:
    page = (await served.get(PAGE, HTML)).text
    block = page.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
    told = orjson.loads(block)
    assert told["@type"] == "EducationalOccupationalCredential"
    assert (told["name"], told["url"]) == ("Coaching and Mentoring", ADDRESS)
    assert told["recognizedBy"]["name"] == "Prairie Polytechnic"
    assert told["about"] == {"@type": "Person", "name": "Ada Lovelace"}
    await decide(served, audience="public", shows_name=False)
    hidden = (await served.get(PAGE, HTML)).text
    assert "Lovelace" not in hidden
    # What only some see is not for search engines.
    mine = await page_of_owner(served)
    assert meta(mine)["robots"] == "noindex"
    assert 'ld+json">{' not in mine


async def test_oembed_is_discovered_and_says_how_to_show_the_badge(served: Service) -> None:
    page = (await served.get(PAGE, HTML)).text
    link = unescape(page.partition('<link rel="alternate" type="application/json+oembed" href="')[2].partition('"')[0])
    answer = await served.get(link.removeprefix("https://badges.example"))
    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert (told["version"], told["type"], told["title"]) == ("1.0", "rich", "Coaching and Mentoring")
    assert f'src="{ADDRESS}/embed"' in told["html"]
    narrow = (await served.get(f"/oembed?url={ADDRESS}&maxwidth=300&maxheight=150")).json()
    assert (narrow["width"], narrow["height"]) == (300, 150)
    assert "thumbnail_url" not in narrow
    assert (await served.get(f"/oembed?url={ADDRESS}&format=xml")).status_code == 501
    assert (await served.get(f"/oembed?url={ADDRESS}&maxwidth=wide")).status_code == 422
    for url in (
        "",
        "https://elsewhere.example/badges/x",
        ADDRESS + ".json",
        f"{ADDRESS}/embed",
        "https://[",
        "x" * 999,
    ):
        assert (await served.get(f"/oembed?url={url}")).status_code == 404


async def test_only_the_frame_may_be_framed(served: Service) -> None:
    answer = await served.get(f"{PAGE}/embed", HTML)
    assert answer.status_code == 200
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "Genuine and current" in answer.text
    assert f'href="{ADDRESS}"' in answer.text
    assert "<form" not in answer.text
    assert "frame-ancestors 'none'" in (await served.get(PAGE, HTML)).headers["content-security-policy"]
    await served.hear(event(revoked(BADGE), minutes=1))
    assert "Genuine, but withdrawn" in (await served.get(f"{PAGE}/embed", HTML)).text


async def test_only_the_owner_has_the_controls(served: Service) -> None:
    controls = ("linkedin.com", "embed-code", f"{PAGE}/sharing", "of=credential")
    public, mine = (await served.get(PAGE, HTML)).text, await page_of_owner(served)
    for control in controls:
        assert control not in public
        assert control in mine
    await decide(served, audience="private")
    mine = await page_of_owner(served)
    assert [control for control in controls if control in mine] == [f"{PAGE}/sharing"]


async def test_linkedin_gets_what_the_badge_says(served: Service) -> None:
    page = await page_of_owner(served)
    link = unescape(re.findall(r'href="(https://www\.linkedin\.com/[^"]+)"', page)[0])
    told = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert told == {
        "startTask": "CERTIFICATION_NAME",
        "name": "Coaching and Mentoring",
        "organizationName": "Prairie Polytechnic",
        "issueYear": "2026",
        "issueMonth": "1",
        "expirationYear": "2045",
        "expirationMonth": "1",
        "certUrl": ADDRESS,
        "certId": code_of(BADGE.badge_id),
    }


async def test_what_is_not_shared_is_nowhere(served: Service) -> None:
    await decide(served, audience="private")
    for path in (f"{PAGE}/embed", f"/oembed?url={ADDRESS}"):
        assert (await served.get(path)).status_code == 404
        assert (await served.get(path, HTML)).status_code == 404
