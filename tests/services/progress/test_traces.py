"""The trace of an event runs from the request that brought it, or from the sender's own span, into the outbox."""

from __future__ import annotations

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from libs.common.messaging.delivery import Delivery
from libs.common.postgres.database import Database
from services.progress.api import events
from tests.services.progress.support import hear, learner, scored, send, told
from tests.tokens import TokenMint

OWN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REQUEST = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Keeps the spans of the events door."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(events, "tracer", provider.get_tracer("tests"))
    return exporter


def _only(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


async def test_a_trace_goes_on_into_the_outbox(
    doors: httpx.AsyncClient, mint: TokenMint, database: Database, delivery: Delivery, exporter: InMemorySpanExporter
) -> None:
    await hear(delivery, learner("ada"))
    traced = scored(number=2, traceparent=OWN)
    await send(doors, mint, scored(number=1), traced, scored("bob"), 7, traceparent=REQUEST)
    span = _only(exporter)
    context = span.get_span_context()
    assert context is not None
    assert (span.name, f"{context.trace_id:032x}") == ("ingest", REQUEST.split("-")[1])
    requests, own = [row["traceparent"] for row in await told(database)]
    assert requests == f"00-{context.trace_id:032x}-{context.span_id:016x}-01"
    assert own == OWN

    counts = {"cairn.accepted": 3, "cairn.duplicates": 0, "cairn.parked": 1, "cairn.refused": 1}
    assert dict(span.attributes or {}) == counts  # numbers alone: nothing says who learns what
