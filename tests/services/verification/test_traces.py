"""One trace runs from the event that earned a badge to its page (B9)."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.services.verification.support import (
    ACHIEVEMENT,
    ISSUER,
    TRACE_ID,
    Service,
    badge_issued,
    event,
    key_published,
)

BADGE = badge_issued()


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """What the process exports while the test runs."""
    found = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    exporting = SimpleSpanProcessor(found)
    provider.add_span_processor(exporting)
    yield found
    exporting.shutdown()


def trace_id(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


async def test_keeping_a_badge_is_a_step_of_the_trace_that_earned_it(
    service: Service, exporter: InMemorySpanExporter
) -> None:
    await service.hear_all(BADGE)
    spans = [span for span in exporter.get_finished_spans() if span.name == "keep badge"]
    assert [trace_id(span) for span in spans] == [TRACE_ID]
    assert spans[0].parent is not None
    assert f"{spans[0].parent.span_id:016x}" == "b7ad6b7169203331"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_reading_a_badge_links_to_the_trace_that_earned_it(
    service: Service, exporter: InMemorySpanExporter, accept: str
) -> None:
    await service.hear_all(ISSUER, ACHIEVEMENT, key_published(), BADGE)
    exporter.clear()
    await service.get(f"/badges/{BADGE.badge_id}", accept)
    served = [span for span in exporter.get_finished_spans() if span.name.startswith("GET")]
    assert [span.name for span in served] == ["GET /badges/{badge_id}"]
    assert [f"{link.context.trace_id:032x}" for span in served for link in span.links] == [TRACE_ID]


async def test_a_badge_without_a_trace_is_served_too(service: Service) -> None:
    await service.hear(event(BADGE, traceparent=None))
    assert (await service.get(f"/badges/{BADGE.badge_id}", "application/json")).status_code == 200
