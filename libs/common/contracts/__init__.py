"""All that may cross a wall between services: the envelope, one file per telling service, the topics.

A contract is a promise: additive for ever. `python -m libs.common.contracts` writes the JSON Schemas.
"""

from libs.common.contracts.awarding import (
    ActDone,
    BadgeExpired,
    BadgeImported,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgesLogged,
    BadgeSuspended,
    EndorsementSigned,
    ImportedBadgeWithdrawn,
    KeyPublished,
    LoggedBadge,
    MilestoneReached,
    StatusListSigned,
)
from libs.common.contracts.contract import Contract
from libs.common.contracts.enrollment import (
    AchievementPublished,
    Enrolled,
    IssuerPublished,
    LearnerRegistered,
    Withdrawn,
)
from libs.common.contracts.progress import (
    ActivityCompleted,
    AssessmentScored,
    CompletionRetracted,
    EvidenceVerified,
    EvidenceWithdrawn,
    ScoreVoided,
)
from libs.common.contracts.rehearsing import RehearsalCompleted

CONTRACTS: tuple[type[Contract], ...] = (
    IssuerPublished,
    AchievementPublished,
    LearnerRegistered,
    Enrolled,
    Withdrawn,
    ActivityCompleted,
    CompletionRetracted,
    AssessmentScored,
    ScoreVoided,
    EvidenceVerified,
    EvidenceWithdrawn,
    BadgeIssued,
    BadgeRevoked,
    BadgeSuspended,
    BadgeReinstated,
    BadgeExpired,
    MilestoneReached,
    RehearsalCompleted,
    BadgeImported,
    ImportedBadgeWithdrawn,
    EndorsementSigned,
    StatusListSigned,
    ActDone,
    BadgesLogged,
    KeyPublished,
)

__all__ = [
    "CONTRACTS",
    "AchievementPublished",
    "ActDone",
    "ActivityCompleted",
    "AssessmentScored",
    "BadgeExpired",
    "BadgeImported",
    "BadgeIssued",
    "BadgeReinstated",
    "BadgeRevoked",
    "BadgeSuspended",
    "BadgesLogged",
    "CompletionRetracted",
    "Contract",
    "EndorsementSigned",
    "Enrolled",
    "EvidenceVerified",
    "EvidenceWithdrawn",
    "ImportedBadgeWithdrawn",
    "IssuerPublished",
    "KeyPublished",
    "LearnerRegistered",
    "LoggedBadge",
    "MilestoneReached",
    "RehearsalCompleted",
    "ScoreVoided",
    "StatusListSigned",
    "Withdrawn",
]
