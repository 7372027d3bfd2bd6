"""What a badge says, as plain frozen values: who issues it, what was achieved, and what varies per badge.

Three values make one badge. `IssuerProfile` and `AchievementTerms` are fixed for every badge of one published
achievement version; `Claim` is what differs from badge to badge. Every document format (Open Badges 3.0 and
2.0, VC-JWT) is made from these three and from nothing else.

Texts may hold any character. Yet PyLD, on which many verifiers stand, refuses what has control characters other
than tab and line ends: whoever takes texts from people should take none of those.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.common.credentials.allowed import require_compact_jws, require_iri, require_text

StatusPurpose = Literal["revocation", "suspension", "refresh", "message"]
IdentityKind = Literal["emailAddress", "url"]
# OB 3.0, IdentifierTypeEnum: those that can name a person.
PersonIdentifier = Literal[
    "name",
    "sourcedId",
    "systemId",
    "userName",
    "accountId",
    "emailAddress",
    "nationalIdentityNumber",
    "lisSourcedId",
    "oneRosterSourcedId",
    "sisSourcedId",
    "ltiUserId",
    "identifier",
]
ResultStatus = Literal["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"]


@dataclass(frozen=True, slots=True)
class IssuerProfile:
    """The organisation that issues (OB 3.0 `Profile`).

    `id` is its `did:web`; `url` its web site; `image` the URL of its logo, `image_caption` what that shows;
    `open_badge_2_url` where its Open Badges 2.0 profile is served.
    """

    id: str
    name: str
    url: str
    open_badge_2_url: str
    email: str | None = None
    description: str | None = None
    image: str | None = None
    image_caption: str | None = None

    def __post_init__(self) -> None:
        require_iri(id=self.id, url=self.url, open_badge_2_url=self.open_badge_2_url, image=self.image)
        require_text(
            name=self.name, email=self.email, description=self.description, image_caption=self.image_caption
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alignment:
    """A node of an outside framework that the achievement meets (OB 3.0 `Alignment`).

    `type` is one of the standard's `targetType` values (`CFItem`, `ceasn:Competency`, …) or `ext:…`.
    """

    name: str
    url: str
    description: str | None = None
    framework: str | None = None
    code: str | None = None
    type: str | None = None

    def __post_init__(self) -> None:
        require_iri(url=self.url)
        require_text(
            name=self.name,
            description=self.description,
            framework=self.framework,
            code=self.code,
            type=self.type,
        )


@dataclass(frozen=True, slots=True)
class RubricLevel:
    """One level of a rubric (OB 3.0 `RubricCriterionLevel`); `points` is a text, as in the standard."""

    id: str
    name: str
    description: str | None = None
    level: str | None = None
    points: str | None = None

    def __post_init__(self) -> None:
        require_iri(id=self.id)
        require_text(name=self.name, description=self.description, level=self.level, points=self.points)


@dataclass(frozen=True, slots=True)
class ResultDescription:
    """A result that badges of the achievement may carry (OB 3.0 `ResultDescription`).

    `type` is the standard's ResultType (`Percent`, `RawScore`, `RubricCriterionLevel`, …) or `ext:…`;
    values are texts, as in the standard; `allowed_values` run from low to high.
    """

    id: str
    name: str
    type: str
    allowed_values: tuple[str, ...] = ()
    required_level: str | None = None
    required_value: str | None = None
    value_min: str | None = None
    value_max: str | None = None
    levels: tuple[RubricLevel, ...] = ()

    def __post_init__(self) -> None:
        require_iri(id=self.id, required_level=self.required_level)
        require_text(name=self.name, type=self.type, required_value=self.required_value)


@dataclass(frozen=True, slots=True)
class AchievementTerms:
    """Everything that is fixed for one published version of an achievement (OB 3.0 `Achievement`).

    `id` is the URL of this version; `type` a value of the standard's AchievementType vocabulary
    (`MicroCredential`, `Badge`, `LearningProgram`, …) or `ext:…`; `image` the URL of the badge's picture
    (Open Badges 2.0 demands one); `badge_class_url` where the Open Badges 2.0 BadgeClass is served; `language`
    a BCP 47 tag such as `en` or `en-GB`; `creator` the author if it is not the issuer. What others say for the
    achievement stands in `endorsements`, signed EndorsementCredentials in JSON, and `endorsement_jwts`, the same as
    VC-JWT.
    """

    id: str
    name: str
    description: str
    type: str
    criteria_narrative: str
    criteria_url: str
    image: str
    badge_class_url: str
    version: str
    language: str = "en"
    image_caption: str | None = None
    tags: tuple[str, ...] = ()
    alignments: tuple[Alignment, ...] = ()
    results: tuple[ResultDescription, ...] = ()
    human_code: str | None = None
    field_of_study: str | None = None
    specialization: str | None = None
    credits_available: float | None = None
    creator: IssuerProfile | None = None
    endorsements: tuple[bytes, ...] = ()
    endorsement_jwts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_compact_jws(endorsement_jwts=self.endorsement_jwts)
        require_iri(
            id=self.id,
            criteria_url=self.criteria_url,
            image=self.image,
            badge_class_url=self.badge_class_url,
        )
        require_text(
            name=self.name,
            description=self.description,
            type=self.type,
            criteria_narrative=self.criteria_narrative,
            version=self.version,
            language=self.language,
            image_caption=self.image_caption,
            human_code=self.human_code,
            field_of_study=self.field_of_study,
            specialization=self.specialization,
        )
        for tag in self.tags:
            require_text(tag=tag)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence (OB 3.0 `Evidence`); `id` is its URL, where it has one."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    narrative: str | None = None
    genre: str | None = None
    audience: str | None = None

    def __post_init__(self) -> None:
        require_iri(id=self.id)
        require_text(
            name=self.name,
            description=self.description,
            narrative=self.narrative,
            genre=self.genre,
            audience=self.audience,
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One result of the learner (OB 3.0 `Result`); `description` is the id of the `ResultDescription`."""

    description: str | None = None
    value: str | None = None
    status: ResultStatus | None = None
    achieved_level: str | None = None

    def __post_init__(self) -> None:
        require_iri(description=self.description, achieved_level=self.achieved_level)
        require_text(value=self.value)


