"""The contracts as JSON Schema 2020-12, one for each event type, and as one AsyncAPI 3.0 document.

A schema describes the whole event in CloudEvents structured mode, so that a sender can check what it sends with
any validator; in binary mode the same attributes are the headers and `data` is the value.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from libs.common.contracts import CONTRACTS
from libs.common.contracts.contract import Contract
from libs.common.contracts.topics import TOPICS, Topic

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# CloudEvents 1.0, section 2.3: a String has no control characters.
_TEXT = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "specversion": {"const": "1.0", "description": "The version of CloudEvents."},
    "id": {**_TEXT, "description": "With `source` it names the event for ever: the key by which it is told once."},
    "source": {**_TEXT, "format": "uri-reference", "description": "Where the fact was found, e.g. `/lms/moodle`."},
    "time": {"type": "string", "format": "date-time", "description": "When the fact happened, with its offset."},
    "subject": {**_TEXT, "description": "Whom or what it is about; the message key where there is no other."},
    "traceparent": {
        "type": "string",
        "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C Trace Context: the trace that the event belongs to.",
    },
    "datacontenttype": {"type": "string", "pattern": r"^application/json(;.*)?$", "description": "The form of `data`."},
}


def schema_of(contract: type[Contract]) -> dict[str, Any]:
    """The JSON Schema of one event type, in structured mode; `#/$defs/<Contract>` is that of its data alone."""
    _, generated = models_json_schema([(contract, "validation")], ref_template="#/$defs/{model}")
    return {
        "$schema": _DIALECT,
        "$id": f"urn:cairn:contract:{contract.TYPE}",
        "title": contract.TYPE,
        "description": f"{_told(contract)} Topic: `{contract.TOPIC}`.",
        "type": "object",
        "properties": {
            "type": {"const": contract.TYPE, "description": "What happened, with the major version of its contract."},
            **_ATTRIBUTES,
            "data": {"$ref": f"#/$defs/{contract.__name__}"},
        },
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "$defs": generated["$defs"],
    }


def asyncapi() -> dict[str, Any]:
    """The topics and what is told on each, as an AsyncAPI 3.0 document."""
    _, generated = models_json_schema(
        [(contract, "validation") for contract in CONTRACTS], ref_template="#/components/schemas/{model}"
    )
    channels = {topic.name: _channel(topic) for topic in TOPICS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Cairn",
            "version": "1.0.0",
            "description": "Every message is a CloudEvent 1.0 (Kafka binding; binary mode, structured mode is read).",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": {
            f"{topic.owner}-tells-{topic.name}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": f"Only {topic.owner} tells on this topic.",
            }
            for topic in TOPICS
            if channels[topic.name]["messages"]
        },
        "components": {
            "messages": {contract.__name__: _message(contract) for contract in CONTRACTS},
            "schemas": generated["$defs"] | {"CloudEventHeaders": _headers()},
        },
    }


def _told(contract: type[Contract]) -> str:
    return " ".join((contract.__doc__ or "").split())


def _channel(topic: Topic) -> dict[str, Any]:
    contracts = [contract for contract in CONTRACTS if topic.name == contract.TOPIC]
    configuration = {"cleanup.policy": ["compact" if topic.compacted else "delete"]}
    return {
        "address": topic.name,
        "messages": {
            contract.__name__: {"$ref": f"#/components/messages/{contract.__name__}"} for contract in contracts
        },
        "bindings": {"kafka": {"partitions": topic.partitions, "topicConfiguration": configuration}},
    }


def _message(contract: type[Contract]) -> dict[str, Any]:
    return {
        "name": contract.TYPE,
        "summary": _told(contract),
        "headers": {
            "allOf": [{"$ref": "#/components/schemas/CloudEventHeaders"}],
            "properties": {"ce_type": {"const": contract.TYPE}},
        },
        "payload": {"$ref": f"#/components/schemas/{contract.__name__}"},
    }


def _headers() -> dict[str, Any]:
    headers = {name if name == "traceparent" else f"ce_{name}": known for name, known in _ATTRIBUTES.items()}
    headers["content-type"] = headers.pop("ce_datacontenttype")
    return {
        "type": "object",
        "properties": headers | {"ce_type": {"type": "string"}},
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time"],
    }
