"""Small and flat, one word per idea, and everything public explained (rules 11 and 12)."""

from __future__ import annotations

from functools import partial

import pytest

from libs.common.contracts import CONTRACTS
from tests.house.tree import OWN_CODE, assert_kept, found
from tests.house.words import (
    empty_names,
    handler_names,
    long_files,
    long_functions,
    snake_case,
    unexplained,
    words_of,
)

EVENTS = frozenset(snake_case(contract.__name__) for contract in CONTRACTS)
check_handlers = partial(handler_names, events=EVENTS)


def test_names_say_what_they_name() -> None:
    assert_kept(empty_names, *OWN_CODE)


def test_handlers_are_called_by_what_happens() -> None:
    assert_kept(check_handlers, "services")


def test_files_are_small() -> None:
    assert_kept(long_files, *OWN_CODE)


def test_functions_are_small() -> None:
    assert_kept(long_functions, *OWN_CODE)


def test_everything_public_is_explained() -> None:
    assert_kept(unexplained, "services", "libs")


@pytest.mark.parametrize(
    "text",
    [
        "class BadgeManager: ...",
        "class LearnerInfo: ...",
        "class BaseStore: ...",
        "def helper(): ...",
        "async def processor(): ...",
        "data = 1",
        "for item in x: ...",
        "def f(data): ...",
        "with x as data: ...",
        "class A:\n    info: str = ''",
    ],
)
def test_an_empty_name_is_caught(text: str) -> None:
    assert found(empty_names, text)


@pytest.mark.parametrize("path", ["libs/common/utils.py", "services/awarding/store/base.py", "libs/info/x.py"])
def test_an_empty_file_name_is_caught(path: str) -> None:
    assert found(empty_names, "", path)


@pytest.mark.parametrize("text", ["class Database: ...", "base_url = 'x'", "x = info.title", "def informed(): ..."])
def test_a_telling_name_is_not(text: str) -> None:
    assert found(empty_names, text) == []


@pytest.mark.parametrize("name", ["handle_score", "on_score", "process", "assessment_scored", "do_it"])
def test_a_handler_by_another_name_is_caught(name: str) -> None:
    assert found(check_handlers, f"async def {name}(work, events): ...", "services/awarding/handlers.py")


@pytest.mark.parametrize("name", ["on_assessment_scored", "record_scores", "publish_achievement", "_load"])
def test_a_handler_by_its_name_is_not(name: str) -> None:
    assert found(check_handlers, f"async def {name}(work, events): ...", "services/awarding/handlers.py") == []


def test_a_long_file_is_caught() -> None:
    assert found(long_files, "x = 1\n" * 301)
    assert found(long_files, "x = 1\n" * 300) == []


def test_a_long_function_is_caught() -> None:
    assert found(long_functions, "def f():\n" + "    x = 1\n" * 40) == [
        "`f` has 41 lines, at most 40 are allowed"
    ]  # fmt: skip
    nested = "def f():\n" + "    x = 1\n" * 39 + "    if x:\n        def g():\n" + "            y = 1\n" * 40
    assert found(long_functions, nested) == [
        "`f` has 41 lines, at most 40 are allowed",
        "`g` has 41 lines, at most 40 are allowed",
    ]
    told = 'def f():\n    """Why.\n\n    And how.\n    """\n' + "    x = 1\n" * 39
    assert found(long_functions, told) == []


def test_the_unexplained_is_caught() -> None:
    assert found(unexplained, "x = 1") == ["the module has no docstring"]
    text = '"""Why."""\nclass A:\n    """Why."""\n    def shown(self): ...\n    def _own(self): ...\ndef told(): ...\n'
    assert found(unexplained, text) == ["`shown` has no docstring", "`told` has no docstring"]


def test_words_of_names() -> None:
    assert words_of("BadgeManagerHTTP") == {"badge", "manager", "http"}
    assert words_of("dead_letter_info base58") == {"dead", "letter", "info", "base58"}
    assert snake_case("AssessmentScored") == "assessment_scored"
