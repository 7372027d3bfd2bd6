"""Keys in Vault's transit engine, against a real HTTPS server that speaks its API (not Vault itself; B8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner
from libs.common.signing.key import KeyUnusable
from libs.common.signing.opening import open_key, open_signer
from tests.libs.common.credentials.samples import CLAIM, ISSUER, TERMS
from tests.libs.common.signing.vault_server import TransitServer, transit_server


@pytest.fixture
def transit(tmp_path: Path) -> Iterator[TransitServer]:
    (tmp_path / "token").write_text("s.good\n")
    with transit_server(tmp_path) as server:
        server.url += f"?token-file={tmp_path}/token&ca-file={tmp_path}/ca.pem"
        yield server


@pytest.mark.parametrize(("version", "seed"), [("", b"\2"), ("&version=1", b"\1")], ids=["newest", "first"])
def test_a_badge_signed_there_is_the_badge_signed_here(transit: TransitServer, version: str, seed: bytes) -> None:
    signer = open_signer(transit.url + version, ISSUER.id)
    issued = Template(ISSUER, TERMS).issue(CLAIM, signer)
    assert issued == Template(ISSUER, TERMS).issue(CLAIM, LocalSigner(seed * 32, ISSUER.id))
    signer.key.close()


def test_a_rotation_does_not_change_an_open_key(transit: TransitServer) -> None:
    key = open_key(transit.url)
    before = key.sign(b"content")
    transit.keys.append(transit.keys[0])
    assert key.sign(b"content") == before
    key.close()


def test_a_renewed_token_is_read_again(transit: TransitServer, tmp_path: Path) -> None:
    key = open_key(transit.url)
    transit.token = "s.renewed"
    with pytest.raises(KeyUnusable, match="403"):
        key.sign(b"content")
    (tmp_path / "token").write_text("s.renewed")
    assert len(key.sign(b"content")) == 64
    key.close()


def test_a_faulty_signature_never_leaves(transit: TransitServer) -> None:
    key = open_key(transit.url)
    transit.spoil_signatures = True
    with pytest.raises(KeyUnusable, match="belongs to the private one"):
        key.sign(b"content")
    key.close()


@pytest.mark.parametrize(("status", "passing"), [(503, True), (429, True), (500, True), (404, False), (400, False)])
def test_what_may_pass_is_told_from_what_lasts(transit: TransitServer, status: int, passing: bool) -> None:
    key = open_key(transit.url)
    transit.status = status
    with pytest.raises(KeyUnusable, match=f"HTTP {status}") as caught:
        key.sign(b"content")
    assert caught.value.passing is passing
    key.close()


def test_a_server_that_is_away_may_come_back(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s.good")
    with transit_server(tmp_path) as server:
        key = open_key(f"{server.url}?token-file={tmp_path}/token&ca-file={tmp_path}/ca.pem")
        key.close()
        url = server.url
    with pytest.raises(KeyUnusable) as caught:
        open_key(f"{url}?token-file={tmp_path}/token&ca-file={tmp_path}/ca.pem")
    assert caught.value.passing


def test_a_server_that_nobody_vouches_for_is_refused(transit: TransitServer) -> None:
    with pytest.raises(KeyUnusable, match="certificate"):
        open_key(transit.url.partition("&ca-file")[0])


def test_a_namespace_is_sent(transit: TransitServer) -> None:
    open_key(transit.url + "&namespace=tenants/ou").close()
    assert set(transit.namespaces) == {"tenants/ou"}


@pytest.mark.parametrize(
    ("change", "found"),
    [({"kind": "rsa-2048"}, "ed25519 key, found rsa-2048"), ({"keys": []}, "version 0"), ({"token": "x"}, "403")],
)
def test_another_kind_of_key_or_none_is_refused(transit: TransitServer, change: dict, found: str) -> None:
    for name, value in change.items():
        setattr(transit, name, value)
    with pytest.raises(KeyUnusable, match=found):
        open_key(transit.url)
