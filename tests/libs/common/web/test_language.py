"""The language of a page: asked for, else the reader's, else English. Every text exists in each language."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from libs.common.web.language import LOCALES, Languages
from libs.common.web.pages import SHELL

FOLDERS = sorted(path for path in Path("services").glob("*/pages") if any(path.glob("*.html")))


@pytest.mark.parametrize(
    ("wanted", "header", "expected"),
    [
        (None, None, "en"),
        ("fr", None, "fr"),
        ("fr", "en", "fr"),
        ("xx", "fr", "fr"),
        (None, "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        (None, "en-CA,fr;q=0.9", "en"),
        (None, "de-DE,de;q=0.9,fr;q=0.4", "fr"),
        (None, "de", "en"),
        (None, "*", "en"),
        (None, "fr;q=0", "en"),
        (None, "%%%;;;", "en"),
    ],
)
def test_the_reader_chooses(wanted: str | None, header: str | None, expected: str) -> None:
    chosen = Languages().choose(wanted, header)
    assert chosen.tag == expected
    assert chosen.chosen is (wanted == expected)


def test_dates_and_numbers_are_written_as_people_there_do() -> None:
    day = datetime(2026, 11, 22, tzinfo=UTC)
    languages = Languages()
    assert languages.of("en-US").date(day) == "22 November 2026"
    assert languages.of("fr-CA").date(day) == "22 novembre 2026"
    assert languages.of("fr").number(Decimal("1.5")) == "1,5"
    assert languages.of("nv").tag == "en"
    assert languages.of("fr").direction == "ltr"
    assert languages.of("fr").others() == [("en", "English")]


def words_of_templates(folder: Path) -> set[str]:
    found: set[str] = set()
    for path in folder.glob("*.html"):
        with path.open("rb") as file:
            for _, _, messages, _ in babel_extract(file, ("_", "gettext", "ngettext"), [], {}):
                # A text that the template is given has no literal here: the service's own tests see to those.
                texts = [messages] if isinstance(messages, str) else messages or []
                found.update(text for text in texts if text)
    return found


@pytest.mark.parametrize("tag", [tag for tag in LOCALES if tag != "en"])
@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_text_of_a_template_is_translated(tag: str, folder: Path) -> None:
    known: set[str] = set()
    for path in (SHELL.parent / "translations" / f"{tag}.po", folder / f"{tag}.po"):
        with path.open("rb") as file:
            for message in read_po(file):
                texts = message.id if isinstance(message.id, tuple | list) else (message.id,)
                translated = message.string if isinstance(message.string, tuple | list) else (message.string,)
                if all(translated):
                    known.update(texts)
    assert words_of_templates(folder) | words_of_templates(SHELL) <= known


@pytest.mark.parametrize("folder", [SHELL.parent / "translations", *FOLDERS], ids=str)
def test_translations_keep_their_blanks(folder: Path) -> None:
    for path in folder.glob("*.po"):
        with path.open("rb") as file:
            for message in read_po(file):
                source = message.id[-1] if isinstance(message.id, tuple | list) else message.id
                targets = message.string if isinstance(message.string, tuple | list) else (message.string,)
                for target in targets:
                    blanks = r"%\(\w+\)s|\{\w+\}"
                    assert sorted(re.findall(blanks, source)) == sorted(re.findall(blanks, target)), source


def test_the_extractor_finds_texts() -> None:
    found = [message for _, _, message, _ in babel_extract(BytesIO(b'{{ _("one") }} {{ two }}'), ("_",), [], {})]
    assert found == ["one"]
