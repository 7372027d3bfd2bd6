"""What a worker hears: its table of topic + contract → handler, and how one record becomes an event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from asyncpg.pgproto import pgproto
from pydantic import ValidationError

from libs.common.contracts.contract import Contract
from libs.common.contracts.envelope import Envelope, Refusal, read_message
from libs.common.contracts.topics import PRIVATE
from libs.common.messaging.work import Work

T = TypeVar("T")


class Record(Protocol):
    """What is used of a Kafka record (`aiokafka.ConsumerRecord` has it). `timestamp` is in ms since 1970."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Received(NamedTuple, Generic[T]):
    """One event as a handler gets it: `content` is the parsed contract, None for a tombstone."""

    event: Envelope
    content: T | None
    topic: str
    partition: int
    offset: int
    event_id: UUID


Handler = Callable[[Work, Sequence[Received[Any]]], Awaitable[None]]


@dataclass(frozen=True)
class Hears:
    """One row of a worker's table.

    Rows are handled in table order within a batch. With `ordered`, events of the topic's ordered rows are handled
    in the order in which they arrived, and one that fails holds back the later ones of its key until it is
    resent or discarded.

    With `knows_seen`, the handler itself knows what it has seen: the inbox is passed by. It is for topics on which
    outsiders choose the ids, where an id that comes again with another body is a conflict and no duplicate.
    """

    topic: str
    contract: type[Contract]
    handle: Handler
    ordered: bool = False
    knows_seen: bool = False


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a record cannot be handled: at which `stage` (envelope, type, contract, handler), and the reason."""

    stage: str
    reason: str
    event: Envelope | None = None


class Entry:
    """One record on its way through a batch. Not a dataclass: a thousand are made for each batch.

    `row` is the index of its row in the table, -1 for none; it has either `received` or `unusable`. `given_up` says
    why its handler is not called once more.
    """

    __slots__ = ("attempts", "given_up", "received", "record", "row", "unusable")

    def __init__(self, record: Record, row: int, received: Received[Any] | None, unusable: Unusable | None) -> None:
        self.record = record
        self.row = row
        self.received = received
        self.unusable = unusable
        self.given_up: Unusable | None = None
        self.attempts = 0

    def give_up(self, reason: str) -> None:
        """Make its handler's next turn a refusal for this reason."""
        self.given_up = Unusable("handler", reason, self.received.event if self.received else None)


class Hearing:
    """A worker's table, ready to read records."""

    def __init__(self, hears: Sequence[Hears]) -> None:
        self.rows = tuple(hears)
        self.topics = tuple(dict.fromkeys(row.topic for row in hears))
        self._rows: dict[tuple[str, str], tuple[int, Callable[[bytes], Any]]] = {}
        for index, row in enumerate(hears):
            place = (row.topic, row.contract.TYPE)
            if place in self._rows:
                raise ValueError(f"{row.contract.TYPE} on {row.topic} is in the table twice")
            # The validator itself: `model_validate_json` adds a Python call for each event.
            self._rows[place] = (index, row.contract.__pydantic_validator__.validate_json)
        self.ranks = _ranks(self.rows)

    def place_of(self, entry: Entry) -> tuple[str, bytes] | None:
        """The topic and key within which the event's order matters; None where it does not."""
        if entry.row < 0 or not self.rows[entry.row].ordered or entry.record.key is None:
            return None
        return entry.record.topic, entry.record.key

    def read(self, record: Record) -> Entry:
        """Parse one record: its envelope and its contract. A record that cannot be used says why; none raises."""
        try:
            return self._read(record)
        except Exception as fault:
            # No parser foresees everything; what one chokes on must not stop the partition.
            return Entry(record, -1, None, Unusable("envelope", f"{type(fault).__name__}: {fault}"))

    def _read(self, record: Record) -> Entry:
        message = read_message(record.key, record.headers, record.value)
        if isinstance(message, Refusal):
            return Entry(record, -1, None, Unusable("envelope", str(message)))
        envelope, value = message
        row = self._rows.get((record.topic, envelope.type))
        if row is None:
            return Entry(record, -1, None, Unusable("type", self._unknown(record.topic, envelope.type), envelope))
        index, validate = row
        try:
            content = None if value is None else validate(value)
        except ValidationError as fault:
            return Entry(record, index, None, Unusable("contract", _explain(fault, record.topic), envelope))
        event_id = event_uuid(envelope)
        received = Received(envelope, content, record.topic, record.partition, record.offset, event_id)
        return Entry(record, index, received, None)

    def _unknown(self, topic: str, found: str) -> str:
        name, _, version = found.rpartition(".v")
        known = sorted(type_ for place, type_ in self._rows if place == topic)
        for type_ in known:
            if version and type_.rpartition(".v")[0] == name:
                return f"unsupported version: expected {type_}, found {found}"
        return f"unknown type: expected {' or '.join(known) or 'nothing on this topic'}, found {found}"


def _ranks(rows: Sequence[Hears]) -> tuple[int, ...]:
    """By row, when its events are handled within a batch: in table order, but the ordered rows of one topic share a
    rank, so that their events keep the order in which they arrived."""
    first: dict[str, int] = {}
    return tuple(first.setdefault(row.topic, index) if row.ordered else index for index, row in enumerate(rows))


def event_uuid(event: Envelope) -> UUID:
    """The idempotency key of an event: its id where that is a UUID, else derived from source and id.

    CloudEvents 1.0 section 3.1: source + id is unique for each distinct event.
    """
    try:
        return pgproto.UUID(event.id)  # asyncpg's own UUID: five times faster to make and to send
    except ValueError:
        return uuid5(NAMESPACE_URL, f"{event.source}|{event.id}")


def _explain(fault: ValidationError, topic: str) -> str:
    # Reasons are read by operators and told on Kafka: what the topic with personal data holds stays out of them.
    private = topic in PRIVATE
    errors = fault.errors(include_url=False, include_context=False, include_input=True)
    told = [
        f"{'/' + '/'.join(map(str, error['loc'])) if error['loc'] else 'value'}: {error['msg']},"
        f" found {type(error['input']).__name__ if private else repr(error['input'])[:80]}"
        for error in errors[:5]
    ]
    more = len(errors) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")
