"""`cairn verify --offline`: a bundle is checked by what is in it, and nothing is asked of any network (B6)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import orjson

from libs.common.checking import Terms, check
from libs.common.checking.bundle import (
    Bundle,
    Logged,
    before_revocation,
    check_log,
    is_undermined,
    read_bundle,
    signing_keys,
)
from libs.common.checking.dialogue import (
    Answer,
    Canonical,
    Canonicalise,
    Fetched,
    Question,
    Recall,
    Refused,
    Unreachable,
)
from libs.common.checking.model import Judgement
from libs.common.checking.strict import Fault
from libs.common.checking.words import SENTENCES
from libs.common.sandbox import Killed, Sandbox


@dataclass(frozen=True, slots=True)
class OfflineVerdict:
    """The judgement as of `as_of`, what the log proves, and whether a key that the caller trusts stands behind it."""

    judgement: Judgement
    logged: Logged
    as_of: datetime
    anchored: bool
    expired_since: bool = False

    def as_json(self) -> bytes:
        """The verdict for programs."""
        content = {
            **asdict(self.judgement),
            "as_of": self.as_of.isoformat(),
            "log": {**asdict(self.logged), "detail": self.logged.detail},
            "anchored": self.anchored,
            "expired_since": self.expired_since,
        }
        return orjson.dumps(content, option=orjson.OPT_INDENT_2)

    def lines(self) -> list[str]:
        """What there is to say besides the judgement."""
        sign = {"pass": "✓", "fail": "✗", "absent": "?"}[self.logged.outcome]
        when = f", since {self.logged.at.isoformat()}" if self.logged.at is not None else ""
        said = [
            f"Log. {sign} {self.logged.detail}{when}",
            f"As of {self.as_of.isoformat()}; nothing newer was asked for.",
        ]
        if self.expired_since:
            said.append("Its time has run out since.")
        if not self.anchored:
            said.append("The keys are as good as this file: name a key that you trust with --key or --log-key.")
        return said


async def verify_bundle(
    content: bytes, terms: Terms, *, keys: Collection[str], log_keys: Collection[str]
) -> OfflineVerdict | Fault:
    """The verdict on the bundle in `content`, or why it is none.

    `keys` are public keys of the issuer that the caller trusts (Multikey), `log_keys` those of the log.
    """
    bundle = read_bundle(content)
    if isinstance(bundle, Fault):
        return bundle
    as_of = min(bundle.made_at, terms.now)
    logged = check_log(bundle, log_keys)
    if is_undermined(bundle, logged):
        logged = Logged("fail", "key-revoked", logged.at)
    elif logged.outcome == "pass":
        bundle = before_revocation(bundle)
    judgement = await _judged(bundle, terms._replace(now=as_of))
    later = await _judged(bundle, terms)
    if keys and not (signing_keys(bundle) and signing_keys(bundle) <= set(keys)):
        judgement = _refused(judgement, "Signed with a key that you do not trust")
    elif logged.outcome == "fail":
        judgement = _refused(judgement, "Not to be relied on")
    elif log_keys and logged.outcome == "absent" and judgement.answer == "genuine":
        judgement = replace(judgement, answer="cannot-tell", sentence=SENTENCES["cannot-tell"])
    anchored = judgement.answer != "not-genuine" and (bool(keys) or (bool(log_keys) and logged.outcome == "pass"))
    return OfflineVerdict(judgement, logged, as_of, anchored, expired_since=_expired(later) and not _expired(judgement))


def _refused(judgement: Judgement, sentence: str) -> Judgement:
    """What was told about the badge does not hold together, so it is not believed."""
    return replace(judgement, answer="not-genuine", sentence=sentence, authentic="fail", current="unknown")


async def _judged(bundle: Bundle, terms: Terms) -> Judgement:
    sandbox = Sandbox()
    try:
        return await _drive(bundle.credential, terms, bundle.documents, sandbox)
    finally:
        await asyncio.to_thread(sandbox.close)


async def _drive(content: bytes, terms: Terms, documents: Mapping[str, Fetched], sandbox: Sandbox) -> Judgement:
    asking = check(content, terms)
    try:
        question: Question = next(asking)
        while True:
            question = asking.send(await _answer(question, documents, sandbox))
    except StopIteration as end:
        judgement = end.value
    assert isinstance(judgement, Judgement)
    return judgement


async def _answer(question: Question, documents: Mapping[str, Fetched], sandbox: Sandbox) -> Answer:
    if isinstance(question, Recall):
        return Unreachable("offline", "what the bundle proves is told beside this")
    if not isinstance(question, Canonicalise):
        return documents.get(question.url, Unreachable("offline", "not in the bundle"))
    try:
        found = await sandbox.do("canonical", documents=list(question.documents), algorithm=question.hash)
    except Killed as fault:
        return Refused("too-costly", str(fault))
    return Canonical(tuple(found["texts"])) if "texts" in found else Refused(found["reason"], found["detail"])


def _expired(judgement: Judgement) -> bool:
    return any(finding.name == "dates" and finding.reason == "expired" for finding in judgement.findings)
