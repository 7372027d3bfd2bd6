"""What is done within the sandbox. Each job without arguments loads what it needs, and does nothing."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pyoxigraph as rdf
import zxingcpp
from PIL import Image
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from libs.common.credentials.canonical import NotCanonical, canonical_nquads
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from libs.common.credentials.foreign_contexts import foreign_contexts_of

Result = dict[str, Any]
_MAX_ATTACHMENTS = 20
_MAX_ATTACHED_BYTES = 1024 * 1024
_MAX_PIXELS = 16_000_000
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_WARMING = {"@context": [CREDENTIALS_V2, OPEN_BADGES_3], "id": "urn:warm", "type": "VerifiableCredential"}


def canonical(documents: list[dict[str, Any]] | None = None, algorithm: str = "SHA-256") -> Result:
    """The canonical N-Quads of each of `documents` under `texts`, or why one has none under `reason`, `detail`."""
    try:
        found = [
            canonical_nquads(document, foreign_contexts_of(document) or None) for document in documents or [_WARMING]
        ]
    except NotCanonical as refusal:
        return {"reason": refusal.reason, "detail": refusal.detail[:500]}
    except RecursionError:
        return {"reason": "too-deep", "detail": "nested deeper than we read"}
    return {"texts": [_with_sha384(text) for text in found] if algorithm == "SHA-384" else found}


def _with_sha384(nquads: str) -> str:
    """Canonical N-Quads labelled by SHA-384 (VC-DI-ECDSA 1.0, section 3.2.3): only the names of blank nodes differ."""
    dataset = rdf.Dataset(rdf.parse(nquads, format=rdf.RdfFormat.N_QUADS))
    dataset.canonicalize(rdf.CanonicalizationAlgorithm.RDFC_1_0_SHA_384)
    content = rdf.serialize(dataset, format=rdf.RdfFormat.N_QUADS) or b""
    return "".join(sorted(f"{line}\n" for line in content.decode().split("\n") if line))


def attachments(document: str = "") -> Result:
    """The files attached to a PDF (`document` is base64) under `files`, each base64."""
    if not document:
        return {"files": []}
    files: list[str] = []
    try:
        reader = PdfReader(io.BytesIO(base64.b64decode(document)))
        for count, attachment in enumerate(reader.attachment_list):
            if count >= _MAX_ATTACHMENTS:
                break
            content = attachment.content
            if len(content) <= _MAX_ATTACHED_BYTES:
                files.append(base64.b64encode(content).decode())
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        return {"files": files, "detail": f"{type(fault).__name__}: {fault}"[:200]}
    return {"files": files}


def codes(picture: str = "") -> Result:
    """The texts of the QR codes in a picture (`picture` is base64; PNG, JPEG, WebP or GIF) under `texts`."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(picture)), formats=_PICTURE_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                return {"texts": [], "detail": f"expected at most {_MAX_PIXELS} pixels"}
            found = zxingcpp.read_barcodes(
                image.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as fault:
        return {"texts": [], "detail": f"{type(fault).__name__}: {fault}"[:200]}
    return {"texts": [code.text for code in found[:_MAX_ATTACHMENTS]]}


JOBS: dict[str, Callable[..., Result]] = {"canonical": canonical, "attachments": attachments, "codes": codes}
