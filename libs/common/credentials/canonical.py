"""The reference path: a JSON-LD document to its canonical N-Quads, with nothing lost on the way.

PyLD expands the document and turns it into RDF, pyoxigraph canonicalises it (RDFC-1.0). PyLD drops what no
context defines without a word, which would leave it unsigned, so `expand` refuses such documents (JSON-LD "safe
mode"). Untrusted input is bounded in size, depth, nodes and in the work that its blank nodes can cause.
"""

import json
from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any, ClassVar, NamedTuple, NoReturn, cast

import pyoxigraph as rdf
from pyld import jsonld as untyped_jsonld  # pyright: ignore[reportMissingTypeStubs]

from libs.common.credentials import nquads
from libs.common.credentials.contexts import PINNED, context

Json = dict[str, Any]
jsonld: Any = untyped_jsonld

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
# PyLD compares each value of a node's property with all others: the square of this is its worst work.
MAX_NODES = 2_000
# Where nothing around nodes tells them apart, it is done by trying their permutations: six take 0.1 s, eight 4 s.
MAX_ALIKE_BLANK_NODES = 6
# Otherwise the graph is searched, in quadratic time: a record repeats lists and names of badges.
MAX_SEARCHED_BLANK_NODES = 1_000
RECORD_TYPE = "ClrCredential"

# What no context defines is expanded under these two, and thereby found. No document may use the scheme itself.
_UNDEFINED = "x-undefined:"
_UNDEFINED_TERM = "x-undefined:term:"
_UNDEFINED_BASE = "x-undefined://document.invalid/"
# A text in a language, which cannot be written otherwise. All other keywords lose information on the way to RDF
# (@index, @direction), change what it says (@reverse, @graph), or write it so that who reads `id`, `type` and plain
# values overlooks it (@id, @type, @value).
_TEXT_IN_LANGUAGE = frozenset({"@value", "@language"})
# A badge may stand in itself, as its evidence or what an endorsement is of, but not its dates, status and issuer.
_READ_AT_TOP = "https://www.w3.org/2018/credentials#"


class Bounds(NamedTuple):
    """How large a document may be: its `bytes` as JSON, the values in it, its blank nodes that must be searched."""

    bytes: int
    nodes: int
    searched: int


PLAIN_BOUNDS = Bounds(MAX_BYTES, MAX_NODES, MAX_SEARCHED_BLANK_NODES)
# A learner record (CLR 2.0) is hundreds of credentials in one: 500 of the largest kind of ours take 7 s of one core,
# and all work of well-formed ones is linear. What a stranger writes in its name is bounded by the sandbox's time too.
RECORD_BOUNDS = Bounds(2 * 1024 * 1024, 120_000, 5_000)


