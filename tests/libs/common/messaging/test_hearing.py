"""A record becomes an event, or says why it cannot (B9). Reading never raises."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.enrollment import LearnerRegistered
from libs.common.contracts.envelope import Envelope, headers_of
from libs.common.contracts.progress import ActivityCompleted, AssessmentScored
from libs.common.contracts.topics import LEARNERS
from libs.common.messaging.hearing import Hearing, Hears, event_uuid
from libs.common.messaging.replay import StoredRecord
from tests.libs.common.messaging.records import NOON, TOPIC, record, tally

HEARING = Hearing([Hears(TOPIC, ActivityCompleted, tally), Hears("other", AssessmentScored, tally)])


def test_a_good_record_is_read() -> None:
    entry = HEARING.read(record(7, "a9", event_id="0b0ce5a2-7a2b-4b0f-9b6e-3f0a1c2d4e5f"))
    assert entry.received is not None
    assert entry.received.content == ActivityCompleted(learner_id="ada", activity_id="a9")
    assert entry.received.event.key == "ada"
    assert entry.received.offset == 7
    assert entry.received.event_id == UUID("0b0ce5a2-7a2b-4b0f-9b6e-3f0a1c2d4e5f")


def test_a_tombstone_has_no_content() -> None:
    entry = HEARING.read(record(0, value=None))
    assert entry.received is not None
    assert entry.received.content is None


@pytest.mark.parametrize(
    ("bad", "stage", "reason"),
    [
        (record(0, headers=[]), "envelope", "specversion: expected text"),
        (record(0, more_headers=[("ce_source", b"\xff\xfe")]), "envelope", "ce_source: expected UTF-8 text"),
        (record(0, more_headers=[("ce_id", None)]), "envelope", "id: expected text"),
        (record(0, more_headers=[("ce_time", b"0001-01-01T00:00:00+14:00")]), "envelope", ""),
        (
            record(0, more_headers=[("content-type", b"application/cloudevents+json")], value=b"[" * 100_000),
            "envelope",
            "",
        ),
        (record(0, key=b"\xff"), "envelope", "key: expected UTF-8 text"),
        (record(0, type_="cairn.activity-completed.v2"), "type", "unsupported version: expected cairn.activity-comp"),
        (record(0, type_="cairn.assessment-scored.v1"), "type", "unknown type: expected cairn.activity-completed.v1"),
        (record(0, type_="nonsense"), "type", "unknown type"),
        (record(0, topic="elsewhere"), "type", "expected nothing on this topic"),
        (record(0, value=b""), "contract", "value: Invalid JSON"),
        (record(0, value=b"\xff{}"), "contract", "value: Invalid JSON"),
        (record(0, value=b'{"learner_id": 7, "activity_id": "a"}'), "contract", "/learner_id: Input should be a valid"),
        (record(0, value=b'{"learner_id": "ada"}'), "contract", "/activity_id: Field required"),
    ],
)
def test_a_bad_record_says_what_was_expected_and_found(bad: StoredRecord, stage: str, reason: str) -> None:
    entry = HEARING.read(bad)
    assert entry.received is None
    assert entry.unusable is not None
    assert entry.unusable.stage == stage
    assert reason in entry.unusable.reason


def test_headers_that_mean_nothing_here_do_no_harm() -> None:
    more = [("x-null", None), ("x-bytes", b"\xff\x00"), ("", b"")]
    assert HEARING.read(record(0, more_headers=more)).received is not None


@given(
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_type", "ce_time", "content-type", "traceparent", "x"]) | st.text(),
                       st.none() | st.binary(max_size=30)), max_size=8),
    st.none() | st.binary(max_size=60), st.none() | st.binary(max_size=20),
)  # fmt: skip
def test_whatever_comes_is_read_or_refused(
    headers: list[tuple[str, bytes | None]], value: bytes | None, key: bytes | None
) -> None:
    for found in (record(0, headers=headers, value=value, key=key), record(0, more_headers=headers, value=value)):
        entry = HEARING.read(found)
        assert (entry.received is None) != (entry.unusable is None)


def test_an_id_that_is_no_uuid_is_told_apart_by_its_source() -> None:
    one, other = (Envelope("42", source, "t", NOON, "k") for source in ("/one", "/other"))
    assert event_uuid(one) == event_uuid(one) != event_uuid(other)


def test_a_table_with_the_same_row_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Hearing([Hears(TOPIC, ActivityCompleted, tally), Hears(TOPIC, ActivityCompleted, tally)])


def test_ordered_rows_of_one_topic_share_a_rank() -> None:
    rows = [
        Hears("catalogue", ActivityCompleted, tally),
        Hears("a", ActivityCompleted, tally, ordered=True),
        Hears("b", ActivityCompleted, tally),
        Hears("a", AssessmentScored, tally, ordered=True),
    ]
    assert Hearing(rows).ranks == (0, 1, 2, 1)


def test_the_reason_of_a_learner_that_cannot_be_read_quotes_nothing_personal() -> None:
    hearing = Hearing([Hears(LEARNERS, LearnerRegistered, tally)])
    body = b'{"learner_id":"ada","email":"not-an-address-of-ada","registered_at":"2026-01-01T00:00:00Z"}'
    headers = headers_of(Envelope("1", "/tests", LearnerRegistered.TYPE, NOON, "ada"))
    entry = hearing.read(StoredRecord(LEARNERS, 0, 0, 0, b"ada", body, tuple(headers)))
    assert entry.unusable is not None
    assert "/email" in entry.unusable.reason
    assert "not-an-address" not in entry.unusable.reason
