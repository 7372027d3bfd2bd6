"""What enrollment tells: the catalogue, who the learners are, and who is enrolled."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Annotated, ClassVar, Literal

import orjson
from pydantic import AwareDatetime, EmailStr, Field, HttpUrl, StringConstraints

from libs.common.contracts.contract import Contract, Identifier, Label, Part, Text
from libs.common.contracts.requirement import Requirement
from libs.common.contracts.results import ResultDescribed
from libs.common.contracts.topics import CATALOGUE, ENROLLED, LEARNERS

# SHA-256 of the bytes, in hex.
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
PictureType = Literal["image/png", "image/svg+xml"]
# What a picture shows, in words: never blank, since somebody relies on it.
Caption = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$", max_length=800_000)]

AchievementKind = Literal["micro-credential", "stack", "pathway", "milestone", "attendance", "commemorative"]


class Alignment(Part):
    """A competency or standard that an achievement speaks to (Open Badges 3.0, Alignment)."""

    name: Label
    url: HttpUrl
    framework: Label | None = None
    code: Label | None = None


class Picture(Part):
    """An uploaded picture where it is shown: which one, and what it shows, for those who cannot see it."""

    digest: Digest
    media_type: PictureType
    caption: Caption


class PictureUploaded(Contract):
    """An uploaded picture, as it is published for ever. Key: `picture:<SHA-256 of its bytes in hex>`.

    `content` is base64 of its bytes, PNG or SVG, `drawn` base64 of a PNG of what an SVG looks like. Both were decoded
    and written anew under limits, and together they fit into one message of Kafka (1 MB).
    """

    TYPE: ClassVar[str] = "cairn.picture-uploaded.v1"
    TOPIC: ClassVar[str] = CATALOGUE

    digest: Digest
    media_type: PictureType
    content: Base64
    drawn: Base64 | None = None


class IssuerPublished(Contract):
    """An issuer (faculty, school, institution) as its badges name it. Key: `issuer:<issuer_id>`.

    `picture` is its logo, where it uploaded one.
    """

    TYPE: ClassVar[str] = "cairn.issuer-published.v1"
    TOPIC: ClassVar[str] = CATALOGUE

    issuer_id: Identifier
    name: Label
    url: HttpUrl
    email: EmailStr | None = None
    description: Text | None = None
    picture: Picture | None = None


class AchievementPublished(Contract):
    """A published version of something that can be earned. Key: `<achievement id>@<version>`.

    The topic is compacted, and a version is a contract with those who started it (B5): each keeps its own key.

    `hours` is the effort (M1.9), `credits` what a badge of it adds to a `credits` requirement, `on_new_version`
    what becomes of learners who started an earlier version (B5). `on_loss` is what becomes of a badge when what it
    stands on falls away (B4): it is kept; suspended until its requirement is met again; or revoked where that is
    gone for good, and suspended where it may come back. `results` are what a badge tells of the learner's results.

    A badge is valid for `valid_for_days` (for ever where that is not said). What occurs from `renewal_opens_days`
    before its end on counts for the next one: 90 days where that is not said, and always less than the badge's time.

    `picture` is what its badges show; without one they show art that is drawn from the words.
    """

    TYPE: ClassVar[str] = "cairn.achievement-published.v1"
    TOPIC: ClassVar[str] = CATALOGUE

    achievement_id: Identifier
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    kind: AchievementKind
    issuer_id: Identifier
    name: Label
    description: Text
    criteria: Text
    requirement: Requirement
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    tags: tuple[Label, ...] = ()
    alignments: tuple[Alignment, ...] = ()
    level: Annotated[int, Field(ge=1, le=4)] | None = None
    hours: Annotated[Decimal, Field(gt=0, max_digits=8)] | None = None
    credits: Annotated[Decimal, Field(gt=0, max_digits=8)] | None = None
    on_new_version: Literal["grandfather", "upgrade", "re-evaluate"] = "grandfather"
    on_loss: Literal["keep", "suspend", "revoke"] = "suspend"
    results: tuple[ResultDescribed, ...] = ()
    valid_for_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    renewal_opens_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    published_at: AwareDatetime
    picture: Picture | None = None


# Words and pictures for people, and the order of versions: whatever they say, the same learners earn the same.
_WORDS = {
    "version", "kind", "issuer_id", "name", "description", "criteria", "language", "tags", "alignments", "level",
    "hours", "published_at", "picture",
}  # fmt: skip


def meaning_digest(achievement: AchievementPublished) -> str:
    """`sha256:<hex>` of what a version means for what is recorded (B3): canonical JSON of all but its words."""
    meaning = achievement.model_dump(mode="json", exclude=_WORDS)
    return f"sha256:{sha256(orjson.dumps(meaning, option=orjson.OPT_SORT_KEYS)).hexdigest()}"


class LearnerRegistered(Contract):
    """Who a learner id is: the only message with personal data; a tombstone on its key erases. Key: learner id.

    `name` and `email` are the learner's own, where the institution gives them. `shows_name`: the learner wants the
    name in badges that are awarded from now on (M1.3, B7).
    """

    TYPE: ClassVar[str] = "cairn.learner-registered.v1"
    TOPIC: ClassVar[str] = LEARNERS

    learner_id: Identifier
    name: Label | None = None
    email: EmailStr | None = None
    shows_name: bool = False
    registered_at: AwareDatetime


class Enrolled(Contract):
    """A learner enrolled in an offer (M1.4). `ce_time` says when. Key: learner id."""

    TYPE: ClassVar[str] = "cairn.enrolled.v1"
    TOPIC: ClassVar[str] = ENROLLED

    learner_id: Identifier
    offer_id: Identifier


class Withdrawn(Contract):
    """A learner withdrew from an offer. What was earned stays earned. Key: learner id."""

    TYPE: ClassVar[str] = "cairn.withdrawn.v1"
    TOPIC: ClassVar[str] = ENROLLED

    learner_id: Identifier
    offer_id: Identifier
