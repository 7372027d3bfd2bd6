"""A worker signs with a key that never leaves a hardware security module (B8); SoftHSM2 stands in for one."""

from __future__ import annotations

import pytest

from libs.common.credentials.keys import public_key_of_multikey
from libs.common.credentials.proof import verify_proof
from libs.common.signing.opening import open_key
from libs.common.signing.ring import Ring
from services.awarding.handlers import Office

pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (the extra `hsm`)")

from tests.services.awarding.support import (
    ISSUER,
    Service,
    achievement,
    office,
    passed,
    published,
    registered,
    scored,
)


async def test_a_worker_signs_with_an_hsm(service: Service, hsm_token: str) -> None:
    made, ring = office(), Ring([(None, open_key(hsm_token.format("object=issuer")))])
    assert ring.blocks
    changed = Office(made.deployment, namespace=made.namespace, ring=ring, keys_valid_from=made.keys_valid_from)
    worker = Service(service.database, changed)
    await worker.hear(*published(ISSUER, achievement("a", passed("x"))), *registered("ada", "ben"))
    await worker.hear(scored("ada", "x", "50", 1), scored("ben", "x", "50", 1))
    told = await worker.told()
    assert len(told) == 2
    for issued in told:
        proof = verify_proof(
            issued.credential.encode(), lambda method: public_key_of_multikey(method.partition("#")[2])
        )
        assert proof.ok
    changed.close()
