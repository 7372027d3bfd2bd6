"""Named queries are read from `.sql` files; what is not well formed is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.common.postgres.queries import load_queries


def load(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "some.sql"
    path.write_text(text, encoding="utf-8")
    return dict(load_queries(path))


def test_each_statement_ends_where_the_next_name_begins(tmp_path: Path) -> None:
    text = "-- of this file\n\n-- name: one\n-- why\nselect 1;\n\n-- name: two\nselect 2,\n  3\n"
    assert load(tmp_path, text) == {"one": "-- why\nselect 1", "two": "select 2,\n  3"}


def test_queries_cannot_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "some.sql"
    path.write_text("-- name: one\nselect 1")
    with pytest.raises(TypeError):
        load_queries(path)["one"] = "drop table learner"  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("select 1;", "before the first statement"),
        ("select 0;\n-- name: one\nselect 1;", "before the first statement"),
        ("-- name: one\nselect 1;\n-- name: one\nselect 2;", "taken twice"),
        ("-- name: one\n-- nothing\n-- name: two\nselect 2;", "no statement"),
        ("-- name: One\nselect 1;", "lower-case"),
    ],
)
def test_what_is_not_well_formed_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        load(tmp_path, text)
