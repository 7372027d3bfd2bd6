"""Reading what comes in at the door: from CloudEvents to learning events, or to reasons for a refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID, uuid5

from pydantic import ValidationError

from libs.common.contracts.envelope import Envelope, Refusal, read_attributes
from libs.common.contracts.requirement import (
    ActivityRequired,
    AssessmentRequired,
    EvidenceRequired,
    Requirement,
    parts_of,
)
from services.progress.model import FORMS, FieldFault, Kind, LearningEvent, LearningFact, Refused

# uuid5(NAMESPACE_URL, "cairn:progress:event"); a part of every event id, so it never changes.
EVENT_NAMESPACE = UUID("61d7c163-e0fa-58de-8029-120aeea3b982")
MOST_FAULTS = 10
_JSON_MEDIA_TYPE = re.compile(r"^application/(json|[\w.-]+\+json)\s*(;|$)", re.IGNORECASE)


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
        fault = FieldFault("", f"expected a JSON object, found {type(document).__name__}")
        return Refused(position, None, 400, "Not a CloudEvent", (fault,))
    attributes = cast("dict[str, Any]", document)
    envelope = read_attributes(attributes, None)
    if isinstance(envelope, Refusal):
        return _refused(position, attributes, envelope)
    if envelope.type not in FORMS:
        return _unknown_type(position, envelope)
    try:
        fact = _fact_in(attributes, envelope.type)
    except ValidationError as fault:
        return Refused(position, envelope.id, 422, "Invalid event", tuple(_faults(fault)))
    if isinstance(fact, Refusal):
        return _refused(position, attributes, fact)
    return read_heard(envelope, fact, sender=sender, traceparent=traceparent)


def read_heard(envelope: Envelope, fact: LearningFact, *, sender: str, traceparent: str | None) -> LearningEvent:
    """The learning event of an envelope and a contract that are already checked."""
    form = FORMS[envelope.type]
    return LearningEvent(
        event_id_of(sender, envelope.source, envelope.id),
        envelope.type,
        fact.learner_id,
        getattr(fact, form.object_field),
        envelope.time,
        sender,
        envelope.source,
        envelope.id,
        envelope.traceparent or traceparent,
        # Written from the contract: fields that it does not know, such as a name, stay at the door.
        form.contract.__pydantic_serializer__.to_json(fact, exclude_none=True),
    )


def _fact_in(attributes: Mapping[str, Any], type_: str) -> LearningFact | Refusal:
    media_type, content = attributes.get("datacontenttype"), attributes.get("data")
    if media_type is not None and media_type != "application/json" and not _is_json(media_type):
        return Refusal("datacontenttype", "application/json", repr(media_type)[:80])
    if not isinstance(content, dict):
        return Refusal("data", "a JSON object", "nothing" if content is None else type(content).__name__)
    # The validator itself: `model_validate` adds a Python call for each event.
    return FORMS[type_].contract.__pydantic_validator__.validate_python(content)


def _is_json(media_type: object) -> bool:
    return isinstance(media_type, str) and _JSON_MEDIA_TYPE.match(media_type) is not None


def objects_in(requirement: Requirement) -> Iterator[tuple[Kind, str]]:
    """The activities, assessments and evidence components that a requirement tree mentions."""
    match requirement:
        case ActivityRequired(activity_id=object_id):
            yield "activity", object_id
        case AssessmentRequired(assessment_id=object_id):
            yield "assessment", object_id
        case EvidenceRequired(component_id=object_id):
            yield "evidence", object_id
        case _:
            for _, part in parts_of(requirement):
                yield from objects_in(part)


def _unknown_type(position: int, envelope: Envelope) -> Refused:
    name = envelope.type.rpartition(".v")[0]
    for type_ in FORMS:
        if name and type_.rpartition(".v")[0] == name:
            detail = f"expected {type_}, found {envelope.type!r:.80}"
            return Refused(position, envelope.id, 422, "Unsupported version", (FieldFault("/type", detail),))
    detail = f"expected one of {', '.join(FORMS)}; found {envelope.type!r:.80}"
    return Refused(position, envelope.id, 422, "Unknown type", (FieldFault("/type", detail),))


def _refused(position: int, attributes: Mapping[str, Any], refusal: Refusal) -> Refused:
    found_id = attributes.get("id")
    source_id = found_id if isinstance(found_id, str) else None
    fault = FieldFault(f"/{refusal.field}", f"expected {refusal.expected}, found {refusal.found}")
    if refusal.field in attributes or refusal.field == "data":
        return Refused(position, source_id, 422, "Invalid event", (fault,))
    # CloudEvents 1.0 section 3.1: without a required attribute it is none.
    return Refused(position, source_id, 400, "Not a CloudEvent", (fault,))


def _faults(fault: ValidationError) -> Iterator[FieldFault]:
    for error in fault.errors(include_url=False, include_context=False)[:MOST_FAULTS]:
        steps = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in error["loc"])
        found = "nothing" if error["type"] == "missing" else f"{error['input']!r:.80}"
        yield FieldFault(f"/data{steps}", f"{error['msg']}; found {found}")
