"""Traces that cross the broker, spans in a file, and faults told without their text."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import StatusCode

from libs.common.contracts.envelope import is_traceparent
from libs.common.telemetry import (
    FileSpanExporter,
    Tracer,
    current_traceparent,
    links_to,
    parent_context,
    span_context_of,
    told_fault,
)

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def spans_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Tracer, Path]:
    """A tracer whose spans go to a file, and the file."""
    path = tmp_path / "traces" / "spans.jsonl"
    provider = TracerProvider(resource=Resource.create({"service.name": "cairn-tests"}))
    provider.add_span_processor(SimpleSpanProcessor(FileSpanExporter(path)))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    return Tracer("tests"), path


def _spans(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_a_trace_runs_on_from_a_traceparent(spans_file: tuple[Tracer, Path]) -> None:
    tracer, path = spans_file
    with tracer.start_as_current_span("outer", parent_context(TRACEPARENT), attributes={"cairn.badge": "b"}):
        told = current_traceparent()
    assert is_traceparent(told)
    with tracer.start_as_current_span("inner", parent_context(told), links=links_to([told, None, told])):
        pass
    outer, inner = _spans(path)
    assert outer["trace_id"] == inner["trace_id"] == TRACEPARENT.split("-")[1]
    assert (outer["parent_id"], inner["parent_id"]) == ("00f067aa0ba902b7", outer["span_id"])
    assert (outer["service"], outer["attributes"]) == ("cairn-tests", {"cairn.badge": "b"})
    assert inner["links"] == [f"{outer['trace_id']}-{outer['span_id']}"]
    assert current_traceparent() is None


def test_a_span_says_the_type_of_a_fault_and_not_its_text(spans_file: tuple[Tracer, Path]) -> None:
    tracer, path = spans_file
    with pytest.raises(ValueError, match="ada@"), tracer.start_as_current_span("work") as span:
        raise ValueError("ada@learner.example is not registered")
    assert span.status.status_code is StatusCode.ERROR  # type: ignore[attr-defined]
    assert (span.status.description, span.events) == (None, ())  # type: ignore[attr-defined]
    assert _spans(path)[0]["attributes"] == {"error.type": "ValueError"}
    assert b"ada@" not in path.read_bytes()


def test_a_fault_is_told_by_types_and_places() -> None:
    try:
        try:
            raise KeyError("ada@learner.example")
        except KeyError as cause:
            raise RuntimeError("cannot read ada@learner.example") from cause
    except RuntimeError as fault:
        told = told_fault(fault)
    kinds = [line for line in told.splitlines() if not line.startswith(" ")]
    assert kinds == ["builtins.RuntimeError", "builtins.KeyError"]
    assert told.count("test_telemetry.py:") == 2
    assert "ada" not in told


@given(st.lists(st.none() | st.integers(1, 2**64 - 1).map(lambda span: f"00-{7:032x}-{span:016x}-01"), max_size=300))
def test_links_are_distinct_and_few(traceparents: list[str | None]) -> None:
    links = links_to(traceparents)
    assert len(links) == min(len({text for text in traceparents if text}), 128)
    assert all(link.context.is_remote for link in links)


def test_no_traceparent_is_no_parent() -> None:
    assert parent_context(None) is None
    assert span_context_of(None) is None
