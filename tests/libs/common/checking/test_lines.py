"""The lines of a file of badges: CSV, JSON lines, plain addresses; what is wrong with a line stays with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.checking.lines import Written, read_lines
from libs.common.checking.recipient import Person


def asked(text: str, written: Written = "lines") -> list[tuple[int, str, str]]:
    return [(line.number, line.asked, line.fault.more if line.fault else "") for line in read_lines(text, written)]


def test_lines_may_be_written_in_many_ways() -> None:
    text = 'https://a.example/1\n"https://a.example/2"\r\n\n{"badge": "x"}\n{"@context": [], "id": "urn:y"}\n'
    assert asked(text) == [
        (1, "https://a.example/1", ""), (2, "https://a.example/2", ""), (4, "x", ""), (5, "urn:y", ""),
    ]  # fmt: skip


def test_a_table_names_its_columns_or_begins_with_the_badge() -> None:
    assert asked("Name,URL\nAda,https://a.example/1\n,\n", "csv") == [(2, "https://a.example/1", "")]
    assert asked("https://a.example/1,x\n", "csv") == [(1, "https://a.example/1", "")]
    [line] = read_lines("badge,recipient\nx,ada@example.org\n", "csv")
    assert line.person == Person("email", "ada@example.org")


@pytest.mark.parametrize(
    ("text", "written", "said"),
    [
        ('"unclosed', "lines", "JSON text"),
        ('{"a": 1, "a": 2}', "lines", "each key once"),
        ('{"other": 1}', "lines", "expected a badge under"),
        ('{"badge": "x", "recipient": 5}', "lines", "expected text"),
        ('{"badge": "x", "recipient": "nobody"}', "lines", "TYPE:VALUE"),
        ('"unclosed', "csv", "expected CSV"),
        ("recipient,url\nx,\n", "csv", "expected a badge under"),
    ],
)
def test_a_fault_stays_with_its_line(text: str, written: Written, said: str) -> None:
    assert said in asked(text, written)[-1][2]


@given(st.text(max_size=200), st.sampled_from(["csv", "lines"]))
def test_nothing_that_a_file_holds_is_a_fault_of_ours(text: str, written: Written) -> None:
    numbers = [line.number for line in read_lines(text, written)]
    assert numbers == sorted(set(numbers))
