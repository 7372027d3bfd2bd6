"""The catalogue that a worker keeps at hand: read once, and never what was rolled back."""

from __future__ import annotations

import pytest

from libs.common.messaging.work import begin
from tests.services.awarding.support import ISSUER, Service, achievement, passed, published, registered, scored


async def test_what_a_rolled_back_savepoint_published_is_forgotten(service: Service) -> None:
    """Delivery settles a batch with a culprit event by event, in savepoints of one transaction."""
    await service.hear(*published(ISSUER), *registered("ada"))
    first, other = achievement("first", passed("x1")), achievement("other", passed("x1"))
    async with begin(service.database) as work:
        with pytest.raises(RuntimeError, match="culprit"):
            async with work.connection.transaction():
                await service.handle(work, published(first, other))
                raise RuntimeError("culprit")
        work.forget()
        await service.handle(work, published(other))
    await service.hear(scored("ada", "x1", "80", 1))
    assert await service.badges() == {("ada", "other")}


async def test_what_is_published_in_many_transactions_is_read_once(service: Service) -> None:
    await service.hear(*published(ISSUER))
    for number in range(3):
        await service.hear(*published(achievement(f"a{number}", passed("x1"))))
    async with begin(service.database) as work:
        catalogue = await service.office.catalogue(work.connection)
        assert set(catalogue.achievements) == {"a0", "a1", "a2"}
        await service.handle(work, published(achievement("a3", passed("x1"))))
        widened = await service.office.catalogue(work.connection)
    # The same values: what was read in a transaction is kept once it has committed.
    assert all(widened.versions[name] is entry for name, entry in catalogue.versions.items())
    async with begin(service.database) as work:
        assert await service.office.catalogue(work.connection) is widened
