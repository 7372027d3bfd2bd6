"""What enrollment decides, without doing anything."""

from services.enrollment.rules.pictures import complete_picture, named_picture
from services.enrollment.rules.publishing import (
    decide_version,
    faults_of_time,
    faults_of_tree,
    mentioned_achievements,
)
from services.enrollment.rules.reading import (
    NAMESPACE,
    read_achievement,
    read_enrollments,
    read_issuer,
    read_learners,
)
from services.enrollment.rules.rehearsing import decide_rehearsal, needs_rehearsal

__all__ = [
    "NAMESPACE",
    "complete_picture",
    "decide_rehearsal",
    "decide_version",
    "faults_of_time",
    "faults_of_tree",
    "mentioned_achievements",
    "named_picture",
    "needs_rehearsal",
    "read_achievement",
    "read_enrollments",
    "read_issuer",
    "read_learners",
]