class NotCanonical(ValueError):
    """A document that has no canonical form we would sign or trust; `reason` is a short code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def parse_json(content: bytes) -> Json:
    """The JSON object in `content`, read strictly: UTF-8, no key twice, no NaN, as large as `bounds_of` it says.

    Raises `NotCanonical`.
    """
    _require_size(content, RECORD_BOUNDS if RECORD_TYPE.encode() in content else PLAIN_BOUNDS)
    try:
        document = json.loads(content.decode(), object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical("malformed", f"expected a JSON object in UTF-8: {error}") from None
    if not isinstance(document, dict):
        raise NotCanonical("malformed", f"expected a JSON object, found {type(document).__name__}")
    _require_size(content, bounds_of(cast(Json, document)))
    return cast(Json, document)


def bounds_of(document: Json) -> Bounds:
    """How large `document` may be: a learner record more than any other."""
    types = document.get("type")
    return RECORD_BOUNDS if isinstance(types, list) and RECORD_TYPE in types else PLAIN_BOUNDS


def canonical_nquads(document: Json, extra_contexts: Mapping[str, Json] | None = None) -> str:
    """The canonical N-Quads (RDFC-1.0, SHA-256) of a JSON-LD `document`.

    `extra_contexts` (URL to document) widens the pinned contexts for this call. Raises `NotCanonical`.
    """
    extra = extra_contexts or {}
    _screen(document, extra)
    try:
        expanded = _Pyld(extra).expand(document)
        _require_defined(expanded)
        dataset = _dataset(_Pyld(extra).to_rdf(expanded))
    except jsonld.JsonLdError as error:
        raise NotCanonical("json-ld", _root_cause(error)) from None
    _require_few_alike(dataset, bounds_of(document))
    dataset.canonicalize(rdf.CanonicalizationAlgorithm.RDFC_1_0)
    return "".join(sorted(f"{line}\n" for line in _serialize(dataset).split("\n") if line))


def _require_size(content: bytes, bounds: Bounds) -> None:
    if len(content) > bounds.bytes:
        raise NotCanonical("too-large", f"expected at most {bounds.bytes} bytes, found {len(content)}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        # Readers differ in which of the two they take; a signature over one of them would mislead.
        raise NotCanonical("malformed", f"expected each key once, found {twice!r} twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise NotCanonical("malformed", f"expected JSON, found {name}")


def _screen(document: Json, extra: Mapping[str, Json]) -> None:
    """Refuse what is too deep, too large, or brings contexts or keywords that we do not take."""
    nodes, most = 0, bounds_of(document).nodes
    waiting: list[tuple[Any, int]] = [(document, 1)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if depth > MAX_DEPTH:
            raise NotCanonical("too-deep", f"expected at most {MAX_DEPTH} levels")
        if nodes > most:
            raise NotCanonical("too-many-nodes", f"expected at most {most} values")
        if isinstance(node, dict):
            members = cast(Json, node)
            for key in members:
                _require_plain(key, members)
            if "@context" in members:
                _require_known_contexts(members["@context"], extra)
            waiting.extend((value, depth + 1) for key, value in members.items() if key != "@context")
        elif isinstance(node, list):
            waiting.extend((value, depth + 1) for value in cast(list[Any], node))
        elif isinstance(node, str):
            _require_encodable(node)


def _require_plain(name: str, members: Json) -> None:
    """Refuse a member that says in RDF what no reader of the JSON would look for there.

    Only the RDF is signed: who holds a badge may write it otherwise, and rules read its end or its status by their
    usual names.
    """
    if name.startswith("@") and name != "@context" and members.keys() != _TEXT_IN_LANGUAGE:
        raise NotCanonical("keyword", f"expected none of JSON-LD's {name!r}")
    if ":" in name:
        raise NotCanonical("disguised-term", f"expected the plain names of members, found {name[:200]!r}")
    if members[name] is None and name != "@context":
        raise NotCanonical("disguised-term", f"expected no member without a value, found {name[:200]!r}: null")


def _require_known_contexts(value: Any, extra: Mapping[str, Json]) -> None:
    # Null too is refused: it would undo every context before it, and what it leaves undefined is lost.
    for url in cast(list[Any], value) if isinstance(value, list) else [value]:
        if not isinstance(url, str) or (url not in PINNED and url not in extra):
            raise NotCanonical("unknown-context", f"expected a context known here, found {str(url)[:200]!r}")


def _require_encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotCanonical("malformed", f"expected Unicode text, found {text[:80]!a}") from None


def _require_defined(expanded: Any) -> None:
    """Refuse an expanded document that holds what no context defined, or an IRI that is not absolute.

    And one that says in another place what is read at its top: its end, its status, its issuer.
    """
    tops = cast(list[Any], expanded)
    own_ids = {cast(Json, top).get("@id") for top in tops} - {None}
    waiting: list[Any] = [*tops]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(cast(list[Any], node))
        elif isinstance(node, dict):
            members = cast(Json, node)
            again = members.get("@id") in own_ids and not any(node is top for top in tops)
            if again and any(name.startswith(_READ_AT_TOP) for name in members):
                raise NotCanonical("disguised-term", f"expected {members['@id'][:200]!r} described in one place")
            for key, value in members.items():
                if key in {"@id", "@type"}:
                    for iri in cast(list[Any], value) if isinstance(value, list) else [value]:
                        _require_absolute(iri)
                elif not key.startswith("@"):
                    _require_absolute(key)
                if key != "@value":
                    waiting.append(value)


def _require_absolute(iri: Any) -> None:
    if not isinstance(iri, str) or iri.startswith(_UNDEFINED):
        term = str(iri).removeprefix(_UNDEFINED_TERM).removeprefix(_UNDEFINED_BASE)
        raise NotCanonical("undefined-term", f"expected only what the contexts define, found {term[:200]!r}")
    if ":" not in iri:
        raise NotCanonical("undefined-term", f"expected an absolute IRI, found {iri[:200]!r}")


class _Pyld:
    """PyLD with the pinned contexts alone, and with a cache of contexts that nobody else shares."""

    _lock = Lock()
    _cache: ClassVar[dict[str, Any]] = {}

    def __init__(self, extra: Mapping[str, Json]) -> None:
        self._extra = extra

    def expand(self, document: Json) -> Any:
        """The expanded document, in which undefined terms are kept and marked."""
        given = document.get("@context", [])
        contexts = cast(list[Any], given) if isinstance(given, list) else [given]
        return self._call(jsonld.expand, {**document, "@context": [{"@vocab": _UNDEFINED_TERM}, *contexts]})

    def to_rdf(self, expanded: Any) -> Any:
        """The RDF dataset of an expanded document, in PyLD's own form."""
        return self._call(jsonld.to_rdf, expanded)

    def _call(self, function: Any, argument: Any) -> Any:
        cached = dict[str, Any]() if self._extra else self._cache
        options = {
            "base": _UNDEFINED_BASE,
            "documentLoader": self._load,
            "contextResolver": jsonld.ContextResolver(cached, self._load),
        }
        # PyLD's caches are not safe for threads.
        with self._lock:
            return function(argument, options)

    def _load(self, url: str, options: Any) -> Json:
        del options
        document = self._extra.get(url) or context(url)
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}


