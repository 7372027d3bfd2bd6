"""The reference pages that follow from the code are current, and name every environment variable."""

from __future__ import annotations

import ast
import re

import pytest

from deploy.reference import OTHERS, REFERENCE, TESTS, pages, settings_of
from libs.common.contracts.topics import SERVICES
from tests.house.tree import OWN_CODE, sources

VARIABLE = re.compile(r"^(CAIRN|OTEL)_[A-Z0-9_]*[A-Z0-9]$")


@pytest.mark.parametrize("name", ["settings.md", "asyncapi.json"])
def test_a_generated_page_is_current(name: str) -> None:
    assert (REFERENCE / name).read_bytes() == pages()[name], "run `python -m deploy.reference`"


def test_every_variable_is_documented() -> None:
    page = pages()["settings.md"].decode()
    settings = {f"CAIRN_{field.upper()}" for service in SERVICES for field in settings_of(service).model_fields}
    read = {name for source in sources(*OWN_CODE) for name in variables_in(source.tree)}
    undocumented = {name for name in settings | read if f"`{name}`" not in page}
    assert undocumented == set()
    assert set(OTHERS) | set(TESTS) <= read, "documented, but nobody reads it"


def test_every_setting_has_a_meaning() -> None:
    for service in SERVICES:
        for name, field in settings_of(service).model_fields.items():
            assert field.description, f"{service}: {name}"


def variables_in(tree: ast.Module) -> set[str]:
    """The environment variables that a file names in its texts."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if VARIABLE.match(text)}


def test_a_variable_is_found_in_code() -> None:
    planted = "a = os.environ['CAIRN_PLANTED']\nb = 'not CAIRN_THIS'\nc = environ.get('OTEL_X')\nd = 'CAIRN_'"
    assert " ".join(sorted(variables_in(ast.parse(planted)))) == "CAIRN_PLANTED OTEL_X"
