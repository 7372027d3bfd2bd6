"""All that may cross a wall between services: the envelope, one file per telling service, the topics.

A contract is a promise: additive for ever. `python -m libs.common.contracts` writes the JSON Schemas.
"""

from libs.common.contracts.acting import ActDone, ActRecorded
from libs.common.contracts.awarding import (
    AssertionSigned,
    BadgeExpired,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgesLogged,
    BadgeSuspended,
    EndorsementSigned,
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
    PictureUploaded,
    Withdrawn,
)
from libs.common.contracts.importing import BadgeImported, ImportedBadgeWithdrawn, ImportRefused
from libs.common.contracts.progress import (
    ActivityCompleted,
    AssessmentScored,
    CompletionRetracted,
    EvidenceVerified,
    EvidenceWithdrawn,
    ScoreVoided,
)
from libs.common.contracts.records import RecordSigned
from libs.common.contracts.rehearsing import RehearsalCompleted
from libs.common.contracts.verification import BadgePushed, SharingDecided

CONTRACTS: tuple[type[Contract], ...] = (
    PictureUploaded,
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
    ImportRefused,
    BadgePushed,
    SharingDecided,
    EndorsementSigned,
    AssertionSigned,
    RecordSigned,
    StatusListSigned,
    ActDone,
    ActRecorded,
    BadgesLogged,
    KeyPublished,
)

__all__ = [
    "CONTRACTS",
    "AchievementPublished",
    "ActDone",
    "ActRecorded",
    "ActivityCompleted",
    "AssertionSigned",
    "AssessmentScored",
    "BadgeExpired",
    "BadgeImported",
    "BadgeIssued",
    "BadgePushed",
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
    "ImportRefused",
    "ImportedBadgeWithdrawn",
    "IssuerPublished",
    "KeyPublished",
    "LearnerRegistered",
    "LoggedBadge",
    "MilestoneReached",
    "PictureUploaded",
    "RecordSigned",
    "RehearsalCompleted",
    "ScoreVoided",
    "SharingDecided",
    "StatusListSigned",
    "Withdrawn",
]
