"""The order in which tables go along, and that every table of a service was decided on (B2)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from libs.common.messaging.rebuilding import DELIVERY_TABLES, beside, in_order
from services.awarding.worker.memory import MADE_OF_TOPICS as MADE_IN_AWARDING
from services.verification.worker import MADE_OF_TOPICS as MADE_IN_VERIFICATION

# What no topic tells, and a rebuild therefore carries over. Who adds a table says here or in MADE_OF_TOPICS which it
# is: one that is made of topics must not be carried over, for it would come from before the last records.
CARRIED = {
    "awarding": {
        "act", "bulk_job", "caller_turns", "challenge", "endorsement", "imported_badge", "key_act", "key_at_hand",
        "learner_record", "status_due",
    },
    "verification": {
        "caller_turns", "grant_word", "learner_profile", "oauth_client", "oauth_code", "oauth_grant",
        "oauth_token", "pushed_badge", "share_link", "trust_list", "trusted_issuer", "wallet_offer",
    },
}  # fmt: skip
MADE = {"awarding": MADE_IN_AWARDING, "verification": MADE_IN_VERIFICATION}


@pytest.mark.parametrize("service", MADE)
def test_every_table_is_made_of_topics_or_carried_over(service: str) -> None:
    migrations = Path(f"services/{service}/sql/migrations").glob("*.sql")
    tables = {
        name
        for path in migrations
        for name in re.findall(r"^create (?:unlogged )?table (\w+)", path.read_text(), re.MULTILINE)
    }
    assert tables == MADE[service] | CARRIED[service]
    assert not MADE[service] & CARRIED[service]
    assert not tables & DELIVERY_TABLES


def test_what_others_refer_to_comes_first() -> None:
    refers = {"act": {"bulk_job", "badge"}, "bulk_job": set[str](), "line": {"act", "line"}}
    assert in_order(refers) == ("bulk_job", "act", "line")
    assert set(in_order({"a": {"b"}, "b": {"a"}})) == {"a", "b"}


def test_the_tables_beside_are_in_the_same_database() -> None:
    assert beside("postgresql://u@h/db?sslmode=require").endswith("/db?sslmode=require&search_path=cairn_rebuilt")
