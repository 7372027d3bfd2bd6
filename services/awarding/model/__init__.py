"""The values that awarding's rules speak about. They are frozen; nothing here does anything."""

from services.awarding.model.acts import Act, ActKind
from services.awarding.model.badges import (
    About,
    Award,
    Badge,
    BadgeState,
    Cause,
    Change,
    Ended,
    Fact,
    FactKind,
    Held,
    Kept,
    NewFact,
    NewVoid,
    Nothing,
    ToldChange,
    Trail,
    TrailBadge,
    TrailEvent,
    Trigger,
)
from services.awarding.model.bulk import BulkJob, BulkLine, BulkProgress, LineDone, Undoing
from services.awarding.model.challenges import Challenge
from services.awarding.model.decisions import BadgeNow, ByHand, PastChange, Refused
from services.awarding.model.endorsements import EndorsementAsked, SignedEndorsement
from services.awarding.model.imports import ForeignBadge, Import, ImportState, KnownLearner, LossCause, NotImported
from services.awarding.model.keys import FreeKey, IssuerKey, KeyAct, KeyActKind
from services.awarding.model.milestones import Milestone
from services.awarding.model.records import (
    RecordAsked,
    RecordBadge,
    RecordNow,
    RecordPart,
    RecordWish,
    ShownRecord,
)
from services.awarding.model.restoring import RestoredBadge, RestoredChange
from services.awarding.model.status_lists import ListPlace, ListPurpose, StatusListNow

__all__ = [
    "About",
    "Act",
    "ActKind",
    "Award",
    "Badge",
    "BadgeNow",
    "BadgeState",
    "BulkJob",
    "BulkLine",
    "BulkProgress",
    "ByHand",
    "Cause",
    "Challenge",
    "Change",
    "Ended",
    "EndorsementAsked",
    "Fact",
    "FactKind",
    "ForeignBadge",
    "FreeKey",
    "Held",
    "Import",
    "ImportState",
    "IssuerKey",
    "Kept",
    "KeyAct",
    "KeyActKind",
    "KnownLearner",
    "LineDone",
    "ListPlace",
    "ListPurpose",
    "LossCause",
    "Milestone",
    "NewFact",
    "NewVoid",
    "NotImported",
    "Nothing",
    "PastChange",
    "RecordAsked",
    "RecordBadge",
    "RecordNow",
    "RecordPart",
    "RecordWish",
    "Refused",
    "RestoredBadge",
    "RestoredChange",
    "ShownRecord",
    "SignedEndorsement",
    "StatusListNow",
    "ToldChange",
    "Trail",
    "TrailBadge",
    "TrailEvent",
    "Trigger",
    "Undoing",
]
