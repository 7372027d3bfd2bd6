"""A contract is a promise: its schema is kept, its examples parse for ever, and it only grows (taste, rule 8)."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from libs.common.contracts import (
    CONTRACTS,
    Contract,
    __main__,
    acting,
    awarding,
    enrollment,
    importing,
    progress,
    records,
    rehearsing,
    verification,
)
from libs.common.contracts.__main__ import SCHEMAS, schema_text, write_schemas
from libs.common.contracts.envelope import Refusal, read_message
from libs.common.contracts.schema import asyncapi, schema_of
from libs.common.contracts.topics import TOPICS

EXAMPLES = SCHEMAS.parent / "examples"
STRUCTURED = [("content-type", b"application/cloudevents+json")]
KEPT = sorted(EXAMPLES.glob("*/*.json"))
BY_TYPE = {contract.TYPE: contract for contract in CONTRACTS}
every_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.TYPE)


def _parse(example: bytes, contract: type[Contract]) -> Contract:
    message = read_message(b"key", STRUCTURED, example)
    assert not isinstance(message, Refusal), message
    envelope, value = message
    assert envelope.type == contract.TYPE
    return contract.model_validate_json(value or b"")


def test_every_contract_is_listed_once() -> None:
    told = {
        member
        for module in (enrollment, progress, awarding, acting, records, rehearsing, importing, verification)
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Contract) and member is not Contract
    }
    assert told == set(CONTRACTS)
    assert len(BY_TYPE) == len(CONTRACTS)
    assert {contract.TOPIC for contract in CONTRACTS} <= {topic.name for topic in TOPICS}


@every_contract
def test_the_kept_schema_is_current(contract: type[Contract]) -> None:
    kept = SCHEMAS / f"{contract.TYPE}.json"
    assert kept.read_bytes() == schema_text(schema_of(contract)), "run `python -m libs.common.contracts`"


def test_nothing_else_is_kept() -> None:
    assert {path.stem for path in SCHEMAS.glob("*")} == set(BY_TYPE)
    assert {path.name for path in EXAMPLES.glob("*")} == set(BY_TYPE)


@every_contract
def test_a_schema_is_valid_json_schema(contract: type[Contract]) -> None:
    Draft202012Validator.check_schema(schema_of(contract))


@every_contract
def test_a_contract_has_a_minimal_and_a_full_example(contract: type[Contract]) -> None:
    minimal = orjson.loads((EXAMPLES / contract.TYPE / "minimal.json").read_bytes())["data"]
    full = orjson.loads((EXAMPLES / contract.TYPE / "full.json").read_bytes())["data"]
    assert set(full) == set(contract.model_fields), "the full example gives every field"
    assert set(minimal) == {name for name, field in contract.model_fields.items() if field.is_required()}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_kept_example_is_accepted_by_the_contract_and_by_the_schema(path: Path) -> None:
    contract = BY_TYPE[path.parent.name]
    example = path.read_bytes()
    content = _parse(example, contract)
    # What is told again means the same.
    assert contract.model_validate_json(content.model_dump_json()) == content
    Draft202012Validator(schema_of(contract), format_checker=FormatChecker()).validate(orjson.loads(example))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_field_that_a_newer_teller_adds_is_ignored(path: Path) -> None:
    contract = BY_TYPE[path.parent.name]
    example = orjson.loads(path.read_bytes())
    newer = copy.deepcopy(example)
    newer["data"]["added_in_a_later_version"] = {"any": ["thing"]}
    newer["laterextension"] = "too"
    assert _parse(orjson.dumps(newer), contract) == _parse(path.read_bytes(), contract)
    Draft202012Validator(schema_of(contract)).validate(newer)


@every_contract
def test_an_example_without_a_promised_field_is_refused_by_both(contract: type[Contract]) -> None:
    example = orjson.loads((EXAMPLES / contract.TYPE / "minimal.json").read_bytes())
    validator = Draft202012Validator(schema_of(contract))
    for name in list(example["data"]):
        poorer = copy.deepcopy(example)
        del poorer["data"][name]
        assert not validator.is_valid(poorer), name
        with pytest.raises(ValueError, match=name if name != "kind" else "kind"):
            _parse(orjson.dumps(poorer), contract)


@pytest.mark.parametrize("score", [{}, {"raw": 1}, {"max": 2}, {"scaled": None}, {"scaled": None, "raw": 1}])
def test_half_a_score_is_refused_by_both(score: dict[str, Any]) -> None:
    contract = progress.AssessmentScored
    example = orjson.loads((EXAMPLES / contract.TYPE / "minimal.json").read_bytes())
    example["data"]["score"] = score
    assert not Draft202012Validator(schema_of(contract)).is_valid(example)
    with pytest.raises(ValueError, match="score"):
        _parse(orjson.dumps(example), contract)


def test_the_command_writes_what_is_kept(tmp_path: Path) -> None:
    assert write_schemas(tmp_path) == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in SCHEMAS.iterdir()
    }
    assert write_schemas(tmp_path) == []


def test_the_command_refuses_to_break_a_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_schemas(tmp_path)
    enrolled = tmp_path / "cairn.enrolled.v1.json"
    promised = orjson.loads(enrolled.read_bytes())
    promised["$defs"]["Enrolled"]["properties"]["seat"] = {"type": "integer"}
    enrolled.write_bytes(orjson.dumps(promised))
    (tmp_path / "cairn.graduated.v1.json").write_bytes(b"{}")
    monkeypatch.setattr(__main__, "SCHEMAS", tmp_path)
    assert __main__.main() == 1
    told = capsys.readouterr().err
    assert "cairn.enrolled.v1.json/data/seat: the field was removed" in told
    assert "cairn.graduated.v1.json: the contract was removed" in told
    assert orjson.loads(enrolled.read_bytes()) == promised, "nothing was overwritten"


def test_asyncapi_names_every_topic_and_contract() -> None:
    document = asyncapi()
    assert set(document["channels"]) == {topic.name for topic in TOPICS}
    assert {message["name"] for message in document["components"]["messages"].values()} == set(BY_TYPE)
    for reference in _references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [reference for child in node.values() for reference in _references(child)]
    return [reference for child in node for reference in _references(child)] if isinstance(node, list) else []
