"""Reading what comes in at the door: from CloudEvents to learning events, or to reasons for a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from libs.common.contracts.envelope import Envelope, Refusal, read_attributes
from libs.common.contracts.requirement import (
    ActivityRequired,
    AssessmentRequired,
    BadgeRequired,
    CreditsRequired,
    EvidenceRequired,
    Requirement,
)
from services.progress.model import FORMS, FieldFault, Form, Kind, LearningEvent, LearningFact, Refused

# uuid5(NAMESPACE_URL, "cairn:progress:event"); a part of every event id, so it never changes.
EVENT_NAMESPACE = UUID("61d7c163-e0fa-58de-8029-120aeea3b982")
MOST_FAULTS = 10
# CloudEvents 1.0 section 3.1, String: these characters are not allowed.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_JSON_MEDIA_TYPE = re.compile(r"^application/(json|[\w.-]+\+json)\s*(;|$)", re.IGNORECASE)
_ADAPTERS: dict[str, tuple[Form, TypeAdapter[LearningFact]]] = {
    type_: (form, cast("TypeAdapter[LearningFact]", TypeAdapter(form.contract))) for type_, form in FORMS.items()
}


def event_id_of(sender: str, source: str, source_id: str) -> UUID:
    """The id under which an event is kept and told: equal for each repetition by the same sender.

    Control characters, and so the separator, cannot be in `source` and `source_id` (CloudEvents 1.0, 3.1).
    """
    return uuid5(EVENT_NAMESPACE, f"{sender}\n{source}\n{source_id}")


def read_batch(
    documents: Sequence[object], *, sender: str, traceparent: str | None
) -> tuple[list[LearningEvent], list[int], list[Refused]]:
    """Read each document of a batch by itself: the good events, their positions, and the refused ones.

    `documents` are CloudEvents as parsed JSON; the other arguments are those of `read_event`.
    """
    events: list[LearningEvent] = []
    positions: list[int] = []
    refused: list[Refused] = []
    for position, document in enumerate(documents):
        event = read_event(document, position=position, sender=sender, traceparent=traceparent)
        if isinstance(event, Refused):
            refused.append(event)
        else:
            events.append(event)
            positions.append(position)
    return events, positions, refused


def read_event(document: object, *, position: int, sender: str, traceparent: str | None) -> LearningEvent | Refused:
    """Read one CloudEvent in JSON (structured mode): a learning event, or why it is none.

    `sender` names the authenticated caller; `traceparent` is that of the request, for an event that brings none.
    """
    if not isinstance(document, dict):
        return _not_a_cloudevent(position, None, "", f"expected a JSON object, found {type(document).__name__}")
    attributes = cast("dict[str, Any]", document)
    found_id = attributes.get("id")
    source_id = found_id if isinstance(found_id, str) else None
    envelope = read_attributes(attributes, None)
    if isinstance(envelope, Refusal):
        missing = envelope.field not in attributes
        detail = f"expected {envelope.expected}, found {envelope.found}"
        if missing:
            return _not_a_cloudevent(position, source_id, f"/{envelope.field}", detail)
        return _bad_field(position, source_id, f"/{envelope.field}", detail)
    known = _ADAPTERS.get(envelope.type)
    if known is None:
        return _unknown_type(position, envelope)
    media_type = attributes.get("datacontenttype", "application/json")
    if media_type != "application/json" and not (isinstance(media_type, str) and _JSON_MEDIA_TYPE.match(media_type)):
        return _bad_field(position, source_id, "/datacontenttype", f"expected JSON, found {media_type!r:.80}")
    form, adapter = known
    content = attributes.get("data")
    if not isinstance(content, dict):
        return _bad_field(position, source_id, "/data", f"expected a JSON object, found {type(content).__name__}")
    try:
        fact = adapter.validate_python(content)
    except ValidationError as fault:
        return Refused(position, source_id, 422, "Invalid event", tuple(_faults(fault)))
    event = _learning_event(envelope, form, fact, adapter, sender, envelope.traceparent or traceparent)
    if isinstance(event, Refusal):
        return _bad_field(position, source_id, f"/{event.field}", f"expected {event.expected}, found {event.found}")
    return event


def read_heard(envelope: Envelope, fact: LearningFact, *, sender: str, traceparent: str | None) -> LearningEvent:
    """The learning event of a message whose contract is already checked. Raises `ValueError` if it is none."""
    form, adapter = _ADAPTERS[envelope.type]
    event = _learning_event(envelope, form, fact, adapter, sender, envelope.traceparent or traceparent)
    if isinstance(event, Refusal):
        raise ValueError(str(event))
    return event


def _learning_event(
    envelope: Envelope,
    form: Form,
    fact: LearningFact,
    adapter: TypeAdapter[LearningFact],
    sender: str,
    traceparent: str | None,
) -> LearningEvent | Refusal:
    if _CONTROL.search(envelope.id):
        return Refusal("id", "no control characters", repr(envelope.id)[:80])
    if _CONTROL.search(envelope.source):
        return Refusal("source", "no control characters", repr(envelope.source)[:80])
    occurred_at = _in_utc(envelope.time)
    if occurred_at is None:
        return Refusal("time", "a time in the years 1 to 9999 in UTC", envelope.time.isoformat())
    return LearningEvent(
        event_id=event_id_of(sender, envelope.source, envelope.id),
        type=envelope.type,
        learner_id=fact.learner_id,
        object_id=getattr(fact, form.object_field),
        occurred_at=occurred_at,
        sender=sender,
        source=envelope.source,
        source_id=envelope.id,
        traceparent=traceparent,
        # Written from the contract: fields that it does not know, such as a name, stay at the door.
        body=adapter.dump_json(fact, exclude_none=True),
    )


def _in_utc(time: datetime) -> datetime | None:
    if time.tzinfo is UTC:
        return time
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None


def objects_in(requirement: Requirement) -> Iterator[tuple[Kind, str]]:
    """The activities, assessments and evidence components that a requirement tree mentions."""
    match requirement:
        case ActivityRequired(activity_id=object_id):
            yield "activity", object_id
        case AssessmentRequired(assessment_id=object_id):
            yield "assessment", object_id
        case EvidenceRequired(component_id=object_id):
            yield "evidence", object_id
        case BadgeRequired() | CreditsRequired():
            pass
        case _:
            for part in requirement.of:
                yield from objects_in(part)


def _unknown_type(position: int, envelope: Envelope) -> Refused:
    name = envelope.type.rpartition(".v")[0]
    for type_ in FORMS:
        if name and type_.rpartition(".v")[0] == name:
            detail = f"expected {type_}, found {envelope.type!r:.80}"
            return Refused(position, envelope.id, 422, "Unsupported version", (FieldFault("/type", detail),))
    detail = f"expected one of {', '.join(FORMS)}; found {envelope.type!r:.80}"
    return Refused(position, envelope.id, 422, "Unknown type", (FieldFault("/type", detail),))


def _not_a_cloudevent(position: int, source_id: str | None, pointer: str, detail: str) -> Refused:
    return Refused(position, source_id, 400, "Not a CloudEvent", (FieldFault(pointer, detail),))


def _bad_field(position: int, source_id: str | None, pointer: str, detail: str) -> Refused:
    return Refused(position, source_id, 422, "Invalid event", (FieldFault(pointer, detail),))


def _faults(fault: ValidationError) -> Iterator[FieldFault]:
    for error in fault.errors(include_url=False, include_context=False)[:MOST_FAULTS]:
        steps = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in error["loc"])
        found = "nothing" if error["type"] == "missing" else f"{error['input']!r:.80}"
        yield FieldFault(f"/data{steps}", f"{error['msg']}; found {found}")
