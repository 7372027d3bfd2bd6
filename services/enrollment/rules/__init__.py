"""What enrollment decides, without doing anything."""

from services.enrollment.rules.publishing import decide_version, faults_of_tree, mentioned_achievements
from services.enrollment.rules.reading import (
    NAMESPACE,
    read_achievement,
    read_enrollments,
    read_issuer,
    read_learners,
)

__all__ = [
    "NAMESPACE",
    "decide_version",
    "faults_of_tree",
    "mentioned_achievements",
    "read_achievement",
    "read_enrollments",
    "read_issuer",
    "read_learners",
]