def _dataset(graphs: dict[str, list[dict[str, dict[str, str]]]]) -> rdf.Dataset:
    """PyLD's dataset as pyoxigraph's, without a way through text, which PyLD escapes wrongly."""
    dataset = rdf.Dataset()
    try:
        for name, triples in graphs.items():
            graph = rdf.DefaultGraph() if name == "@default" else _node(name)
            for triple in triples:
                dataset.add(
                    rdf.Quad(
                        _node(triple["subject"]["value"]),
                        rdf.NamedNode(triple["predicate"]["value"]),
                        _term(triple["object"]),
                        graph,
                    )
                )
    except ValueError as error:
        raise NotCanonical("not-an-iri", f"expected valid IRIs: {error}") from None
    return dataset


def _node(value: str) -> rdf.NamedNode | rdf.BlankNode:
    return rdf.BlankNode(value[2:]) if value.startswith("_:") else rdf.NamedNode(value)


def _term(term: dict[str, str]) -> rdf.NamedNode | rdf.BlankNode | rdf.Literal:
    if term["type"] != "literal":
        return _node(term["value"])
    if "language" in term:
        return rdf.Literal(term["value"], language=term["language"])
    return rdf.Literal(term["value"], datatype=rdf.NamedNode(term["datatype"]))


def _require_few_alike(dataset: rdf.Dataset, bounds: Bounds) -> None:
    """Refuse a graph whose canonicalisation could take for ever (RDFC-1.0, section 7.1, "dataset poisoning")."""
    searched, permuted = nquads.alike_blank_nodes(nquads.parse(_serialize(dataset)))
    bound = MAX_ALIKE_BLANK_NODES if permuted else bounds.searched
    if searched > bound:
        raise NotCanonical("too-many-alike", f"expected at most {bound} indistinguishable nodes, found {searched}")


def _serialize(dataset: rdf.Dataset) -> str:
    return cast(bytes, rdf.serialize(dataset, format=rdf.RdfFormat.N_QUADS)).decode()


def _root_cause(error: BaseException) -> str:
    cause: Any = error
    while getattr(cause, "cause", None) is not None:
        cause = cause.cause
    return str(cause).split("\n", 1)[0][:300]
