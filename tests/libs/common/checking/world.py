"""A small internet in a folder, and the verifier that looks at it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from libs.common.checking import Terms
from libs.common.checking.model import Judgement
from libs.common.checking.recipient import Person
from libs.common.fetching import Fetcher, Reach
from libs.common.sandbox import Sandbox
from libs.common.verifying import Verifier


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]))
    + chunk(b"IDAT", zlib.compress(bytes(4)))
    + chunk(b"IEND", b"")
)
AFTER_HEADER = 33  # where a PNG's first chunk ends
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8"/></svg>'


@dataclass
class World:
    """What is on the web: `put` publishes, `judge` verifies. Folders of others may be mapped too."""

    folder: Path
    sandbox: Sandbox
    folders: dict[str, Path] = field(default_factory=dict)

    def put(self, url: str, content: Any) -> None:
        """Publish `content` (bytes, or something that becomes JSON) at `url`."""
        site, _, path = url.removeprefix("https://").partition("/")
        self.folders[f"https://{site}"] = self.folder / site
        place = self.folder / site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    async def judge(
        self,
        content: bytes,
        *,
        now: datetime | None = None,
        trusted: frozenset[str] = frozenset(),
        recipient: str | None = None,
    ) -> Judgement:
        """The judgement on `content`; `recipient` is written `type:value`."""
        person = None if recipient is None else Person(*recipient.split(":", 1))
        async with Fetcher(Reach(self.folders)) as fetcher:
            verifier = Verifier(fetcher, self.sandbox)
            return await verifier.verify(content, Terms(now or datetime.now(UTC), trusted, person))


def reasons(judgement: Judgement) -> Mapping[str, tuple[str, str]]:
    """Outcome and reason of each check that did not pass, by its name."""
    return {
        finding.name: (finding.outcome, finding.reason) for finding in judgement.findings if finding.outcome != "pass"
    }


async def judged(world: World, document: dict[str, Any]) -> tuple[str, str, str]:
    """Outcome, reason and what was found, of the check of the proof of `document`, on which all depends."""
    judgement = await world.judge(json.dumps(document).encode())
    (finding,) = [finding for finding in judgement.findings if finding.name == "proof"]
    assert (judgement.authentic == "pass") == (finding.outcome == "pass"), reasons(judgement)
    assert judgement.shown is None or finding.outcome == "pass"
    return finding.outcome, finding.reason, finding.more
