"""Only the stores speak to the database, SQL has its own files, and the api knows no Kafka (rule 7)."""

from __future__ import annotations

import pytest

from tests.house.tree import assert_kept, found
from tests.house.walls import database_calls, kafka_in_api, sql_texts


def test_only_stores_speak_to_the_database() -> None:
    assert_kept(database_calls, "services", "libs")


def test_sql_is_in_its_own_files() -> None:
    assert_kept(sql_texts, "services", "libs")


def test_the_api_knows_no_kafka() -> None:
    assert_kept(kafka_in_api, "services")


@pytest.mark.parametrize("call", ["work.connection.fetch(SQL['a'])", "await db.execute(text)", "pool.fetchval(x)"])
@pytest.mark.parametrize(
    "path", ["services/awarding/handlers.py", "services/awarding/api/badges.py", "libs/common/x.py"]
)
def test_a_query_outside_a_store_is_caught(call: str, path: str) -> None:
    text = f"async def f():\n    {call}"
    assert any("speaks to the database" in why for why in found(database_calls, text, path))


@pytest.mark.parametrize("path", ["services/awarding/store.py", "services/awarding/store/facts.py"])
def test_a_query_in_a_store_is_not(path: str) -> None:
    assert found(database_calls, "rows = connection.fetch(SQL['facts_of'], ids)", path) == []


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "select a, b from fact where x = $1",
        "SELECT count(*) FROM fact",
        "insert into inbox values ($1)",
        "update outbox set sent = true",
        "delete from outbox",
        "create table fact (id int)",
        "create unique index on fact (id)",
        "with recent as (select 1) select * from recent",
        "-- why\n select pg_advisory_lock($1)",
        "set local lock_timeout = '2s'",
        "truncate inbox",
    ],
)
def test_sql_in_python_is_caught(sql: str) -> None:
    assert found(sql_texts, f"QUERY = {sql!r}", "services/awarding/store.py")
    assert found(sql_texts, f"QUERY = f{sql + ' {x}'!r}", "services/awarding/store.py")


@pytest.mark.parametrize("text", ["Select a badge to see it.", "update the page", "with care"])
def test_a_sentence_is_not_sql(text: str) -> None:
    assert found(sql_texts, f"LABEL = {text!r}", "services/awarding/api.py") == []
    assert found(sql_texts, '"""select x from y."""', "services/awarding/api.py") == []


@pytest.mark.parametrize("text", ["import aiokafka", "def f():\n    from faststream.kafka import KafkaBroker"])
def test_kafka_in_the_api_is_caught(text: str) -> None:
    assert found(kafka_in_api, text, "services/progress/api.py")
    assert found(kafka_in_api, text, "services/progress/api/events.py")
    assert not found(kafka_in_api, text, "services/progress/worker.py")
