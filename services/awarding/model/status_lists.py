"""Status lists and places in them."""

from __future__ import annotations

from typing import Literal, NamedTuple

ListPurpose = Literal["revocation", "suspension"]


class ListPlace(NamedTuple):
    """One list: of an issuer, with a number from 1, for one purpose. Both purposes of a number share their indices."""

    issuer_id: str
    number: int
    purpose: ListPurpose

    @property
    def list_id(self) -> str:
        """The list's id, also in its address."""
        return f"{self.issuer_id}-{self.purpose}-{self.number}"


class StatusListNow(NamedTuple):
    """A list with the number of the revision that was signed last."""

    place: ListPlace
    revision: int
