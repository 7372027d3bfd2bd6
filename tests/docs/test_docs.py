"""The docs are executed: links resolve, commands exist, marked snippets run, and lists are complete."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from deploy.cli import app
from tests.house.tree import ROOT

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "services").glob("*/README.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
SNIPPET = re.compile(r"^```(sh|python) run\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```\w*[^\n]*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
every_page = pytest.mark.parametrize("page", DOCS, ids=lambda page: page.relative_to(ROOT).as_posix())


def broken_links(page: Path, text: str) -> list[str]:
    """The relative links of a page that lead nowhere."""
    links = [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    return [link for link in links if not (page.parent / link).exists()]


def unknown_commands(text: str) -> list[str]:
    """The make targets, `cairn` commands and Python modules that a page tells to run and that do not exist."""
    code = "\n".join(block or inline for block, inline in CODE.findall(text)).replace("\\\n", " ")
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = [f"make {name}" for name in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", code) if name not in targets]
    for words in re.findall(r"(?:^|[\s(/])cairn((?: [a-z][a-z-]*)*)(?=[ \n`)]|$)", code, re.MULTILINE):
        unknown += _unknown_command(words.split())
    for module in re.findall(r"python3? -m ([\w.]+)(?!\S*[<{])", code):
        if "<" not in module and not module.endswith(".") and importlib.util.find_spec(module) is None:
            unknown.append(f"python -m {module}")
    return unknown


def _unknown_command(words: list[str]) -> list[str]:
    command: object = get_command(app)
    for word in words:
        children = getattr(command, "commands", None)
        if children is None:
            return []  # what follows are arguments
        if word not in children:
            return [f"cairn {' '.join(words)}"]
        command = children[word]
    return []


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text()) == []


@every_page
def test_every_command_exists(page: Path) -> None:
    assert unknown_commands(page.read_text()) == []


@every_page
def test_every_marked_snippet_runs(page: Path, tmp_path: Path) -> None:
    for language, snippet in SNIPPET.findall(page.read_text()):
        interpreter = ["sh", "-eu"] if language == "sh" else [sys.executable, "-W", "error"]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            interpreter, input=snippet, cwd=ROOT, env=os.environ | {"PATH": path, "CAIRN_HOME": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"


def test_some_snippets_are_marked() -> None:
    assert len([snippet for page in DOCS for snippet in SNIPPET.findall(page.read_text())]) >= 2


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        waiting += [page.parent / link for link in LINK.findall(page.read_text()) if not re.match(r"[a-z]+:", link)]
    assert {page.resolve() for page in DOCS} - reached == set()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["local"]]
    named += project["dependency-groups"]["dev"]
    names = {match.group() for text in named if (match := re.match(r"[A-Za-z0-9-]+", text))}
    page = (ROOT / "docs" / "reference" / "dependencies.md").read_text()
    cells = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ") and "|---" not in line]
    told = {name.strip() for cell in cells for name in cell.split(",")} - {"package"}
    assert told == names


def test_decisions_are_numbered_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(page for page in folder.glob("*.md") if page.name != "README.md")
    # Numbers may be left out: several people write at once, and each takes one beforehand.
    numbers = [int(page.name[:4]) for page in pages]
    assert len(set(numbers)) == len(numbers)
    for number, page in zip(numbers, pages, strict=True):
        title = page.read_text().splitlines()[0]
        assert title.startswith(f"# {number}. ")
        assert f"[{title.removeprefix(f'# {number}. ')}]({page.name})" in (folder / "README.md").read_text()


def test_pictures_are_told_in_words() -> None:
    for picture in (ROOT / "docs" / "pictures").glob("*.svg"):
        told = ElementTree.parse(picture).getroot()
        assert [child.tag.rpartition("}")[2] for child in told][:2] == ["title", "desc"]
        assert len(told[1].text or "") > 40


def test_a_broken_link_is_caught() -> None:
    page = ROOT / "docs" / "planted.md"
    assert broken_links(page, "[a](architecture.md#x) [b](../README.md) [c](https://x.example) [d](nowhere.md)") == [
        "nowhere.md"
    ]


def test_an_unknown_command_is_caught() -> None:
    known = "`make demo`, `cairn token --scope x`, `python -m deploy.reference`\n```sh\ncairn replay oulad dir\n```"
    assert unknown_commands(known) == []
    planted = "`make coffee`\n```sh\ncairn brew --now\n(cairn dead-letters burn)\n```\n`python -m services.coffee`"
    assert unknown_commands(planted) == [
        "make coffee",
        "cairn brew",
        "cairn dead-letters burn",
        "python -m services.coffee",
    ]
    assert isinstance(app, typer.Typer)