@dataclass(frozen=True, slots=True)
class HashedIdentity:
    """A learner's identifier made unreadable: `sha256$` and the hex SHA-256 of identifier and salt.

    Make one with `identifiers.hashed_email` or `identifiers.hashed_subject`.
    """

    kind: IdentityKind
    identity_hash: str
    salt: str

    def __post_init__(self) -> None:
        require_text(identity_hash=self.identity_hash, salt=self.salt)


@dataclass(frozen=True, slots=True)
class ShownIdentifier:
    """An identifier of the learner in plain text, which the badge shows only because the learner chose so."""

    kind: PersonIdentifier
    value: str

    def __post_init__(self) -> None:
        require_text(value=self.value)


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Where the badge's state can be read (Bitstring Status List 1.0, section 2.1); `index` counts from 0."""

    list_url: str
    index: int
    purpose: StatusPurpose = "revocation"

    def __post_init__(self) -> None:
        require_iri(list_url=self.list_url)
        if "#" in self.list_url:
            raise ValueError(f"list_url: expected no fragment, found {self.list_url[:200]!r}")
        if self.index < 0:
            raise ValueError(f"index: expected 0 or more, found {self.index}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What varies from badge to badge.

    `badge_url` is the credential's id and `assertion_url` that of its Open Badges 2.0 twin; `subject_id` the
    learner's pairwise id (`identifiers.subject_id`); instants are aware and kept to the second; `name` replaces
    the achievement's name as the credential's name; `shown_name` is the learner's own name, only by their choice,
    and so are `shown_identifiers`; `endorsements` and `endorsement_jwts` are of this badge, as in the terms. More than
    one entry of `status` is more than Open Badges 3.0 allows (its schema wants one object), if not the data model.
    """

    badge_url: str
    assertion_url: str
    subject_id: str
    recipient: HashedIdentity
    valid_from: datetime
    valid_until: datetime | None = None
    name: str | None = None
    narrative: str | None = None
    shown_name: str | None = None
    evidence: tuple[Evidence, ...] = ()
    results: tuple[Result, ...] = ()
    status: tuple[StatusEntry, ...] = ()
    credits_earned: float | None = None
    refresh_url: str | None = None
    shown_identifiers: tuple[ShownIdentifier, ...] = ()
    endorsements: tuple[bytes, ...] = ()
    endorsement_jwts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_compact_jws(endorsement_jwts=self.endorsement_jwts)
        require_iri(
            badge_url=self.badge_url,
            assertion_url=self.assertion_url,
            subject_id=self.subject_id,
            refresh_url=self.refresh_url,
        )
        require_text(name=self.name, narrative=self.narrative, shown_name=self.shown_name)
        for name, instant in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            if instant is not None and instant.tzinfo is None:
                raise ValueError(f"{name}: expected an aware instant, found {instant.isoformat()}")
