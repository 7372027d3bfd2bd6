"""What an imported badge is a fact about: who issued it, for what (B12)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote, unquote
from uuid import UUID

from libs.common.contracts import BadgeImported
from libs.common.contracts.requirement import Accepted
from libs.common.credentials.sealing import seal, unseal
from services.awarding.model import About, FactKind, Import, NewFact

# Neither occurs in the parts of an object's id, which are quoted.
_BETWEEN = "|"
_KEPT = ":/#?&=@+,;~!$'()*[]%"


@dataclass(frozen=True, slots=True)
class Accepting:
    """An imported badge that counts: what the fact is about, the badge in words, and the credits that it adds."""

    about: About
    name: str
    credits: Decimal | None


def accepting(accepted: Iterable[Accepted]) -> tuple[Accepting, ...]:
    """What a requirement accepts of other issuers, ready to be looked up."""
    return tuple(
        Accepting(
            (int(FactKind.IMPORTED), object_of(entry.issuer, entry.achievement)),
            entry.label or entry.achievement or f"any badge of {entry.issuer}",
            entry.credits,
        )
        for entry in accepted
    )


def object_of(issuer: str, achievement: str | None) -> str:
    """The id of what a fact is about: the badges of `issuer` for `achievement`, or all of its badges."""
    names = (issuer,) if achievement is None else (issuer, achievement)
    return _BETWEEN.join(quote(name, safe=_KEPT) for name in names)


def objects_of(issuer: str, achievement: str | None) -> tuple[str, ...]:
    """All that one imported badge is a fact about."""
    return tuple(dict.fromkeys((object_of(issuer, None), object_of(issuer, achievement))))


def word_on(imported: Import, watch: str | None) -> BadgeImported:
    """The word that an import counts; `watch` is what its issuer is asked again, sealed."""
    badge = imported.badge
    assert badge is not None
    return BadgeImported(
        import_id=imported.import_id, learner_id=imported.learner_id, issuer=badge.issuer,
        achievement=badge.achievement, name=badge.name, issuer_name=badge.issuer_name, standard=badge.standard,
        digest=imported.digest, valid_from=badge.valid_from, valid_until=badge.valid_until,
        revision=imported.revision, watch=watch,
    )  # fmt: skip


def sealed_watch(secret: bytes, imported: Import) -> str | None:
    """What the issuer of an import is asked again, as it is told: sealed under the 64-byte `secret`, for it alone."""
    watch = imported.watch
    return None if watch is None else seal(secret, watch, str(imported.import_id), imported.digest)


def unsealed_watch(secret: bytes, told: BadgeImported) -> bytes | None:
    """What the issuer of an import is asked again; None where it was not told, or under another secret."""
    return None if told.watch is None else unseal(secret, told.watch, str(told.import_id), told.digest)


def facts_told(told: BadgeImported, event_id: UUID, at: datetime, traceparent: str | None) -> list[NewFact]:
    """The facts that follow from the word that an import counts."""
    return [
        NewFact(
            told.learner_id, int(FactKind.IMPORTED), name, event_id, at, digest=told.digest, traceparent=traceparent
        )
        for name in objects_of(told.issuer, told.achievement)
    ]


def parts_of(object_id: str) -> tuple[str, str | None]:
    """Issuer and, where it is named, achievement of an object's id."""
    issuer, between, achievement = object_id.partition(_BETWEEN)
    return unquote(issuer), unquote(achievement) if between else None
