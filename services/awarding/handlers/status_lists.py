"""Status lists: every badge gets a place in them, and they are signed anew when a badge changes (B4, M2.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import orjson

from libs.common.contracts import StatusListSigned
from libs.common.credentials import proof
from libs.common.credentials.jwt import vc_jwt
from libs.common.credentials.model import StatusEntry
from libs.common.credentials.places import place_of, position_of
from libs.common.credentials.status_list import encode, status_list_credential
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import Outgoing, Work
from services.awarding.handlers.office import SOURCE, Office, Signers
from services.awarding.model import BadgeState, ListPlace, ListPurpose, StatusListNow
from services.awarding.store import keys as key_store
from services.awarding.store import status_lists as list_store

# A list is good for a week, and signed anew each day: verifiers that keep one are never far behind.
VALID = timedelta(days=7)
RENEWED_AFTER_SECONDS = 86_400.0
_MOST_DUE = 1_000
_LIST_NUMBER = re.compile(r'"statusListCredential":"[^"]*-([0-9]+)"')

Place = tuple[int, int]


async def issue_places(
    office: Office, work: Work, issuer_ids: Sequence[str], signers: Mapping[str, Signers], now: datetime
) -> list[Place]:
    """A place, number of the list and index in it, for each badge to come of these issuers.

    A list that begins with one is signed and told here, before the first badge that names it.
    """
    positions = await list_store.take_positions(work.connection, len(issuer_ids))
    places = [place_of(office.list_secret, position) for position in positions]
    numbers = {(issuer_id, number) for issuer_id, (number, _) in zip(issuer_ids, places, strict=True)}
    await _begin_lists(office, work, numbers, signers, now)
    return places


async def issue_first_places(office: Office, work: Work, signers: Mapping[str, Signers], now: datetime) -> None:
    """Begin the lists that the next badges of these issuers will name: whoever awards them then waits for nobody."""
    number, _ = place_of(office.list_secret, await list_store.next_position(work.connection))
    await _begin_lists(office, work, {(issuer_id, number) for issuer_id in signers}, signers, now)


async def _begin_lists(
    office: Office, work: Work, numbers: set[tuple[str, int]], signers: Mapping[str, Signers], now: datetime
) -> None:
    needed = {ListPlace(issuer_id, number, purpose) for issuer_id, number in numbers for purpose in office.purposes}
    missing = needed - await list_store.known_lists(work.connection, {issuer_id for issuer_id, _ in numbers})
    if missing:
        begun = await list_store.keep_new_lists(work.connection, missing, now + VALID)
        fresh = [StatusListNow(place, 1) for place in sorted(missing) if place.list_id in begun]
        await _tell_lists(office, work, fresh, {}, signers=signers, now=now)


def map_place(office: Office, issuer_id: str, place: Place) -> tuple[StatusEntry, ...]:
    """What a badge says of its place."""
    number, index = place
    return tuple(
        StatusEntry(
            office.deployment.addresses.status_list(ListPlace(issuer_id, number, purpose).list_id), index, purpose
        )
        for purpose in office.purposes
    )


async def sign_status_lists(office: Office, work: Work) -> int:
    """Sign the lists that are due, all changes of a list at once; answers how many. Several workers may do it."""
    connection = work.connection
    await list_store.note_due_old(connection, RENEWED_AFTER_SECONDS)
    due = await list_store.take_due(connection, _MOST_DUE)
    if not due:
        return 0
    now, lists = await list_store.lock_lists(connection, due)
    if now is None:
        return 0
    withdrawn = await list_store.withdrawn(connection, due)
    issuers = {found.place.issuer_id for found in lists}
    histories = await key_store.keys_of(connection, issuers)
    signers = {name: office.signers(name, histories.get(name, ()), now) for name in issuers}
    fresh = [StatusListNow(found.place, found.revision + 1) for found in lists]
    await list_store.keep_lists(connection, fresh, now + VALID)
    await _tell_lists(office, work, fresh, withdrawn, signers=signers, now=now)
    return len(fresh)


async def on_status_list_signed(work: Work, events: Sequence[Received[StatusListSigned]]) -> None:
    """A fresh database keeps which lists there are, and how often each was signed."""
    lists: list[StatusListNow] = []
    for heard in events:
        if heard.content is not None:
            issuer_id, _, number = heard.content.list_id.rsplit("-", 2)
            lists.append(
                StatusListNow(ListPlace(issuer_id, int(number), heard.content.purpose), heard.content.revision)
            )
    await list_store.restore_lists(work.connection, lists)


def read_list_number(credential: str) -> int | None:
    """The number of the list that a signed badge names, or None if it names none."""
    found = _LIST_NUMBER.search(credential)
    return None if found is None else int(found[1])


async def resume_places(office: Office, work: Work) -> None:
    """A fresh database gives no place again that a badge has."""
    places = await list_store.restored_places(work.connection)
    if places:
        last = max(position_of(office.list_secret, number, index) for number, index in places)
        await list_store.resume_positions(work.connection, last)


async def _tell_lists(
    office: Office,
    work: Work,
    lists: Sequence[StatusListNow],
    withdrawn: Mapping[tuple[str, int, int], Iterable[int]],
    *,
    signers: Mapping[str, Signers],
    now: datetime,
) -> None:
    def sign_all() -> list[StatusListSigned]:
        return [_signed(office, found, withdrawn, signers[found.place.issuer_id], now) for found in lists]

    for content in await office.sign(sign_all):
        key = f"status-list:{content.list_id}"
        work.tell(
            Outgoing(
                topic=StatusListSigned.TOPIC,
                key=key,
                event_id=uuid5(NAMESPACE_URL, f"{SOURCE}/{key}/{content.revision}"),
                type=StatusListSigned.TYPE,
                source=SOURCE,
                subject=key,
                time=now,
                value=content.model_dump_json(exclude_none=True).encode(),
            )
        )


def _signed(
    office: Office,
    found: StatusListNow,
    withdrawn: Mapping[tuple[str, int, int], Iterable[int]],
    signers: Signers,
    now: datetime,
) -> StatusListSigned:
    place, addresses = found.place, office.deployment.addresses
    indices = [
        index
        for state in _states_of(place.purpose, office.purposes)
        for index in withdrawn.get((place.issuer_id, place.number, int(state)), ())
    ]
    document = status_list_credential(
        addresses.status_list(place.list_id), addresses.issuer_did(place.issuer_id), place.purpose, encode(indices),
        valid_from=now, valid_until=now + VALID,
    )  # fmt: skip
    signed = proof.sign(document, signers.proof, now, office.list_shapes)
    begins, ends = int(now.timestamp()), int((now + VALID).timestamp())
    return StatusListSigned(
        list_id=place.list_id,
        issuer_id=place.issuer_id,
        purpose=place.purpose,
        revision=found.revision,
        credential=orjson.dumps(signed.document).decode(),
        credential_jwt=None if signers.token is None else vc_jwt(document, begins, ends, signers.token),
    )


def _states_of(purpose: ListPurpose, purposes: Sequence[ListPurpose]) -> tuple[BadgeState, ...]:
    """The states that set the bit of a badge in the list of this purpose.

    Where badges name the list of revocation alone, it speaks of the suspended ones too, for as long as they are:
    better than calling them good.
    """
    if purpose == "suspension":
        return (BadgeState.SUSPENDED,)
    return (BadgeState.REVOKED,) if "suspension" in purposes else (BadgeState.SUSPENDED, BadgeState.REVOKED)
