"""Whether Kafka still knows a consumer without partitions: one on standby is well, one that was forgotten is not."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code


async def is_member(*, bootstrap: str, group: str, client_id: str) -> bool:
    """Ask the coordinator of `group` whether a member of this `client_id` is in it, at rest or in a rebalance.

    Raises what the client raises while Kafka is away, and `KafkaError` where the coordinator cannot tell (yet).
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=f"{client_id}-watch")
    await admin.start()
    try:
        described: list[Any] = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    # DescribeGroups response: error, group, state, protocol type, protocol, members (member id, client id, …).
    groups = [entry for response in described for entry in response.groups]
    for entry in groups:
        if entry[0] != 0:  # for example COORDINATOR_LOAD_IN_PROGRESS, with no members
            raise for_code(entry[0])(group)
    return any(client_id in {member[1] for member in entry[5]} for entry in groups)
