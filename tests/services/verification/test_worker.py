"""The worker's table, as delivery uses it: what cannot be kept becomes a dead letter, its neighbours are kept."""

from dataclasses import dataclass, field

from libs.common.contracts.envelope import headers_of
from libs.common.messaging.delivery import Delivery
from services.verification.worker import HEARS
from tests.services.verification.support import ACHIEVEMENT, ISSUER, Event, Service, badge_issued, event, key_published


@dataclass
class Record:
    """A Kafka record of one event."""

    told: Event
    offset: int
    partition: int = 0
    timestamp: int = 0
    key: bytes = b"key"
    headers: list[tuple[str, bytes | None]] = field(default_factory=list[tuple[str, bytes | None]])

    def __post_init__(self) -> None:
        self.headers = [(name, content) for name, content in headers_of(self.told.event)]

    @property
    def topic(self) -> str:
        return self.told.topic

    @property
    def value(self) -> bytes:
        assert self.told.content is not None
        content: bytes = self.told.content.model_dump_json().encode()
        return content


async def test_a_badge_with_other_bytes_is_buried_and_its_neighbours_are_kept(service: Service) -> None:
    badges = [badge_issued(f"learner-{number}") for number in range(20)]
    badges[7] = badges[7].model_copy(update={"credential": badges[7].credential + " "})
    told = [event(ISSUER), event(ACHIEVEMENT), event(key_published()), *(event(badge) for badge in badges)]
    delivery = Delivery(service.database, service="verification", hears=HEARS)
    await delivery.handle([Record(one, offset) for offset, one in enumerate(told)])
    kept = {row["badge_id"] for row in await service.database.pool.fetch("select badge_id from badge")}
    assert kept == {badge.badge_id for badge in badges} - {badges[7].badge_id}
    letters = await service.database.pool.fetch("select stage, reason from dead_letter")
    assert [letter["stage"] for letter in letters] == ["handler"]
    assert "expected bytes with the digest" in letters[0]["reason"]


async def test_what_was_seen_is_not_handled_again(service: Service) -> None:
    told = [event(badge_issued())]
    delivery = Delivery(service.database, service="verification", hears=HEARS)
    await delivery.handle([Record(one, 0) for one in told])
    await delivery.handle([Record(one, 1) for one in told])
    assert await service.database.pool.fetchval("select count(*) from badge") == 1
    assert await service.database.pool.fetchval("select count(*) from dead_letter") == 0
