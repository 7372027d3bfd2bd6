"""What a badge says, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alignment:
    """A competency or standard that an achievement speaks to."""

    name: str
    url: str
    framework: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a badge says of its evidence; `url` is where it lies, if it is public."""

    name: str
    description: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ShownResult:
    """A result of the learner as a badge says it (OB 3.0, `Result` with its `ResultDescription`).

    `kind` is the standard's result type (`Percent`, `RawScore`, `LetterGrade`, `RubricCriterionLevel` …). It has a
    `value`, the `level` that was reached with what that means, or a `status`. `most` is the highest value that there
    is, `required` what the badge asks for.
    """

    name: str
    kind: str
    value: str | None = None
    level: str | None = None
    level_description: str | None = None
    status: str | None = None
    most: str | None = None
    required: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a badge says, read from its signed bytes: nothing else is shown as said by the issuer."""

    name: str
    description: str
    criteria: str
    language: str
    kind: str
    issuer_id: str
    issuer_name: str
    issuer_url: str | None
    shown_name: str | None
    narrative: str | None
    tags: tuple[str, ...]
    alignments: tuple[Alignment, ...]
    evidence: tuple[Evidence, ...]
    credits: str | None
    results: tuple[ShownResult, ...] = ()
