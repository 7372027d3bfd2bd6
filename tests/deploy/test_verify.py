"""`cairn verify`: its exit codes, its words and its JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from tests.libs.common.checking.disclosing import KEY as SELECTIVE_KEY
from tests.libs.common.checking.disclosing import badge, did_of, issue
from tests.libs.common.checking.world import PNG
from tests.services.verification.support import ADDRESSES, KEY, badge_issued

DID = ADDRESSES.issuer_did("prairie")
CREDENTIAL = badge_issued().credential


@pytest.fixture(autouse=True)
def _no_running_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))


@pytest.fixture
def map_option(tmp_path: Path) -> list[str]:
    """The issuer's site, in a folder."""
    site = tmp_path / "badges.example"
    keys = site / "issuers" / "prairie" / "did.json"
    keys.parent.mkdir(parents=True)
    keys.write_text(json.dumps(did_document(DID, [PublishedKey(LocalSigner(KEY, DID).public_key)])))
    return ["--map", f"https://badges.example={site}"]


def verify(*arguments: str, stdin: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *arguments], input=stdin)
    return result.exit_code, result.stdout


def test_the_exit_code_says_the_answer(tmp_path: Path, map_option: list[str]) -> None:
    badge, forged, empty = tmp_path / "badge.json", tmp_path / "forged.json", tmp_path / "empty.png"
    badge.write_text(CREDENTIAL)
    forged.write_text(CREDENTIAL.replace("Coaching", "Flying"))
    empty.write_bytes(PNG)
    assert verify(str(badge), *map_option)[0] == 0
    assert verify(str(forged), *map_option)[0] == 1
    assert verify(str(badge), "--map", f"https://badges.example:8443={tmp_path}")[0] == 2  # its issuer is nowhere
    assert verify(str(empty), *map_option)[0] == 3
    assert verify(str(tmp_path / "nothing"))[0] == 3
    assert verify(str(badge), *map_option, "--recipient", "email:somebody@example.org")[0] == 1


def test_it_tells_people_and_programs(map_option: list[str]) -> None:
    code, said = verify("-", *map_option, "--trust", DID, stdin=CREDENTIAL)
    assert code == 0
    assert said.startswith("Genuine and current.\nCoaching and Mentoring")
    code, said = verify("-", *map_option, "--json", stdin=CREDENTIAL)
    verdict = json.loads(said)
    assert (code, verdict["answer"], verdict["trusted"]) == (0, "genuine", "unknown")
    assert [finding["number"] for finding in verdict["findings"]] == list(range(1, 8))


def test_a_badge_of_which_its_holder_shows_a_part(tmp_path: Path) -> None:
    issued = issue(badge())
    shown, forged = issued.derived(), {**issued.derived("/name"), "name": "Better"}
    code, said = verify("-", "--trust", did_of(SELECTIVE_KEY), stdin=json.dumps(shown))
    assert code == 2
    assert said.startswith("Genuine, as far as its holder shows it.\nBadge")
    assert "its holder may have left parts out" in " ".join(said.split())
    code, said = verify("-", stdin=json.dumps(issued.undisclosed))
    assert (code, "signed for its holder alone" in " ".join(said.split())) == (1, True)
    lines = tmp_path / "badges.jsonl"
    lines.write_text("\n".join(map(json.dumps, (shown, forged))))
    code, said = verify("--bulk", str(lines))
    assert [json.loads(line)["answer"] for line in said.splitlines()] == ["cannot-tell", "not-genuine"]


@pytest.mark.parametrize("wrong", [["--map", "nothing"], ["--map", "https://x=/no/such/folder"], ["--recipient", "x"]])
def test_wrong_usage_is_said(wrong: list[str]) -> None:
    assert verify("-", *wrong, stdin="x")[0] == 2


def test_many_are_told_line_by_line(tmp_path: Path, map_option: list[str]) -> None:
    forged = CREDENTIAL.replace("Coaching", "Flying")
    lines = tmp_path / "badges.jsonl"
    lines.write_text(f"{CREDENTIAL}\n\n{forged}\n{{broken\n")
    code, said = verify("--bulk", str(lines), *map_option)
    told = [json.loads(line) for line in said.splitlines()]
    assert [(row["line"], row["answer"]) for row in told] == [(1, "genuine"), (3, "not-genuine"), (4, "nothing-found")]
    assert code == 1
    table = tmp_path / "badges.csv"
    quoted = CREDENTIAL.replace('"', '""')
    table.write_text(f'badge,recipient\n"{quoted}",email:somebody@example.org\n"{quoted}",\n')
    code, said = verify("--bulk", str(table), *map_option)
    assert [json.loads(line)["answer"] for line in said.splitlines()] == ["not-genuine", "genuine"]
    assert verify("--bulk", "-", *map_option, stdin=CREDENTIAL)[0] == 0
    assert verify("--bulk", "-", *map_option, "--recipient", "name:Nobody", stdin=CREDENTIAL)[0] == 1
    assert verify("--bulk", "-", stdin="")[0] == 3
    assert verify("--bulk", str(tmp_path / "nothing"))[0] == 3
    assert verify("--bulk", "-", "--at", "http://127.0.0.1:9", "--token", "x", stdin="x")[0] == 2


def test_a_code_needs_a_place() -> None:
    assert verify("7KQ2MZ4PXR3W")[0] == 3
    assert verify("7KQ2-MZ4P-XR3W", "--at", "http://127.0.0.1:9")[0] == 2
    assert verify("x", "--at", "nowhere")[0] == 2
