"""What progress decides, for any batch and any set of events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts import (
    ActivityCompleted,
    AssessmentScored,
    CompletionRetracted,
    EvidenceVerified,
    EvidenceWithdrawn,
    ScoreVoided,
)
from libs.common.contracts.requirement import (
    ActivityRequired,
    All,
    AnyOf,
    AssessmentRequired,
    BadgeRequired,
    EvidenceRequired,
    Step,
    Steps,
)
from services.progress import rules
from services.progress.model import LearnerEvent, LearningEvent, Refused
from services.progress.rules.arrival import EVENT_NAMESPACE
from tests.services.progress.support import TRACEPARENTLESS, scored

START = datetime(2026, 1, 1, tzinfo=UTC)


def _event(number: int, learner_id: str, object_id: str) -> LearningEvent:
    event_id = uuid5(EVENT_NAMESPACE, str(number))
    return LearningEvent(
        event_id, AssessmentScored.TYPE, learner_id, object_id, START, "lms", "urn:lms", str(number), None, b"{}"
    )


events = st.builds(_event, st.integers(0, 8), st.sampled_from("abc"), st.sampled_from(["quiz:1", "quiz:2"]))


@given(st.lists(events), st.sets(st.integers(0, 8)), st.sets(st.sampled_from("abc")))
def test_every_event_of_a_batch_has_one_fate(
    batch: list[LearningEvent], kept_before: set[int], known: set[str]
) -> None:
    before = {uuid5(EVENT_NAMESPACE, str(number)) for number in kept_before}
    first = rules.first_of_each(batch)
    new = [position for position in first if batch[position].event_id not in before]
    others = [position for position in range(len(batch)) if position not in new]
    differing = set(others[::2])
    outcome = rules.classify(batch, new=new, differing=differing, known=known, mapped={("assessment", "quiz:1")})
    fates = [*outcome.told, *outcome.parked, *outcome.duplicates, *outcome.conflicts]
    assert sorted(fates) == list(range(len(batch)))
    assert set(outcome.conflicts) == differing
    assert all(batch[position].learner_id in known for position in outcome.told)
    assert not any(batch[position].learner_id in known for position in outcome.parked)
    assert list(outcome.told) == sorted(outcome.told)
    assert outcome.unmapped == sum(batch[position].object_id == "quiz:2" for position in new)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json)
def test_no_document_breaks_the_reading(document: object) -> None:
    assert isinstance(rules.read_event(document, position=0, sender="lms", traceparent=None), Refused)


@given(st.sampled_from(["specversion", "id", "source", "type", "time", "data", "datacontenttype"]), json)
def test_no_attribute_breaks_the_reading(name: str, found: object) -> None:
    event = scored() | {name: found}
    read = rules.read_event(event, position=3, sender="lms", traceparent=None)
    if isinstance(read, Refused):
        assert (read.position, bool(read.faults)) == (3, True)
        assert read.faults[0].pointer.startswith(f"/{name}")


@given(json, json)
def test_no_score_breaks_the_reading(raw: object, most: object) -> None:
    event = scored(data=scored()["data"] | {"score": {"raw": raw, "max": most}})
    read = rules.read_event(event, position=0, sender="lms", traceparent=None)
    assert isinstance(read, LearningEvent) or read.faults[0].pointer.startswith("/data/score")


def test_the_trace_is_the_events_own_or_the_requests() -> None:
    own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    request = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for given_, expected in ((own, own), (None, request), ("nonsense", request), ("00-" + "0" * 32, request)):
        event = TRACEPARENTLESS | ({} if given_ is None else {"traceparent": given_})
        read = rules.read_event(event, position=0, sender="lms", traceparent=request)
        assert isinstance(read, LearningEvent)
        assert read.traceparent == expected


def test_a_tree_mentions_its_leaves() -> None:
    tree = All(
        of=(
            ActivityRequired(activity_id="page:1"),
            AnyOf(of=(AssessmentRequired(assessment_id="quiz:1", at_least="0.4"), EvidenceRequired(component_id="e"))),
            BadgeRequired(achievement_id="other"),
            Steps(steps=(Step(step_id="s", label="S", of=All(of=(ActivityRequired(activity_id="page:2"),))),)),
        )
    )
    assert set(rules.objects_in(tree)) == {
        ("activity", "page:1"), ("assessment", "quiz:1"), ("evidence", "e"), ("activity", "page:2"),
    }  # fmt: skip


def _learner_event(number: int, fact: object, object_id: str) -> LearnerEvent:
    at = START + timedelta(days=number)
    return LearnerEvent(UUID(int=number), type(fact).TYPE, object_id, at, False, fact)  # type: ignore[arg-type,attr-defined]


def _score(number: int, raw: int) -> LearnerEvent:
    content = {"learner_id": "ada", "assessment_id": "quiz:1", "score": {"raw": raw, "max": 100}}
    return _learner_event(number, AssessmentScored.model_validate(content), "quiz:1")


def _void(number: int, of: int) -> LearnerEvent:
    fact = ScoreVoided(learner_id="ada", assessment_id="quiz:1", supersedes=UUID(int=of))
    return _learner_event(number, fact, "quiz:1")


HISTORY = [_score(1, 50), _score(2, 90), _score(3, 70), _void(4, 2)]


@given(st.permutations(HISTORY))
def test_the_summary_depends_on_the_set_of_events_not_on_their_order(history: list[LearnerEvent]) -> None:
    (quiz,) = rules.summarise(history)["assessments"]
    assert (quiz["attempts"], quiz["best"]["raw"], quiz["latest"]["raw"]) == (2, "70", "70")


def test_a_retracted_completion_does_not_count() -> None:
    done = _learner_event(1, ActivityCompleted(learner_id="ada", activity_id="page:1"), "page:1")
    gone = _learner_event(
        2, CompletionRetracted(learner_id="ada", activity_id="page:1", supersedes=UUID(int=1)), "page:1"
    )
    assert rules.summarise([done])["activities"] != []
    assert rules.summarise([gone, done])["activities"] == []


def test_withdrawn_evidence_does_not_count() -> None:
    seen = _learner_event(1, EvidenceVerified(learner_id="ada", component_id="e", assessor="Dr Gray"), "e")
    gone = _learner_event(2, EvidenceWithdrawn(learner_id="ada", component_id="e", supersedes=UUID(int=1)), "e")
    assert rules.summarise([seen])["evidence"] != []
    assert rules.summarise([gone, seen])["evidence"] == []
