"""What counts as breaking a promise, and what as keeping it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from libs.common.contracts import CONTRACTS
from libs.common.contracts.compatibility import breaks
from libs.common.contracts.schema import schema_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["a", "b"], "type": "string"},
        "name": {"type": "string", "minLength": 1, "maxLength": 30, "pattern": "^x"},
        "count": {"type": "integer", "minimum": 1},
        "part": {"$ref": "#/$defs/Part"},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "maybe": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
    "required": ["kind", "name"],
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {"of": {"type": "array", "items": {"$ref": "#/$defs/Part"}}, "id": {"type": "string"}},
            "required": ["id"],
        }
    },
}
Change = Callable[[dict[str, Any]], Any]


def _changed(change: Change) -> list[str]:
    new = copy.deepcopy(SCHEMA)
    change(new)
    return breaks(SCHEMA, new)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s["properties"].pop("count"), "/count: the field was removed"),
        (lambda s: s["required"].append("count"), "/count: the field is demanded now"),
        (lambda s: s["required"].remove("name"), "/name: the field was promised"),
        (lambda s: s["properties"]["kind"].update(enum=["a"]), "/kind: the values ['b'] were removed"),
        (lambda s: s["properties"]["name"].update(maxLength=29), "/name: maxLength fell from 30 to 29"),
        (lambda s: s["properties"]["name"].update(minLength=2), "/name: minLength rose from 1 to 2"),
        (lambda s: s["properties"]["name"].update(pattern="^y"), "/name: pattern was '^x', is '^y'"),
        (lambda s: s["properties"]["name"].update(format="uri"), "/name: format was None, is 'uri'"),
        (lambda s: s["properties"]["count"].update(maximum=9), "/count: maximum fell from None to 9"),
        (lambda s: s["properties"]["count"].update(type="string"), "/count: expected integer before, string now"),
        (lambda s: s["properties"]["maybe"].update(anyOf=[{"type": "null"}]), "/maybe: number is not accepted"),
        (lambda s: s["$defs"]["Part"]["required"].append("of"), "/part/of: the field is demanded now"),
        (lambda s: s["$defs"]["Part"]["properties"].pop("of"), "/part/of: the field was removed"),
        (lambda s: s["properties"]["count"].update(anyOf=[{"type": "string"}]), "/count: integer is not accepted"),
    ],
)
def test_a_break_is_named_with_its_place(change: Change, told: str) -> None:
    assert any(line.startswith(told) for line in _changed(change)), _changed(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s,
        lambda s: s["properties"].update(added={"type": "string"}),
        lambda s: s["$defs"]["Part"]["properties"].update(added={"type": "string"}),
        lambda s: s["properties"]["kind"].update(enum=["a", "b", "c"]),
        lambda s: s["properties"]["name"].update(maxLength=31, description="told better"),
        lambda s: s["properties"]["name"].pop("pattern"),
        lambda s: s["properties"]["count"].update(type="number"),
        lambda s: s["properties"]["maybe"]["anyOf"].append({"type": "string"}),
        lambda s: s["properties"]["count"].update({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}),
    ],
)
def test_growing_is_no_break(change: Change) -> None:
    assert _changed(change) == []


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.TYPE)
def test_a_contract_keeps_its_own_promise_and_cannot_lose_a_field(contract: Any) -> None:
    schema = schema_of(contract)
    assert breaks(schema, schema) == []
    for name in contract.model_fields:
        poorer = copy.deepcopy(schema)
        del poorer["$defs"][contract.__name__]["properties"][name]
        assert f"/data/{name}: the field was removed" in breaks(schema, poorer)
