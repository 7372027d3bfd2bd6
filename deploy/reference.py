"""`python -m deploy.reference` writes the pages of docs/reference/ that follow from the code."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import orjson
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from libs.common.contracts.schema import asyncapi
from libs.common.contracts.topics import SERVICES
from libs.common.settings import ServiceSettings

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
# What is read past the settings classes, and by whom.
OTHERS = {
    "CAIRN_SECRETS_DIR": "directory of secret files: a file `cairn_database_dsn` stands for `CAIRN_DATABASE_DSN`",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "send traces to this OpenTelemetry collector (OTLP over HTTP)",
    "CAIRN_TOKEN": "the access token with which `cairn` calls a system at given addresses",
    "CAIRN_HOME": "where `cairn` keeps the embedded servers and their files; default `.cairn` beside the code",
}
TESTS = {
    "CAIRN_TEST_INFRASTRUCTURE": "where tests get PostgreSQL and Kafka: `environment`, `containers` or `embedded`",
    "CAIRN_TEST_POSTGRES_DSN": "a superuser's PostgreSQL URL for tests (`environment`)",
    "CAIRN_TEST_EXAMPLES": "how many requests a test sends to each operation of the HTTP doors; 4 unless set",
    "CAIRN_TEST_KAFKA": "host:port of a Kafka broker for tests (`environment`)",
    "CAIRN_TEST_DATA": "folder with outside material for tests, each skipped where it is absent: "
    "`cloudevents/`, `credentials/`, `oulad/`",
}
HEAD = """# Settings

Every environment variable that Cairn reads. This page is written by `python -m deploy.reference`.

Processes are started as `python -m services.<name> api | worker | migrate` and read the variables below. A
variable marked *secret* is better given as a file, in the directory that `CAIRN_SECRETS_DIR` names.
"""


def settings_of(service: str) -> type[ServiceSettings]:
    """The settings class of a service."""
    module = importlib.import_module(f"services.{service}.settings")
    own = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, ServiceSettings) and member is not ServiceSettings
    ]
    if len(own) != 1:
        raise ValueError(f"services.{service}.settings: expected one settings class, found {own}")
    return own[0]


def settings_page() -> str:
    """docs/reference/settings.md."""
    common = ServiceSettings.model_fields
    parts = [HEAD, "\n## All services\n", *_table(common)]
    for service in SERVICES:
        fields = settings_of(service).model_fields
        own = {name: field for name, field in fields.items() if _told(field) != _told(common.get(name))}
        parts += [f"\n## {service.capitalize()}\n", *_table(own)]
    for title, variables in (("Everywhere else", OTHERS), ("Tests", TESTS)):
        rows = [f"| `{name}` | {meaning} |" for name, meaning in variables.items()]
        parts += [f"\n## {title}\n", "| variable | meaning |", "|---|---|", *rows]
    return "\n".join(parts) + "\n"


def _table(fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, field in fields.items():
        default, meaning = _told(field)
        yield f"| `CAIRN_{name.upper()}` | {default} | {meaning} |"


def _told(field: FieldInfo | None) -> tuple[str, str]:
    if field is None:
        return "", ""
    secret = "SecretStr" in str(field.annotation)
    default = "required" if field.default is PydanticUndefined else f"`{field.default}`"
    if field.default is None:
        default = "none"
    return default, f"{'*secret*; ' if secret else ''}{field.description}"


def pages() -> dict[str, bytes]:
    """The generated pages: file name → content."""
    return {
        "settings.md": settings_page().encode(),
        "asyncapi.json": orjson.dumps(asyncapi(), option=orjson.OPT_INDENT_2) + b"\n",
    }


if __name__ == "__main__":
    for file_name, content in pages().items():
        (REFERENCE / file_name).write_bytes(content)
