"""Traces, metrics and logs: one way for all processes. Personal data is in none of them.

Spans go to an OTLP endpoint when `OTEL_EXPORTER_OTLP_ENDPOINT` is set, and to a file of JSON lines when
`CAIRN_TRACE_FILE` is; without either they only give the ids that logs and messages carry.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, TraceFlags, set_span_in_context
from opentelemetry.util.types import AttributeValue
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector


class Tracer:
    """Starts spans that say of what type a fault was and nothing more: its text may name a person."""

    def __init__(self, name: str) -> None:
        self._tracer = trace.get_tracer(name)

    @contextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
    ) -> Generator[Span]:
        """A span around a `with` block, child of `context` (or of the span that runs now)."""
        with self._tracer.start_as_current_span(
            name, context, kind, attributes, links, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except Exception as fault:
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", type(fault).__qualname__)
                raise

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
    ) -> Span:
        """A span that the caller ends."""
        return self._tracer.start_span(name, context, kind, attributes, links)


tracer = Tracer("cairn")

EVENTS = Counter("cairn_events", "Events by what became of them", ["service", "topic", "outcome"])
BATCH_SECONDS = Histogram("cairn_batch_seconds", "Time of one batch, from Kafka to commit", ["service"])
OUTBOX_ROWS = Gauge("cairn_outbox_rows", "Outbox rows that wait to be told", ["service"])
OUTBOX_AGE_SECONDS = Gauge("cairn_outbox_oldest_age_seconds", "Age of the oldest waiting row", ["service"])
RELAYED = Counter("cairn_relayed", "Messages told to Kafka", ["service"])
LAG_RECORDS = Gauge("cairn_lag_records", "Records not yet handled", ["service", "topic"])
LAG_SECONDS = Gauge("cairn_lag_seconds", "Age of the record handled last", ["service"])
BADGES = Counter("cairn_badges", "Badges by what became of them", ["outcome"])
SIGNED = Counter("cairn_signatures", "Signatures by path: compiled shape or library", ["path"])
HTTP_SECONDS = Histogram("cairn_http_seconds", "Time of one HTTP request", ["service", "route", "status"])


class Tally(Collector):
    """Counts what is too frequent for a counter with a lock: an addition each, read when the metrics are asked for.

    For one thread. `labels` are the names beside `status`.
    """

    def __init__(self, name: str, documentation: str, labels: Sequence[str]) -> None:
        self._name, self._documentation, self._labels = name, documentation, (*labels, "status")
        self._counts: dict[tuple[str, ...], dict[int, int]] = {}
        REGISTRY.register(self)

    def of(self, *values: str) -> dict[int, int]:
        """The counts by status of these values of the labels, for the caller to add to."""
        return self._counts.setdefault(values, {200: 0, 304: 0})

    def collect(self) -> Iterable[Metric]:
        """The counts as of now."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for values, counts in self._counts.items():
            for status, count in counts.items():
                family.add_metric([*values, str(status)], count)
        yield family


HTTP_FROM_MEMORY = Tally("cairn_http_from_memory", "HTTP requests answered from memory", ["service", "route"])


class FileSpanExporter(SpanExporter):
    """Writes each finished span as one JSON line, for the demo and for tests."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append the spans; one write a call, so that processes may share a file."""
        self._file.write(b"".join(orjson.dumps(_as_values(span)) + b"\n" for span in spans))
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the file."""
        self._file.close()


def _as_values(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    return {
        "name": span.name,
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "service": span.resource.attributes.get("service.name"),
        "start": span.start_time,
        "end": span.end_time,
        "attributes": dict(span.attributes or {}),
        "links": [f"{link.context.trace_id:032x}-{link.context.span_id:016x}" for link in span.links],
    }


def start_telemetry(service: str, process: str, *, trace_file: Path | None, log_level: str) -> None:
    """Set up tracing and logging of this process; `process` is api, worker or migrate."""
    resource = Resource.create({"service.name": f"cairn-{service}", "service.namespace": "cairn",
                                "cairn.process": process})  # fmt: skip
    provider = TracerProvider(resource=resource)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    if trace_file is not None:
        provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(trace_file), schedule_delay_millis=500))
    trace.set_tracer_provider(provider)
    _start_logging(service, process, log_level)


def stop_telemetry() -> None:
    """Send what is still waiting to be sent."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def _start_logging(service: str, process: str, level: str) -> None:
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_trace,
            _add_fault,
            structlog.processors.JSONRenderer(_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=StderrLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, process=process)
    # What libraries log goes the same way.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_ToStructlog()], force=True)


class StderrLogger:
    """A structlog logger: lines to what standard error is at the moment, for it may be replaced or closed."""

    def __init__(self, *_: object) -> None:
        """structlog passes what `get_logger` was given; nothing of it is needed."""

    def msg(self, message: str) -> None:
        """Write one line."""
        print(message, file=sys.stderr, flush=True)

    def __getattr__(self, level: str) -> Callable[[str], None]:
        """The writer of any level: they are all the same."""
        return self.msg


class _ToStructlog(logging.Handler):
    """Hands the records of the standard library's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            record.getMessage(),
            logger=record.name,
            exc_info=record.exc_info[1] if record.exc_info else None,
        )


def told_fault(fault: BaseException) -> str:
    """A fault's types and places, and those of its causes; not its text, which may name a person."""
    lines: list[str] = []
    cause: BaseException | None = fault
    while cause is not None:
        lines.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        lines += [
            f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(lines)


def _add_fault(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found: object = event.pop("exc_info", None)
    if found:
        fault = found if isinstance(found, BaseException) else sys.exc_info()[1]
        event["exception"] = told_fault(fault) if fault is not None else "unknown"
    return event


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _add_trace(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
        event["span_id"] = f"{context.span_id:016x}"
    return event


def current_traceparent() -> str | None:
    """The W3C `traceparent` of the span that runs now, or None outside of any."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def span_context_of(traceparent: str | None) -> SpanContext | None:
    """The remote span that a (valid) `traceparent` names."""
    if traceparent is None:
        return None
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def parent_context(traceparent: str | None) -> Context | None:
    """The context in which a child of `traceparent` starts, so that one trace runs across the broker."""
    remote = span_context_of(traceparent)
    return None if remote is None else set_span_in_context(trace.NonRecordingSpan(remote))


def links_to(traceparents: Sequence[str | None], *, most: int = 128) -> list[Link]:
    """Links from a batch's span to the spans its messages come from (one a distinct span, `most` at most)."""
    distinct = dict.fromkeys(text for text in traceparents if text is not None)
    contexts = (span_context_of(text) for text in list(distinct)[:most])
    return [Link(context) for context in contexts if context is not None]
