"""May these steps be published? Every step must be reachable, and every choice a choice (M0.7, M1.7, M1.21–M1.23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from libs.common.contracts.requirement import EvidenceRequired, Requirement, Step, Steps, parts_of
from services.enrollment.model import Fault


def faults_of_steps(part: Steps, pointer: str) -> Iterator[Fault]:
    """Why the pathway at `pointer` could not be walked, each at its place."""
    yield from _faults_of_number(part, pointer)
    known = {step.step_id: step for step in reversed(part.steps)}
    yield from _faults_of_order(part, pointer, known)
    for place, step in enumerate(part.steps):
        for nth, before in enumerate(step.after):
            if before not in known:
                detail = f"expected the id of a step beside this one, found {before!r}"
                yield Fault(f"{pointer}/steps/{place}/after/{nth}", detail)
            elif known[before].optional and not step.optional:
                detail = f"expected a step that is not optional before one that is not, found {before!r}"
                yield Fault(f"{pointer}/steps/{place}/after/{nth}", detail)
        yield from _faults_of_facilitation(step, f"{pointer}/steps/{place}")


def faults_of_step_ids(parts: Iterable[tuple[str, Requirement]]) -> Iterator[Fault]:
    """Steps whose id is taken by another in the same tree: each milestone is told once, under its id.

    `parts` are all parts of the tree with their JSON Pointers.
    """
    first: dict[str, str] = {}
    for pointer, part in parts:
        if isinstance(part, Steps):
            for place, step in enumerate(part.steps):
                here = f"{pointer}/steps/{place}/step_id"
                taken = first.setdefault(step.step_id, here)
                if taken != here:
                    yield Fault(here, f"expected an id of its own, found {step.step_id!r}, which is at {taken}")


def _faults_of_number(part: Steps, pointer: str) -> Iterator[Fault]:
    """With `at_least`, there must be a choice; without it, something that must be done."""
    needed = sum(not step.optional for step in part.steps)
    if part.at_least is None:
        if not needed:
            yield Fault(f"{pointer}/steps", "expected a step that is not optional, or `at_least`, found neither")
    elif part.at_least > len(part.steps):
        detail = f"expected at most the number of steps, {len(part.steps)}, found {part.at_least}"
        yield Fault(f"{pointer}/at_least", detail)
    elif part.at_least < needed:
        detail = f"expected at least the number of steps that are not optional, {needed}, found {part.at_least}"
        yield Fault(f"{pointer}/at_least", detail)


def _faults_of_order(part: Steps, pointer: str, known: Mapping[str, Step]) -> Iterator[Fault]:
    """A circle of steps, named with its way, and the steps that nobody reaches because of it."""
    stuck = _unreachable(known)
    if not stuck:
        return
    way = [min(stuck)]
    while way[-1] not in way[:-1]:
        way.append(next(before for before in known[way[-1]].after if before in stuck))
    circle = way[way.index(way[-1]) :]
    places = {step.step_id: place for place, step in reversed(list(enumerate(part.steps)))}
    nth = known[circle[0]].after.index(circle[1])
    detail = f"expected no circle of steps, found {' → '.join(circle)}"
    yield Fault(f"{pointer}/steps/{places[circle[0]]}/after/{nth}", detail)
    for name in sorted(stuck - set(circle), key=places.__getitem__):
        detail = f"expected a step that can be reached, found one that comes after {' → '.join(circle)}"
        yield Fault(f"{pointer}/steps/{places[name]}/after", detail)


def _unreachable(known: Mapping[str, Step]) -> set[str]:
    """The steps that are in a circle or behind one. Steps before them that are unknown are a fault of their own."""
    waits = {name: {before for before in step.after if before in known} for name, step in known.items()}
    followers: dict[str, list[str]] = {}
    for name, befores in waits.items():
        for before in befores:
            followers.setdefault(before, []).append(name)
    free = [name for name, befores in waits.items() if not befores]
    while free:
        reached = free.pop()
        del waits[reached]
        for name in followers.get(reached, ()):
            waits[name].discard(reached)
            if not waits[name]:
                free.append(name)
    return set(waits)


def _faults_of_facilitation(step: Step, pointer: str) -> Iterator[Fault]:
    if step.facilitation in ("lightly-facilitated", "fully-facilitated") and step.facilitator is None:
        yield Fault(pointer, f"expected `facilitator`, for the step is {step.facilitation}, found nothing")  # M1.23
    if step.facilitation == "supervised":
        for place in _judged_by_people(step.of, f"{pointer}/of"):
            detail = "expected what needs no feedback in a supervised step, found evidence that somebody verifies"
            yield Fault(place, detail)  # M1.22


def _judged_by_people(part: Requirement, pointer: str) -> Iterator[str]:
    """The places of the evidence in a step; steps within it say themselves how they are facilitated."""
    if isinstance(part, EvidenceRequired):
        yield f"{pointer}/kind"
    elif not isinstance(part, Steps):
        for step, inner in parts_of(part):
            yield from _judged_by_people(inner, pointer + step)
