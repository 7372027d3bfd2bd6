"""The reference path against the published RDFC-1.0 tests."""

from __future__ import annotations

import json

import pyoxigraph as rdf
import pytest

from libs.common.credentials import nquads
from libs.common.credentials.canonical import NotCanonical, canonical_nquads
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from tests.libs.common.credentials.samples import PUBLISHED, published

CASES = sorted(path.name.removesuffix("-in.nq") for path in (PUBLISHED / "vectors/rdf-canon/rdfc10").glob("*-in.nq"))


@pytest.mark.skipif(not CASES, reason="published material is not at hand")
@pytest.mark.parametrize("case", CASES)
def test_rdfc_1_0(case: str) -> None:
    manifest = json.loads(published("vectors/rdf-canon/manifest.jsonld").read_text())
    entry = next(entry for entry in manifest["entries"] if entry["id"].removeprefix("#") == f"{case}c")
    if entry.get("hashAlgorithm", "SHA256") != "SHA256":
        pytest.skip("no cryptosuite here uses SHA-384")
    dataset = rdf.Dataset(
        rdf.parse(published(f"vectors/rdf-canon/rdfc10/{case}-in.nq").read_bytes(), format=rdf.RdfFormat.N_QUADS)
    )
    dataset.canonicalize(rdf.CanonicalizationAlgorithm.RDFC_1_0)
    lines = rdf.serialize(dataset, format=rdf.RdfFormat.N_QUADS).decode().split("\n")
    expected = published(f"vectors/rdf-canon/rdfc10/{case}-rdfc10.nq").read_bytes().decode()
    assert "".join(sorted(f"{line}\n" for line in lines if line)) == expected


@pytest.mark.skipif(not CASES, reason="published material is not at hand")
@pytest.mark.parametrize("case", CASES)
def test_our_own_reading_of_n_quads_and_first_degree_hashes(case: str) -> None:
    """Where all first-degree hashes differ, labels in their order are RDFC-1.0's labels: the shapes build on it."""
    expected = published(f"vectors/rdf-canon/rdfc10/{case}-rdfc10.nq").read_bytes().decode()
    quads = nquads.parse(expected)
    assert "".join(f"{nquads.write(quad)}\n" for quad in quads) == expected
    hashes = nquads.first_degree_hashes(quads)
    if len(set(hashes.values())) == len(hashes) and case != "test075":  # test075 is the one with SHA-384
        labels = sorted(hashes, key=hashes.__getitem__)
        assert labels == [f"_:c14n{number}" for number in range(len(labels))]


@pytest.mark.parametrize("line", ["x", "<a> <b> <c>", '<a> <b> "c', "<a> _:b <c> .", '<a> <b> "c"d" .'])
def test_what_is_no_statement_is_no_quad(line: str) -> None:
    with pytest.raises(ValueError, match="N-Quads"):
        nquads.parse(line)


def test_escapes_are_those_of_pyoxigraph() -> None:
    text = "".join(chr(code) for code in (*range(0xD800), *range(0xE000, 0x11000), *range(0x1FF00, 0x20100), 0x10FFFF))
    quad = rdf.Quad(rdf.NamedNode("urn:x:s"), rdf.NamedNode("urn:x:p"), rdf.Literal(text))
    written = rdf.serialize([quad], format=rdf.RdfFormat.N_QUADS).decode()
    assert written == f'<urn:x:s> <urn:x:p> "{nquads.escape(text)}" .\n'
    assert nquads.parse(written) == [nquads.Quad("<urn:x:s>", "<urn:x:p>", f'"{nquads.escape(text)}"', None)]


def test_numbers_and_truth_values_have_the_forms_that_jsonld_js_gives_them() -> None:
    document = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "type": ["AchievementSubject"],
        "creditsEarned": [5.5, 3, 1.5e-7],
        "identifier": {"type": "IdentityObject", "hashed": True},
    }
    text = canonical_nquads(document)
    for written in ('"5.5E0"^^<https', '"3"^^<https', '"1.5E-7"^^<https', '"true"^^<https'):
        assert written in text


def pointing(count: int, step: int, predicate: str = "knows") -> str:
    """N-Quads of `count` blank nodes, each pointing at those up to `step` further on, round in a circle."""
    edges = [(number, (number + far) % count, far) for number in range(count) for far in range(1, step + 1)]
    return "".join(
        f"_:n{start} <https://x.example/{predicate if predicate else far}> _:n{end} .\n" for start, end, far in edges
    )


@pytest.mark.parametrize(
    ("why", "text", "work"),
    [
        ("no blank nodes", "<urn:x:s> <urn:x:p> <urn:x:o> .\n", (0, 0)),
        (
            "alike, but alone",
            "".join(f'_:n{n} <urn:x:p> "v" .\n<urn:x:s> <urn:x:p> _:n{n} .\n' for n in range(9)),
            (0, 0),
        ),
        ("told apart", '_:a <urn:x:p> _:b .\n_:b <urn:x:p> "v" .\n', (0, 0)),
        (
            "two lists that are alike",
            "".join(f'_:{x}1 <urn:x:r> _:{x}2 .\n_:{x}2 <urn:x:r> "v" .\n' for x in "ab"),
            (4, 0),
        ),
        ("all point at all", pointing(5, 4), (5, 5)),
        ("all point at all, each in its own way", pointing(5, 4, ""), (5, 0)),
        ("a circle", pointing(5, 1), (5, 0)),
    ],
)
def test_the_work_that_blank_nodes_make(why: str, text: str, work: tuple[int, int]) -> None:
    assert nquads.alike_blank_nodes(nquads.parse(text)) == work


def evidence(count: int, step: int, values: int) -> dict:
    """A document whose evidence is `count` nodes that point at each other, and a list of `values`, twice."""
    nodes = [
        {
            "id": f"_:n{number}",
            "type": ["Evidence"],
            "endorsement": [{"id": f"_:n{(number + far) % count}"} for far in range(1, step + 1)],
        }
        for number in range(count)
    ]
    result = {"id": "https://a.example/r", "type": ["ResultDescription"], "allowedValue": ["v"] * values}
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "type": ["VerifiableCredential"],
        "evidence": nodes,
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "achievement": {"type": ["Achievement"], "resultDescription": [result, result]},
        },
    }


def test_what_would_take_for_ever_is_refused_and_what_is_merely_long_is_not() -> None:
    canonical_nquads(evidence(4, 3, 0))
    canonical_nquads(evidence(0, 0, 200))
    for hostile in (evidence(9, 8, 0), evidence(4, 3, 20), evidence(0, 0, 700)):
        with pytest.raises(NotCanonical, match="too-many-alike"):
            canonical_nquads(hostile)


@pytest.mark.parametrize("place", [{"@context": None}, {"evidence": {"@context": None, "id": "urn:e", "name": "lost"}}])
def test_a_context_cannot_be_undone(place: dict[str, object]) -> None:
    """Under a null context nothing is defined: what is written there would be left out, and nobody would sign it."""
    document = {"@context": [CREDENTIALS_V2, OPEN_BADGES_3], "id": "urn:b", "type": "VerifiableCredential", **place}
    with pytest.raises(NotCanonical, match="unknown-context"):
        canonical_nquads(document)
