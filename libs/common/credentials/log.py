"""The append-only log of issuance: a Merkle tree whose head commits to every badge ever issued (RFC 6962; B8, SR-20).

A store keeps two things: the `Frontier` (the tree's right edge: at most 64 hashes) and every `Node` that `append`
returns, one row of (level, number, hash). A proof is then made in two steps: a function names the nodes it needs,
the store reads them in one query, and another function folds them. Nothing is ever recomputed from the leaves.

A leaf is a salted commitment to a badge's digest. Without its salt it tells nothing about anybody, so it can stay
for ever: whoever erases a learner destroys the salt (SR-15).
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

HASH_BYTES = 32
# RFC 6962, section 2.1: the root of the tree without leaves.
EMPTY_ROOT = hashlib.sha256().digest()
_LEAF, _NODE = b"\x00", b"\x01"  # keep leaves and nodes apart: a node must never pass for a leaf
_MIN_SALT_BYTES = 16
_COMMITMENT = b"issuance-log/v1\n"


class Place(NamedTuple):
    """Where a node stands: the root of the full subtree over leaves [number · 2^level, (number + 1) · 2^level)."""

    level: int
    number: int


class Node(NamedTuple):
    """The 32-byte hash at a place of the tree; once there, it never changes."""

    place: Place
    hash: bytes


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed to go on: how many leaves there are, and the roots of the full subtrees they form.

    `peaks` run from the largest, left-most subtree to the smallest: one for each bit that is set in `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"peaks: expected {max(self.size, 0).bit_count()} of them, found {len(self.peaks)}")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError(f"peaks: expected hashes of {HASH_BYTES} bytes")

    @property
    def root(self) -> bytes:
        """The tree's head, over all leaves (RFC 6962, section 2.1)."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT


class Appended(NamedTuple):
    """The frontier after leaves were added, and the nodes to store for them: the leaves and what they completed."""

    frontier: Frontier
    nodes: tuple[Node, ...]


def commitment(digest: bytes, salt: bytes) -> bytes:
    """The log's entry for a badge: a commitment to the 32-byte SHA-256 `digest` of its signed bytes.

    `salt` is secret until the badge is shown, belongs to this badge alone, and has 16 bytes or more.
    """
    if len(digest) != HASH_BYTES:
        raise ValueError(f"digest: expected {HASH_BYTES} bytes, found {len(digest)}")
    if len(salt) < _MIN_SALT_BYTES:
        raise ValueError(f"salt: expected {_MIN_SALT_BYTES} bytes or more, found {len(salt)}")
    return hmac.digest(salt, _COMMITMENT + digest, "sha256")


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf that holds `entry` (RFC 6962, section 2.1)."""
    return hashlib.sha256(_LEAF + entry).digest()


def append(frontier: Frontier, leaves: Iterable[bytes]) -> Appended:
    """`frontier` with the hashes `leaves` added at its end: O(log n) each, and O(1) on average."""
    peaks = list(frontier.peaks)
    size = frontier.size
    nodes: list[Node] = []
    for leaf in leaves:
        place, found = Place(0, size), leaf
        nodes.append(Node(place, found))
        # Each bit that is set below the first clear one is a subtree that this leaf completes.
        while size >> place.level & 1:
            place, found = Place(place.level + 1, place.number >> 1), _node_hash(peaks.pop(), found)
            nodes.append(Node(place, found))
        peaks.append(found)
        size += 1
    return Appended(Frontier(size, tuple(peaks)), tuple(nodes))


def inclusion_places(index: int, size: int) -> tuple[Place, ...]:
    """The nodes that prove leaf `index` (from 0) in the tree of `size` leaves; at most 2 · log2(size) of them."""
    _require_leaf(index, size)
    return _places(_inclusion_spans(index, size))


def inclusion_proof(index: int, size: int, hashes: Mapping[Place, bytes]) -> tuple[bytes, ...]:
    """The audit path of leaf `index` (RFC 6962, section 2.1.1), from the `hashes` at `inclusion_places`."""
    _require_leaf(index, size)
    return _proof(_inclusion_spans(index, size), hashes)


def consistency_places(old_size: int, size: int) -> tuple[Place, ...]:
    """The nodes that prove the tree of `old_size` leaves to be the beginning of that of `size` leaves."""
    _require_growth(old_size, size)
    return _places(_consistency_spans(old_size, size))


def consistency_proof(old_size: int, size: int, hashes: Mapping[Place, bytes]) -> tuple[bytes, ...]:
    """The consistency proof (RFC 6962, section 2.1.2), from the `hashes` at `consistency_places`."""
    _require_growth(old_size, size)
    return _proof(_consistency_spans(old_size, size), hashes)


def root_places(size: int) -> tuple[Place, ...]:
    """The nodes from which the head of the tree of `size` leaves follows; also the peaks of its frontier."""
    return _cover(0, size)


def frontier_at(size: int, hashes: Mapping[Place, bytes]) -> Frontier:
    """The frontier as it was at `size` leaves, from the `hashes` at `root_places`."""
    return Frontier(size, tuple(hashes[place] for place in root_places(size)))


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that the leaf hash `leaf` stands at `index` under `root` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = _node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = _node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found, root)


def extends(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the old tree is the beginning of the new one (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old_size <= size:
        return False
    if old_size in (0, size):
        return not proof and old_root == (root if old_size else EMPTY_ROOT)
    # A full old tree is itself the first node, and left out of the proof.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_found = new_found = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old_found, new_found = _node_hash(sibling, old_found), _node_hash(sibling, new_found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_found = _node_hash(new_found, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and hmac.compare_digest(old_found, old_root) and hmac.compare_digest(new_found, root)


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The head over full subtrees, largest first: the smallest two are joined first."""
    *others, found = hashes
    for left in reversed(others):
        found = _node_hash(left, found)
    return found


def _inclusion_spans(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose heads are the audit path, from the leaf upwards."""
    spans: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def _consistency_spans(old_size: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose heads are the consistency proof (RFC 6962, section 2.1.2, SUBPROOF)."""
    if old_size in (0, size):
        return []
    spans: list[tuple[int, int]] = []
    start, end = 0, size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    if start:  # from leaf 0 on it would be the old root, which the verifier has
        spans.append((start, end))
    return spans[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count` (RFC 6962, section 2.1)."""
    return 1 << (count - 1).bit_length() - 1


def _cover(start: int, end: int) -> tuple[Place, ...]:
    """The full subtrees that make up leaves [start, end), largest first; `start` is where such a range can begin."""
    places: list[Place] = []
    while start < end:
        level = (end - start).bit_length() - 1
        places.append(Place(level, start >> level))
        start += 1 << level
    return tuple(places)


def _places(spans: Iterable[tuple[int, int]]) -> tuple[Place, ...]:
    return tuple(place for span in spans for place in _cover(*span))


def _proof(spans: Iterable[tuple[int, int]], hashes: Mapping[Place, bytes]) -> tuple[bytes, ...]:
    return tuple(_fold([hashes[place] for place in _cover(*span)]) for span in spans)


def _require_leaf(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise ValueError(f"index: expected 0 to {size - 1}, found {index}")


def _require_growth(old_size: int, size: int) -> None:
    if not 0 <= old_size <= size:
        raise ValueError(f"old_size: expected 0 to {size}, found {old_size}")
