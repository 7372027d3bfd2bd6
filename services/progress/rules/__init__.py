"""What progress decides, without doing anything."""

from services.progress.rules.arrival import event_id_of, objects_in, read_batch, read_event, read_heard
from services.progress.rules.outcome import classify, first_of_each, is_unmapped
from services.progress.rules.standing import newest_of_each, summarise

__all__ = [
    "classify",
    "event_id_of",
    "first_of_each",
    "is_unmapped",
    "newest_of_each",
    "objects_in",
    "read_batch",
    "read_event",
    "read_heard",
    "summarise",
]
