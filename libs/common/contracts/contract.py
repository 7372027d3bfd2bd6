"""What every message between services has in common: it is frozen, typed, and additive for ever."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints

# Ids travel in URLs, keys and logs, so they are short and hold no space, slash or control character.
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~:@-]*$", max_length=128)]
# Activities and assessments are named by outside systems, usually with an IRI.
ObjectIdentifier = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", min_length=1, max_length=512)]
# What others name on the web: issuers, achievements. Kept as they write it, so that it can be compared.
Uri = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$", max_length=500)]
# U+0000 is the one character that PostgreSQL cannot keep.
_NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000, pattern=_NO_NUL)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_NO_NUL)]


class Part(BaseModel):
    """A value inside a contract: frozen, and unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Contract(Part):
    """The `data` of one CloudEvent type. Unknown fields are ignored, so that a newer teller can add some.

    `TYPE` is the CloudEvents `type` (`cairn.<name>.v<major>`), `TOPIC` the name of the topic it travels on.
    """

    TYPE: ClassVar[str]
    TOPIC: ClassVar[str]
