"""The log of issuance is RFC 6962's tree: known answers, a naive implementation, and nothing false passes (B8)."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.credentials.log import (
    EMPTY_ROOT,
    Frontier,
    Place,
    append,
    commitment,
    consistency_places,
    consistency_proof,
    extends,
    frontier_at,
    includes,
    inclusion_places,
    inclusion_proof,
    leaf_hash,
    root_places,
)

# The tree by which Certificate Transparency's implementations check each other: eight entries, a head for each size.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
HEADS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


# The same by the letter of the standard: recursive, from all leaves, each time.


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1: MTH."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = naive_split(len(leaves))
    return hashlib.sha256(b"\1" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1: PATH."""
    if len(leaves) == 1:
        return []
    split = naive_split(len(leaves))
    if index < split:
        return [*naive_path(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(index - split, leaves[split:]), naive_root(leaves[:split])]


def naive_subproof(size: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 6962, section 2.1.2: SUBPROOF."""
    if size == len(leaves):
        return [] if whole else [naive_root(leaves)]
    split = naive_split(len(leaves))
    if size <= split:
        return [*naive_subproof(size, leaves[:split], whole), naive_root(leaves[split:])]
    return [*naive_subproof(size - split, leaves[split:], False), naive_root(leaves[:split])]


def naive_split(count: int) -> int:
    """The largest power of two below `count`."""
    return max(1 << power for power in range(20) if 1 << power < count)


def stored(leaves: list[bytes]) -> tuple[Frontier, dict[Place, bytes]]:
    """What a store holds after `leaves`, one at a time."""
    frontier, hashes = Frontier(), {}
    for leaf in leaves:
        frontier, nodes = append(frontier, [leaf])
        assert not hashes.keys() & {node.place for node in nodes}
        hashes.update(nodes)
    return frontier, hashes


hashes_of_leaves = st.integers(0, 200).map(lambda count: [leaf_hash(b"%d" % number) for number in range(count)])


@pytest.mark.parametrize("size", range(9))
def test_heads_of_the_known_tree(size: int) -> None:
    assert stored(LEAVES[:size])[0].root.hex() == HEADS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1,
            5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_audit_paths_of_the_known_tree(index: int, size: int, proof: list[str]) -> None:
    found = inclusion_proof(index, size, stored(LEAVES)[1])
    assert [entry.hex() for entry in found] == proof
    assert includes(LEAVES[index], index, size, found, bytes.fromhex(HEADS[size]))


@pytest.mark.parametrize(
    ("old_size", "size", "proof"),
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_consistency_of_the_known_tree(old_size: int, size: int, proof: list[str]) -> None:
    found = consistency_proof(old_size, size, stored(LEAVES)[1])
    assert [entry.hex() for entry in found] == proof
    assert extends(old_size, bytes.fromhex(HEADS[old_size]), size, bytes.fromhex(HEADS[size]), found)


@settings(deadline=None)
@given(hashes_of_leaves, st.data())
def test_it_is_the_tree_of_the_standard(leaves: list[bytes], choice: st.DataObject) -> None:
    frontier, hashes = stored(leaves)
    assert frontier.root == naive_root(leaves)
    size = choice.draw(st.integers(0, len(leaves)))
    root = naive_root(leaves[:size])
    assert frontier_at(size, {place: hashes[place] for place in root_places(size)}).root == root
    old_size = choice.draw(st.integers(0, size))
    needed = {place: hashes[place] for place in consistency_places(old_size, size)}
    proof = consistency_proof(old_size, size, needed)
    assert list(proof) == ([] if old_size == 0 else naive_subproof(old_size, leaves[:size], True))
    assert extends(old_size, naive_root(leaves[:old_size]), size, root, proof)
    if size:
        index = choice.draw(st.integers(0, size - 1))
        needed = {place: hashes[place] for place in inclusion_places(index, size)}
        proof = inclusion_proof(index, size, needed)
        assert list(proof) == naive_path(index, leaves[:size])
        assert includes(leaves[index], index, size, proof, root)
        assert len(needed) <= 2 * size.bit_length()


@given(hashes_of_leaves, st.integers(0, 200))
def test_leaves_may_come_in_batches(leaves: list[bytes], first: int) -> None:
    one_at_a_time, hashes = stored(leaves)
    frontier, some = append(Frontier(), leaves[:first])
    frontier, others = append(frontier, leaves[first:])
    assert frontier == one_at_a_time
    assert dict([*some, *others]) == hashes


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 70), st.data())
def test_no_false_inclusion_passes(size: int, choice: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    frontier, hashes = stored(leaves)
    index = choice.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, hashes)
    elsewhere = choice.draw(st.integers(-1, size + 1).filter(lambda other: other != index))
    assert not includes(leaves[index], elsewhere, size, proof, frontier.root)
    assert not includes(leaf_hash(b"another"), index, size, proof, frontier.root)
    assert not includes(leaves[index], index, size, proof, EMPTY_ROOT)
    assert not includes(leaves[index], index, size, (*proof, EMPTY_ROOT), frontier.root)
    assert not proof or not includes(leaves[index], index, size, proof[:-1], frontier.root)


@settings(deadline=None, max_examples=300)
@given(st.integers(2, 70), st.data())
def test_no_false_history_passes(size: int, choice: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    old_size = choice.draw(st.integers(1, size - 1))
    changed = choice.draw(st.integers(0, old_size - 1))
    rewritten = [leaf_hash(b"x") if number == changed else leaf for number, leaf in enumerate(leaves)]
    old_root = naive_root(leaves[:old_size])
    frontier, hashes = stored(rewritten)
    proof = consistency_proof(old_size, size, hashes)
    assert not extends(old_size, old_root, size, frontier.root, proof)
    frontier, hashes = stored(leaves)
    proof = consistency_proof(old_size, size, hashes)
    assert not extends(old_size, old_root, size, frontier.root, (*proof, EMPTY_ROOT))
    assert not extends(old_size, old_root, size, frontier.root, proof[:-1])
    assert not extends(size, frontier.root, old_size, old_root, proof)
    assert not extends(old_size, EMPTY_ROOT, size, frontier.root, proof)


def test_work_and_store_stay_small() -> None:
    frontier, nodes = append(Frontier(), LEAVES * 1024)
    assert len(frontier.peaks) == 1
    assert len(nodes) < 2 * frontier.size
    assert len(inclusion_places(4_000, frontier.size)) == 13
    # A log of a million million leaves has forty peaks at most.
    assert len(root_places(10**12)) <= 40


def test_a_commitment_hides_and_binds() -> None:
    digest, other = hashlib.sha256(b"badge").digest(), hashlib.sha256(b"another badge").digest()
    entries = {commitment(digest, b"s" * 16), commitment(digest, b"t" * 16), commitment(other, b"s" * 16)}
    assert len(entries) == 3
    assert all(digest not in entry for entry in entries)


@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("digest", lambda: commitment(b"short", b"s" * 16)),
        ("salt", lambda: commitment(b"d" * 32, b"short")),
        ("peaks", lambda: Frontier(3, (b"h" * 32,))),
        ("peaks", lambda: Frontier(1, (b"short",))),
        ("index", lambda: inclusion_places(3, 3)),
        ("index", lambda: inclusion_proof(-1, 3, {})),
        ("old_size", lambda: consistency_places(4, 3)),
    ],
)
def test_impossible_questions_are_refused_by_name(what: str, call: object) -> None:
    with pytest.raises(ValueError, match=rf"^{what}: expected"):
        call()  # type: ignore[operator]


def test_sizes_that_follow_each_other_are_all_consistent() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(40)]
    _, hashes = stored(leaves)
    for old_size, size in pairwise(range(41)):
        proof = consistency_proof(old_size, size, hashes)
        old, new = frontier_at(old_size, hashes), frontier_at(size, hashes)
        assert extends(old_size, old.root, size, new.root, proof)
