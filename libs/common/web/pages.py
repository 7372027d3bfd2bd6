"""The pages' shell: one Jinja2 environment a service, with escaping always on, and the headers of every page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from libs.common.web.assets import address_of
from libs.common.web.documents import STATUS, Document, respond
from libs.common.web.language import Language, Languages

HTML = "text/html; charset=utf-8"
SHELL = Path(__file__).parent / "templates"

# No script, no inline style, nothing from elsewhere: what a page may load stands here and nowhere else.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# For a page with a script of our own, which may send to this site and nowhere else.
SCRIPTED = f"{CONTENT_SECURITY_POLICY}; script-src 'self'; connect-src 'self'"
PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept, Accept-Language",
}


class Pages:
    """Renders one service's templates inside the common shell.

    `folder` holds the templates and their `<tag>.po` texts; `home` is the path that the brand leads to;
    `navigation` are the entries of the header: (text in English, path), `legal` those of the footer: (text, address).
    """

    def __init__(
        self,
        folder: Path,
        *,
        home: str = "/",
        navigation: tuple[tuple[str, str], ...] = (),
        legal: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.languages = Languages([folder])
        self._environment = Environment(
            loader=FileSystemLoader([folder, SHELL]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.globals.update(  # pyright: ignore[reportUnknownMemberType] - untyped in Jinja2
            asset=address_of, home=home, navigation=navigation, legal=legal
        )

    def language_of(self, request: Request) -> Language:
        """The language of the page that `request` asks for."""
        return self.languages.choose(request.query_params.get("lang"), request.headers.get("accept-language"))

    def render(self, request: Request, template: str, **values: Any) -> bytes:
        """The page as UTF-8 bytes. Templates see `language`, `to(path)`, `path`, `_` and `ngettext`, and `values`."""
        language = self.language_of(request)

        def to(path: str) -> str:
            return f"{path}?{urlencode({'lang': language.tag})}" if language.chosen else path

        page = self._environment.get_template(template)
        return page.render(
            language=language, to=to, path=request.url.path, _=language.texts.gettext,
            gettext=language.texts.gettext, ngettext=language.texts.ngettext, **values,
        ).encode()  # fmt: skip

    def respond(
        self,
        request: Request,
        template: str,
        *,
        cache_control: str = STATUS,
        last_modified: datetime | None = None,
        headers: Mapping[str, str] | None = None,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """The page as an answer, with its security headers, ETag and 304; `headers` are added."""
        document = Document(
            self.render(request, template, **values), HTML, cache_control, last_modified,
            {**PAGE_HEADERS, **(headers or {})}, status,
        )  # fmt: skip
        return respond(request, document)
