"""The languages of the pages: which one a caller reads, and the texts in it.

English texts are their own keys; other languages come from `.po` files, read when a process starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.core import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

from libs.common.web.negotiation import preferred

# Language tag → the locale that says how dates and numbers are written. The first is the default.
LOCALES = {"en": "en_GB", "fr": "fr_CA"}
NAMES = {"en": "English", "fr": "Français"}
OWN_TEXTS = Path(__file__).parent / "translations"


@dataclass(frozen=True)
class Language:
    """One language of the pages; `chosen` when the address asks for it, so that links go on asking for it."""

    tag: str
    texts: NullTranslations
    chosen: bool = False

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return Locale.parse(LOCALES[self.tag]).text_direction

    def date(self, instant: datetime) -> str:
        """A day as this language writes it: 22 November 2026."""
        return format_date(instant, format="long", locale=LOCALES[self.tag])

    def month(self, instant: datetime) -> str:
        """A month as this language writes it: November 2026."""
        return format_skeleton("yMMMM", instant, locale=LOCALES[self.tag])

    def number(self, number: Decimal | int) -> str:
        """A number as this language writes it."""
        return format_decimal(number, locale=LOCALES[self.tag])

    def others(self) -> list[tuple[str, str]]:
        """The other languages: tag and own name."""
        return [(tag, name) for tag, name in NAMES.items() if tag != self.tag]


class Languages:
    """The texts of one service's pages, in every language."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        """`folders` hold `<tag>.po` files that add to the shell's own texts. English needs none."""
        self._texts: dict[str, NullTranslations] = {"en": NullTranslations()}
        for tag in LOCALES:
            if tag != "en":
                self._texts[tag] = _read([folder / f"{tag}.po" for folder in (OWN_TEXTS, *folders)])

    def choose(self, wanted: str | None, accept_language: str | None) -> Language:
        """The language named by `wanted` (`?lang=`), else the best by the Accept-Language header, else English."""
        if wanted in self._texts:
            return Language(wanted, self._texts[wanted], chosen=True)
        tag = _by_header(accept_language)
        return Language(tag, self._texts[tag])

    def of(self, tag: str) -> Language:
        """The language of a BCP 47 tag by its first part, English where there are no texts in it."""
        short = tag.partition("-")[0].lower()
        known = short if short in self._texts else "en"
        return Language(known, self._texts[known])


def _by_header(accept_language: str | None) -> str:
    if not accept_language:
        return "en"
    # Same syntax as Accept once a tag is cut to its language: `fr-CA;q=0.8` speaks for `fr`.
    parts = [part.strip().partition(";") for part in accept_language.split(",")]
    ranges = ",".join(f"{tag.strip().partition('-')[0]}/x;{rest}".replace("*/x", "*/*") for tag, _, rest in parts)
    found = preferred(ranges, [f"{tag}/x" for tag in LOCALES])
    return found.removesuffix("/x") if found else "en"


def _read(paths: Sequence[Path]) -> NullTranslations:
    texts = Translations()
    for path in paths:
        with path.open("rb") as file:
            catalogue = read_po(file)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        texts.merge(Translations(compiled))
    return texts
