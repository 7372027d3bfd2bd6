"""The reference path against the published RDFC-1.0 tests."""

from __future__ import annotations

import json

import pyoxigraph as rdf
import pytest

from libs.common.credentials import nquads
from libs.common.credentials.canonical import canonical_nquads
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
