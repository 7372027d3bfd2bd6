"""The three links that the demonstration ends with, and whether they work."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.doors import Doors
from deploy.local.system import System
from deploy.replay.cohort import Cohort

LINK_HOURS = 1.0
_LEARNERS_ASKED = 48


class NothingToShow(Exception):
    """No learner of the cohort has a badge: the message says so."""


@dataclass(frozen=True, slots=True)
class Link:
    """A page to look at: what it is, and its address (with a token, where the page is not for everyone)."""

    title: str
    url: str


async def links_to_show(system: System, doors: Doors, cohort: Cohort) -> tuple[Link, ...]:
    """A learner's badges, one of these badges, and the events that earned it: of the learner with most badges.

    Looks at the first few dozen learners. Raises `NothingToShow` if none of them has a badge.
    """
    learner_ids = [body["learner_id"] for body in itertools.islice(cohort.learners(), _LEARNERS_ASKED)]
    answers = await asyncio.gather(*(doors.get("verification", f"/learners/{one}/badges") for one in learner_ids))
    learner_id, badges = max(zip(learner_ids, map(_badges, answers), strict=True), key=lambda pair: len(pair[1]))
    if not badges:
        raise NothingToShow(f"none of the first {len(learner_ids)} learners has a badge to show")
    # The first to be earned: events earned it, while a stack or a pathway stands on other badges.
    badge_id = min(badges, key=lambda badge: badge["valid_from"])["badge_id"]
    token = system.identity.mint_token(f"demo:{learner_id}", ["records.read"], learner_id=learner_id, hours=LINK_HOURS)
    verification, awarding = system.urls["verification"], system.urls["awarding"]
    return (
        Link("the badges of a learner", f"{verification}/learners/{learner_id}/badges?access={token}"),
        Link("one badge, as everyone may see it", f"{verification}/badges/{badge_id}"),
        Link("the events that earned it", f"{awarding}/badges/{badge_id}/trail?access={token}"),
    )


def _badges(answer: Any) -> list[dict[str, Any]]:
    return answer["badges"]


async def broken(links: tuple[Link, ...], say: Callable[[str], None]) -> list[Link]:
    """Open every link as a browser would, say what came, and return those that do not answer 200 with a page."""
    found: list[Link] = []
    for link in links:
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False, timeout=30) as browser:
            answer = await browser.get(link.url, headers={"Accept": "text/html"})
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        say(f"{answer.status_code} {link.title}" + ("" if is_page else ": not a page"))
        if answer.status_code != 200 or not is_page:
            found.append(link)
    return found
