"""All that may cross a wall between services: the envelope, one file per telling service, the topics.

A contract is a promise: additive for ever. `python -m libs.common.contracts` writes the JSON Schemas.
"""

from libs.common.contracts.awarding import (
    BadgeExpired,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgeSuspended,
    KeyPublished,
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
    ScoreVoided,
)

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
    BadgeIssued,
    BadgeRevoked,
    BadgeSuspended,
    BadgeReinstated,
    BadgeExpired,
    MilestoneReached,
    StatusListSigned,
    KeyPublished,
)

__all__ = [
    "CONTRACTS",
    "AchievementPublished",
    "ActivityCompleted",
    "AssessmentScored",
    "BadgeExpired",
    "BadgeIssued",
    "BadgeReinstated",
    "BadgeRevoked",
    "BadgeSuspended",
    "CompletionRetracted",
    "Contract",
    "Enrolled",
    "EvidenceVerified",
    "IssuerPublished",
    "KeyPublished",
    "LearnerRegistered",
    "MilestoneReached",
    "ScoreVoided",
    "StatusListSigned",
    "Withdrawn",
]
