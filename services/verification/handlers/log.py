"""The log of issuance is kept as awarding tells it, and nothing that does not fit its signed head (B8)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from libs.common.contracts.awarding import BadgesLogged
from libs.common.credentials.checkpoint import read_checkpoint, read_verifier_key
from libs.common.credentials.log import Frontier, Node, append, frontier_at, leaf_hash, root_places
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Work
from services.verification.model.log import LogHead
from services.verification.store import log as log_store


class NotAsLogged(Exception):
    """What was told of the log does not go on from what is known, or does not fit its signed head: refused."""


async def on_badges_logged(work: Work, events: Sequence[Received[BadgesLogged]]) -> None:
    """Grow the tree by what was logged. What is known already changes nothing. Raises `NotAsLogged`."""
    connection = work.connection
    size = await log_store.lock_log(connection)
    frontier = frontier_at(size, await log_store.nodes_at(connection, root_places(size)))
    for heard in events:
        told = heard.content
        if told is None or not told.badges or told.first_index + len(told.badges) <= frontier.size:
            continue
        if told.first_index != frontier.size:
            raise NotAsLogged(f"the log: expected to go on at {frontier.size}, found {told.first_index}")
        frontier, nodes = _grown(frontier, told)
        await log_store.keep_nodes(connection, nodes)
        entries = [
            (badge.badge_id, base64.b64decode(badge.entry), base64.b64decode(badge.salt)) for badge in told.badges
        ]
        await log_store.keep_entries(connection, told.first_index, entries)
        head = LogHead(frontier.size, told.checkpoint, told.verifier_key, told.logged_at)
        await log_store.keep_checkpoint(connection, head)


def _grown(frontier: Frontier, told: BadgesLogged) -> tuple[Frontier, Sequence[Node]]:
    """The tree after what was told, whose signed head it must have."""
    grown, nodes = append(frontier, [leaf_hash(base64.b64decode(badge.entry)) for badge in told.badges])
    origin, public_key = read_verifier_key(told.verifier_key)
    checkpoint = read_checkpoint(told.checkpoint, origin, public_key)
    if (checkpoint.size, checkpoint.root) != (grown.size, grown.root):
        raise NotAsLogged(f"the log: expected the head of {grown.size} entries, found that of {checkpoint.size}")
    return grown, nodes
