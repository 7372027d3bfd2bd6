"""A key goes where every other Kafka client would send it."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from libs.common.messaging.partition import partition_of


@given(st.binary(max_size=200), st.integers(1, 96))
def test_the_partition_is_the_one_of_the_default_partitioner(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)
