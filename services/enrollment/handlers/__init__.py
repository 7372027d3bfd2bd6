"""What happens in enrollment: load, decide, save, tell."""

from services.enrollment.handlers.publishing import publish_achievement, publish_issuer
from services.enrollment.handlers.registering import erase_learner, record_enrollments, register_learners

__all__ = ["erase_learner", "publish_achievement", "publish_issuer", "record_enrollments", "register_learners"]
