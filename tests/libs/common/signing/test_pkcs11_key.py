"""Keys in an HSM by PKCS#11, with SoftHSM2 where it is installed (B8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from libs.common.credentials.issue import Template
from libs.common.credentials.proof import verify_proof
from libs.common.signing.key import KeyUnusable, require_sound
from libs.common.signing.opening import open_key, open_signer
from tests.libs.common.credentials.samples import CLAIM, ISSUER, TERMS

pkcs11: Any = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (the extra `hsm`)")


@pytest.fixture
def module(softhsm: Path) -> Path:
    return softhsm


@pytest.fixture
def token(hsm_token: str) -> str:
    return hsm_token


def test_a_badge_signed_there_verifies_and_is_the_same_each_time(token: str) -> None:
    signer = open_signer(token.format("object=issuer"), ISSUER.id)
    issued = Template(ISSUER, TERMS).issue(CLAIM, signer)
    assert issued == Template(ISSUER, TERMS).issue(CLAIM, signer)
    assert verify_proof(issued.credential, {signer.verification_method: signer.public_key}.get).ok
    signer.key.close()


def test_keys_are_found_by_label_and_by_id(token: str) -> None:
    by_label = open_key(token.format("object=issuer"))
    by_id = open_key(token.format("id=%01"))
    by_both = open_key(token.format("id=%02;object=other"))
    assert by_label.public_key == by_id.public_key != by_both.public_key
    assert by_label.sign(b"content") == by_id.sign(b"content")
    for key in (by_label, by_id, by_both):
        key.close()


def test_a_lost_session_is_opened_again(token: str) -> None:
    key, other = open_key(token.format("object=issuer")), open_key(token.format("object=other"))
    before = key.sign(b"content")
    key.close()
    # Closing logged out the whole process, so the other key's session is of no use any more.
    require_sound(other)
    assert key.sign(b"content") == before
    key.close()
    other.close()


def test_threads_share_a_key(token: str) -> None:
    key = open_key(token.format("object=issuer"))
    with ThreadPoolExecutor(8) as threads:
        signatures = list(threads.map(lambda number: key.sign(b"%d" % (number % 4)), range(200)))
    assert len(set(signatures)) == 4
    key.close()


@pytest.mark.parametrize(
    ("which", "found"),
    [("object=nobody", "NoSuchKey"), ("id=%09", "NoSuchKey"), ("object=wide", "Ed25519 key, found a point")],
)
def test_another_kind_of_key_or_none_is_refused(token: str, which: str, found: str) -> None:
    with pytest.raises(KeyUnusable, match=found) as caught:
        open_key(token.format(which))
    assert not caught.value.passing


def test_a_wrong_pin_a_missing_token_and_a_missing_module_are_told(token: str, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("0000")
    url = token.format("object=issuer")
    with pytest.raises(KeyUnusable, match="PinIncorrect"):
        open_key(url.partition("pin-source")[0] + f"pin-source=file:{tmp_path}/pin")
    with pytest.raises(KeyUnusable, match="readable PIN file"):
        open_key(url.partition("pin-source")[0] + f"pin-source=file:{tmp_path}/none")
    with pytest.raises(KeyUnusable, match="NoSuchToken"):
        open_key(url.replace("our%20token", "nobodys"))
    with pytest.raises(KeyUnusable, match="expected a key that signs"):
        open_key(f"pkcs11:token=t;object=o?module-path={tmp_path}/no.so")
