"""The published CloudEvents conformance scenarios of the Kafka protocol binding.

They are read from a checkout of github.com/cloudevents/conformance, named by `CAIRN_TEST_DATA` (its folder
`cloudevents/features`), which is not part of this project.
"""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from libs.common.contracts.envelope import Refusal, read_message

DATA = Path(os.environ.get("CAIRN_TEST_DATA", Path(__file__).parents[5] / "shared" / "data"))
FEATURE = DATA / "cloudevents" / "features" / "kafka-protocol-binding.feature"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario: a Kafka message, and the attributes and data that it must be read as."""

    name: str
    payload: bytes
    headers: tuple[tuple[str, bytes], ...]
    attributes: dict[str, str]
    content: Any


def _rows(block: str) -> dict[str, str]:
    cells = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines() if "|" in line
    ]
    return {cell[0]: cell[1] for cell in cells if len(cell) == 2 and cell[0] != "key"}


def read_feature(text: str) -> list[Scenario]:
    """The scenarios of a Gherkin feature of this binding; an outline gives one for each of its examples."""
    scenarios: list[Scenario] = []
    for block in re.split(r"^\s*Scenario(?: Outline)?: ", text, flags=re.MULTILINE)[1:]:
        name = block.splitlines()[0]
        outline, _, table = block.partition("Examples:")
        examples = [line.strip().strip("|").strip() for line in table.splitlines() if "|" in line][1:] or [""]
        for content_type in examples:
            filled = outline.replace("<contentType>", content_type)
            payload, content = re.findall(r'"""\n(.*?)"""', filled, flags=re.DOTALL)
            _, headers, attributes = re.split(r"Kafka headers:|attributes are:", filled)
            sent = tuple((name, value.encode()) for name, value in _rows(headers).items())
            scenarios.append(Scenario(name, payload.encode(), sent, _rows(attributes), orjson.loads(content)))
    return scenarios


def test_the_scenarios_of_the_kafka_binding_hold() -> None:
    if not FEATURE.exists():
        pytest.skip(f"the CloudEvents conformance scenarios are not at {FEATURE}")
    scenarios = read_feature(FEATURE.read_text())
    assert len(scenarios) == 3
    for scenario in scenarios:
        read = read_message(None, scenario.headers, scenario.payload)
        assert not isinstance(read, Refusal), f"{scenario.name}: {read}"
        envelope, value = read
        assert {"id": envelope.id, "type": envelope.type, "source": envelope.source} == {
            name: scenario.attributes[name] for name in ("id", "type", "source")
        }
        assert envelope.time.strftime("%Y-%m-%dT%H:%M:%SZ") == scenario.attributes["time"]
        assert orjson.loads(value or b"") == scenario.content


YAML = DATA / "cloudevents" / "yaml"


def test_the_sample_events_are_read_or_refused_by_name() -> None:
    """The `v1.yaml` samples carry every attribute that Cairn asks for; the minimal ones lack `time`."""
    if not YAML.exists():
        pytest.skip(f"the CloudEvents sample events are not at {YAML}")
    samples = [*_samples(YAML / "v1.yaml"), *_samples(YAML / "v1.0" / "v1_minimum.yaml")]
    assert len(samples) == 8
    for attributes, text in samples:
        headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
        read = read_message(b"k", headers, text)
        if "time" in attributes:
            assert not isinstance(read, Refusal), read
            assert (read[0].id, read[1]) == (attributes["id"], text)
        else:
            assert isinstance(read, Refusal)
            assert read.field == "time"


def _samples(path: Path) -> list[tuple[dict[str, str], bytes]]:
    samples: list[tuple[dict[str, str], bytes]] = []
    for document in path.read_text().split("\n---\n"):
        lines = [line for line in document.splitlines() if line.strip()]
        attributes = dict(re.findall(r"^  (specversion|type|time|id|source): (.*)$", document, flags=re.MULTILINE))
        told = itertools.dropwhile(lambda line: not line.startswith("Data:"), lines)
        samples.append((attributes, "\n".join(line.strip() for line in list(told)[1:]).encode()))
    return samples
