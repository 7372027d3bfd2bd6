"""The secrets of a local system: made once, kept private, and good for the services."""

from __future__ import annotations

from pathlib import Path
from stat import S_IMODE

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.identity import TOKEN_AUDIENCE, TOKEN_ISSUER, load_identity
from libs.common.security import Tokens
from services.awarding.settings import AwardingSettings


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    load_identity(tmp_path / "secrets")
    files = {path: path.read_bytes() for path in (tmp_path / "secrets").rglob("*") if path.is_file()}
    assert len(files) == 10
    for path in files:
        assert S_IMODE(path.stat().st_mode) == 0o600, path
        assert S_IMODE(path.parent.stat().st_mode) == 0o700, path.parent
    load_identity(tmp_path / "secrets")
    assert {path: path.read_bytes() for path in files} == files


def test_what_is_missing_is_made_and_the_rest_is_kept(tmp_path: Path) -> None:
    first = load_identity(tmp_path)
    key = first.signing_key_file.read_bytes()
    first.token_keys_file.unlink()
    token = load_identity(tmp_path).mint_token("ada", ["operations"])
    assert first.signing_key_file.read_bytes() == key
    assert _tokens(tmp_path).principal(token) is not None


def test_a_token_says_who_may_do_what_and_until_when(tmp_path: Path) -> None:
    identity = load_identity(tmp_path)
    principal = _tokens(tmp_path).principal(
        identity.mint_token("demo", ["records.read", "operations"], learner_id="example-01", hours=2)
    )
    assert principal is not None
    assert (principal.subject, principal.learner_id) == ("demo", "example-01")
    assert principal.scopes == {"records.read", "operations"}
    assert _tokens(tmp_path).principal(identity.mint_token("demo", ["operations"], hours=-1)) is None
    stranger = load_identity(tmp_path / "other").mint_token("demo", ["operations"])
    assert _tokens(tmp_path).principal(stranger) is None


def test_awarding_can_use_them(tmp_path: Path) -> None:
    identity = load_identity(tmp_path)
    settings = AwardingSettings(
        _secrets_dir=identity.secrets_directory,  # type: ignore[call-arg]
        database_dsn="postgresql://",  # type: ignore[arg-type]
        signing_keys=identity.signing_key_file.as_uri(),
        jwt_keys=identity.jwt_key_file.as_uri(),
        open_badge_2_keys=identity.open_badge_2_key_file.as_uri(),
    )
    embedded, token, assertion = settings.ring().at_hand
    assert embedded.key_id.startswith("z6Mk")
    assert token.key_id.startswith("zDn")
    assert (assertion.key_id[:4], assertion.signs) == ("rsa-", "assertions")
    assert settings.namespace().version == 4
    assert len(settings.pepper()) == 64


def test_the_command_prints_a_token(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["token", "--scope", "operations", "--scope", "records.read", "--state", str(tmp_path)]
    )
    assert done.exit_code == 0
    principal = _tokens(tmp_path / "secrets").principal(done.stdout.strip())
    assert principal is not None
    assert principal.scopes == {"operations", "records.read"}


def test_the_command_refuses_a_scope_that_no_door_asks_for(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["token", "--scope", "everything", "--state", str(tmp_path)])
    assert ended.exit_code == 2
    assert "found 'everything'" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["dead-letters", "list", "--state", "."], 4, "no local system is running"),
        (["dead-letters", "list", "--url", "progress=http://localhost:1"], 2, "expected --url for"),
        (["dead-letters", "list", "--url", "elsewhere=http://localhost:1"], 2, "found"),
        (["dead-letters", "show", "nobody", "1", "--state", "."], 4, "no local system is running"),
        (["dead-letters", "resend", "progress", "1", "--state", "."], 2, "--reason"),
    ],
)
def test_commands_say_what_they_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == code, ended.output
    assert said in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["up"], ["demo"], ["replay", "oulad"], ["token"], ["dead-letters", "list"], ["dead-letters", "resend"]],
)
def test_every_command_explains_itself(arguments: list[str]) -> None:
    shown = CliRunner().invoke(app, [*arguments, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout


def _tokens(directory: Path) -> Tokens:
    keys = load_identity(directory).token_keys_file
    return Tokens(keys, issuer=TOKEN_ISSUER, audience=TOKEN_AUDIENCE)
