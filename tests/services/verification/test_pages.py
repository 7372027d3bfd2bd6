"""The pages: the verdict first, safe words, one language at a time, and only for whom they are (B6, M1.2)."""

from html import unescape

import pytest

from libs.common.contracts import AchievementPublished, IssuerPublished
from libs.common.web.documents import STATUS
from libs.common.web.pages import CONTENT_SECURITY_POLICY
from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    OTHER_KEY,
    Service,
    at,
    badge_issued,
    event,
    key_published,
    reinstated,
    revoked,
    suspended,
)

BADGE = badge_issued()
PAGE = f"/badges/{BADGE.badge_id}"
HTML = "text/html"


async def sentence(service: Service, path: str = PAGE) -> str:
    answer = await service.get(path, HTML)
    assert answer.status_code == 200
    heading = answer.text.partition('<h2 id="verdict">')[2].partition("</h2>")[0]
    return unescape(heading)


@pytest.fixture
async def served(service: Service) -> Service:
    """Verification with one badge, its issuer, achievement and key."""
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
    return service


async def test_the_verdict_follows_what_is_told(served: Service) -> None:
    assert await sentence(served) == "Genuine and current"
    await served.hear(event(suspended(BADGE), minutes=1))
    assert await sentence(served) == "Genuine, but suspended"
    await served.hear(event(reinstated(BADGE), minutes=2))
    assert await sentence(served) == "Genuine and current"
    await served.hear(event(revoked(BADGE), minutes=3))
    assert await sentence(served) == "Genuine, but withdrawn"
    assert "Awarded in error." in (await served.get(PAGE, HTML)).text


async def test_the_verdict_follows_the_clock(service: Service) -> None:
    badge = badge_issued(valid_until=at(120))
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), badge)
    assert await sentence(service) == "Genuine and current"
    service.set_clock(at(121))
    assert await sentence(service) == "Genuine, but expired"
    service.set_clock(at(-1))
    assert await sentence(service) == "Genuine, but not in force yet"


async def test_an_issuer_whose_key_has_not_come_yet_is_unknown_and_not_forged(service: Service) -> None:
    await service.hear_all(BADGE)
    assert await sentence(service) == "We cannot tell yet"
    await service.hear_all(key_published())
    assert await sentence(service) == "Genuine, but we do not know this issuer"
    await service.hear_all(ISSUER)
    assert await sentence(service) == "Genuine and current"


async def test_a_key_that_ended_before_the_badge_does_not_count(service: Service) -> None:
    await service.hear_all(ISSUER, BADGE, key_published(valid_until=at(-1).isoformat()))
    assert await sentence(service) == "Not genuine"


async def test_changed_bytes_are_not_genuine_and_say_nothing(served: Service) -> None:
    for changed in ("replace(convert_from(credential, 'utf8'), 'Coaching', 'Cheating')", "'no json'", "'{}'", "'[]'"):
        await served.database.pool.execute(
            f"update badge set credential = convert_to({changed}, 'utf8') where badge_id = $1", BADGE.badge_id
        )
        assert await sentence(served) == "Not genuine"
        text = (await served.get(PAGE, HTML)).text
        assert "Cheating" not in text
        assert "Two observed coaching conversations" not in text
        assert "<svg xmlns" not in text


async def test_a_signature_by_a_key_of_another_is_unknown_here(service: Service) -> None:
    forged = badge_issued(private_key=OTHER_KEY)
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), forged)
    assert await sentence(service) == "We cannot tell yet"


async def test_the_page_says_how_it_may_be_kept_and_shown(served: Service) -> None:
    answer = await served.get(PAGE, HTML)
    assert answer.headers["cache-control"] == STATUS
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["vary"] == "Accept, Accept-Language"
    assert answer.headers["last-modified"] == "Mon, 05 Jan 2026 09:00:00 GMT"
    links = answer.headers["link"].split(", ")
    assert links[0] == f'<{PAGE}.json>; rel="alternate"; type="application/vc+ld+json"'
    assert links[3] == f'<{PAGE}.pdf>; rel="alternate"; type="application/pdf"'
    for path in ("/", "/issuers/prairie", "/achievements/coaching/versions/2", "/badges/nothing"):
        answer = await served.get(path, HTML)
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert "style=" not in answer.text
        assert "<script" not in answer.text


