"""The outlines and the marks of badges, drawn around (200, 200) in a field of 400 by 400."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

CENTRE = 200.0
Point = tuple[float, float]


@cache
def outline(kind: str) -> str:
    """The path data of the outline that badges of this achievement kind have; an unknown kind is a circle."""
    match kind:
        case "micro-credential":
            return _waves(16, 190, 163)
        case "stack":
            return _polygon(6, 200, 74)
        case "pathway":
            return _polygon(8, 190, 50, turn=math.pi / 8)
        case "milestone":
            return _polygon(5, 218, 92, lower=14)
        case "commemorative":
            return _waves(8, 190, 168)
        case _:
            return f"M{CENTRE - 178:g} 200A178 178 0 1 1 {CENTRE + 178:g} 200A178 178 0 1 1 {CENTRE - 178:g} 200Z"


def _at(angle: float, radius: float, lower: float = 0) -> Point:
    # Angle 0 points up, so that a polygon stands on its axis.
    return CENTRE + radius * math.sin(angle), CENTRE + lower - radius * math.cos(angle)


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _path(steps: Sequence[tuple[str, Sequence[Point]]]) -> str:
    return "".join(letter + " ".join(f"{round(x, 1):g} {round(y, 1):g}" for x, y in points) for letter, points in steps)


def _polygon(sides: int, radius: float, rounding: float, *, turn: float = 0, lower: float = 0) -> str:
    """A regular polygon whose corners are cut `rounding` along each edge and curved through the corner."""
    corners = [_at(turn + 2 * math.pi * side / sides, radius, lower) for side in range(sides)]
    share = rounding / math.dist(corners[0], corners[1])
    steps: list[tuple[str, Sequence[Point]]] = []
    for index, corner in enumerate(corners):
        before, after = corners[index - 1], corners[(index + 1) % sides]
        steps.append(("L" if steps else "M", [_between(corner, before, share)]))
        steps.append(("Q", [corner, _between(corner, after, share)]))
    return _path(steps) + "Z"


def _waves(lobes: int, outer: float, inner: float) -> str:
    """A closed wave: a quadratic B-spline, so that it has no corner anywhere."""
    count = 2 * lobes
    controls = [_at(math.pi * step / lobes, outer if step % 2 == 0 else inner) for step in range(count)]
    middles = [_between(controls[step], controls[(step + 1) % count], 0.5) for step in range(count)]
    steps: list[tuple[str, Sequence[Point]]] = [("M", [middles[-1]])]
    steps += [("Q", [controls[step], middles[step]]) for step in range(count)]
    return _path(steps) + "Z"


# Line drawings in a field of 64 by 64, stroked 5 wide with round ends.
_MARKS = {
    "micro-credential": "M12 14q10-5 20 2q10-7 20-2v34q-10-5-20 2q-10-7-20-2ZM32 16v34",
    "stack": "M32 7 58 20 32 33 6 20ZM6 32 32 45 58 32M6 44 32 57 58 44",
    "pathway": "M15 50h24a9 9 0 0 0 0-18H25a9 9 0 0 1 0-18h20M12 50m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0"
    "M52 14m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
    "milestone": "M18 58V8M18 10q9-5 17 0t17 0v24q-9 5-17 0t-17 0",
    "attendance": "M32 18m-9 0a9 9 0 1 0 18 0a9 9 0 1 0-18 0M12 56q2-18 20-18t20 18",
    "commemorative": "M32 7 39.4 23 57 25.2 44.1 37.4 47.4 54.8 32 46.4 16.6 54.8 19.9 37.4 7 25.2 24.6 23Z",
}


def mark(kind: str) -> str:
    """The path data of the mark of this achievement kind."""
    return _MARKS.get(kind, _MARKS["micro-credential"])
