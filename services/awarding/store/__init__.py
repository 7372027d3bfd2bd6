"""Awarding's named queries: one function each, rows to model and back, no decisions."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from libs.common.postgres.queries import load_queries

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection, Pool

    # What a read is given: a transaction's connection, or the pool itself.
    Reader: TypeAlias = Connection | Pool

_FOLDER = Path(__file__).parent.parent / "sql"
SQL = load_queries(_FOLDER / "awarding.sql")
ATTEMPTS = load_queries(_FOLDER / "attempts.sql")
BULK = load_queries(_FOLDER / "bulk.sql")
REHEARSAL = load_queries(_FOLDER / "rehearsal.sql")
CHALLENGES = load_queries(_FOLDER / "challenges.sql")
MILESTONES = load_queries(_FOLDER / "milestones.sql")
IMPORTS = load_queries(_FOLDER / "imports.sql")
ENDORSEMENTS = load_queries(_FOLDER / "endorsements.sql")
ASSERTIONS = load_queries(_FOLDER / "assertions.sql")
RECORDS = load_queries(_FOLDER / "records.sql")
EXPIRY = load_queries(_FOLDER / "expiry.sql")
ACTS = load_queries(_FOLDER / "acts.sql")
RESTORING = load_queries(_FOLDER / "restoring.sql")
KEYS = load_queries(_FOLDER / "keys.sql")
LOGBOOK = load_queries(_FOLDER / "logbook.sql")
STATUS_LISTS = load_queries(_FOLDER / "status_lists.sql")