async def test_a_status_changes_the_entity_tag(served: Service) -> None:
    before = await served.get(PAGE, HTML)
    await served.hear(event(suspended(BADGE), minutes=1))
    after = await served.get(PAGE, HTML, if_none_match=before.headers["etag"])
    assert after.status_code == 200
    assert after.headers["last-modified"] == "Mon, 05 Jan 2026 09:01:00 GMT"


async def test_assets_are_served_under_names_of_their_content(served: Service) -> None:
    page = (await served.get(PAGE, HTML)).text
    sheet = page.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    answer = await served.get(sheet)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert (await served.get(sheet, if_none_match=answer.headers["etag"])).status_code == 304


async def test_words_from_outside_stay_words(service: Service) -> None:
    name = '<script>alert("1")</script>'
    issuer = IssuerPublished.model_validate({**ISSUER.model_dump(mode="json"), "name": name, "description": name})
    achievement = AchievementPublished.model_validate(
        {**ACHIEVEMENT.model_dump(mode="json"), "name": name, "description": name, "criteria": name, "tags": [name]}
    )
    badge = badge_issued(achievement=achievement, issuer=issuer, shown_name=name)
    await service.hear_all(issuer, achievement, key_published(), badge)
    await service.hear(event(revoked(badge, name), minutes=1))
    headers = service.mint.headers("records.read")
    for path in (PAGE, "/", "/issuers/prairie", "/achievements/coaching/versions/2", "/learners/learner-1/badges"):
        answer = await service.client.get(path, headers={"accept": HTML, **headers})
        assert answer.status_code == 200
        # A block of JSON is the one script element that there is, and it runs nothing.
        assert "<script" not in answer.text.replace('<script type="application/ld+json">', "")
        assert answer.text.count("</script>") == answer.text.count('<script type="application/ld+json">')
        assert "&lt;script&gt;" in answer.text


@pytest.mark.parametrize("path", [PAGE, "/", "/issuers/prairie", "/achievements/coaching/versions/2", "/badges/x"])
async def test_pages_speak_the_readers_language(served: Service, path: str) -> None:
    english = await served.get(path, HTML)
    french = await served.get(path, HTML, accept_language="fr-CA,fr;q=0.9,en;q=0.5")
    assert '<html lang="en" dir="ltr">' in english.text
    assert '<html lang="fr" dir="ltr">' in french.text
    assert "Aller au contenu" in french.text
    assert (await served.get(f"{path}?lang=fr", HTML)).text.count("?lang=fr") > 0


async def test_a_chosen_language_is_carried_on(served: Service) -> None:
    page = (await served.get(f"{PAGE}?lang=fr", HTML)).text
    assert "Authentique et en vigueur" in page
    assert 'href="/issuers/prairie?lang=fr"' in page
    assert "5 janvier 2026" in page


async def test_the_holders_name_is_shown_only_where_it_was_signed(service: Service) -> None:
    anonymous, named = badge_issued("learner-1"), badge_issued("learner-2", shown_name="Ada Lovelace")
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), anonymous, named)
    assert "Awarded to" not in (await service.get(f"/badges/{anonymous.badge_id}", HTML)).text
    assert "Ada Lovelace" in (await service.get(f"/badges/{named.badge_id}", HTML)).text


async def test_refusals_are_pages_for_people_and_problems_for_programs(served: Service) -> None:
    page = await served.get("/badges/nothing", HTML)
    assert page.status_code == 404
    assert "Nothing is here" in page.text
    assert page.headers["cache-control"] == "no-store"
    problem = await served.get("/badges/nothing", "application/json")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == 404
