"""Create the topics of `libs.common.contracts.topics` on a broker; run again, it changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from deploy.local.refusal import CannotStart
from libs.common.contracts.topics import TOPICS, Topic


async def create_topics(
    bootstrap: str, *, partitions: int | None = None, replicas: int = 1, topics: Sequence[Topic] = TOPICS
) -> tuple[str, ...]:
    """Create those of `topics` that the broker at `bootstrap` (`host:port`) lacks, and return their names.

    `partitions` replaces the contract's count on topics that have more than one: it is for small trials,
    since the count of a keyed topic may never change afterwards. An existing topic is left as it is.
    `CannotStart` if the broker is away or refuses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        wanted = [_new_topic(topic, partitions, replicas) for topic in topics if topic.name not in existing]
        answer: Any = await admin.create_topics(wanted) if wanted else None
    except (KafkaError, OSError) as error:
        raise CannotStart(f"topics: no answer from Kafka at {bootstrap}: {error}") from error
    finally:
        await admin.close()
    created: list[str] = []
    for name, code, *_ in answer.topic_errors if answer else ():
        error = for_code(code)
        # Somebody else who makes the same topics at the same moment is no trouble.
        if code == 0:
            created.append(name)
        elif error is not TopicAlreadyExistsError:
            raise CannotStart(f"topics: Kafka refused to create {name}: {error.__name__}")
    return tuple(created)


def _new_topic(topic: Topic, partitions: int | None, replicas: int) -> NewTopic:
    count = partitions if partitions is not None and topic.partitions > 1 else topic.partitions
    # Events are kept for ever: a reader that is rebuilt starts from the first one.
    kept = {"cleanup.policy": "compact"} if topic.compacted else {"retention.ms": "-1"}
    return NewTopic(topic.name, count, replicas, topic_configs=kept)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m deploy.local.topics HOST:PORT`: create the topics there."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.topics", description=__doc__)
    parser.add_argument("bootstrap", help="host:port of a Kafka broker")
    parser.add_argument("--replicas", type=int, default=1, help="copies of each partition (default 1)")
    chosen = parser.parse_args(arguments)
    try:
        created = asyncio.run(create_topics(chosen.bootstrap, replicas=chosen.replicas))
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    print(f"topics created: {', '.join(created) or 'none, all were there'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
