"""What happens in enrollment: load, decide, save, tell."""

from services.enrollment.handlers.pictures import upload_picture_of_achievement, upload_picture_of_issuer
from services.enrollment.handlers.publishing import publish_achievement, publish_issuer
from services.enrollment.handlers.registering import (
    erase_learner,
    record_enrollments,
    record_name_choice,
    register_learners,
)
from services.enrollment.handlers.rehearsing import on_rehearsal_completed, show_rehearsals

__all__ = [
    "erase_learner",
    "on_rehearsal_completed",
    "publish_achievement",
    "publish_issuer",
    "record_enrollments",
    "record_name_choice",
    "register_learners",
    "show_rehearsals",
    "upload_picture_of_achievement",
    "upload_picture_of_issuer",
]
