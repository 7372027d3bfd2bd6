"""The words of an SVG picture that we publish: all else is refused, or left out where it only serves a drawing tool.

Shapes, text, gradients, patterns, clips and masks are there. What runs, moves, loads, links or embeds is not, and
neither are filters, whose cost a few letters can make anything.
"""

from __future__ import annotations

import re

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XHTML = "http://www.w3.org/1999/xhtml"

ELEMENTS = frozenset({
    "svg", "g", "defs", "symbol", "use", "title", "desc", "style", "path", "rect", "circle", "ellipse", "line",
    "polyline", "polygon", "text", "tspan", "textPath", "linearGradient", "radialGradient", "stop", "pattern",
    "clipPath", "mask",
})  # fmt: skip
# What tools write about themselves and others; nobody sees it.
UNSEEN = frozenset({"metadata"})
GRADIENTS = frozenset({"linearGradient", "radialGradient"})
# Those that may name another element of the same picture by `href`.
REFERRING = GRADIENTS | {"use", "textPath", "pattern"}
# Those whose text is a part of the picture.
SPEAKING = frozenset({"title", "desc", "style", "text", "tspan", "textPath"})

# Properties: attributes, and names within `style` (SVG 2, chapter 6.6 "Presentation attributes").
PROPERTIES = frozenset({
    "alignment-baseline", "baseline-shift", "clip-path", "clip-rule", "color", "direction", "display",
    "dominant-baseline", "fill", "fill-opacity", "fill-rule", "font-family", "font-size", "font-stretch", "font-style",
    "font-variant", "font-weight", "letter-spacing", "mask", "mask-type", "opacity", "overflow", "paint-order",
    "shape-rendering", "stop-color", "stop-opacity", "stroke", "stroke-dasharray", "stroke-dashoffset",
    "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-anchor",
    "text-decoration", "text-rendering", "transform", "vector-effect", "visibility", "word-spacing", "writing-mode",
})  # fmt: skip
ATTRIBUTES = PROPERTIES | {
    "clipPathUnits", "cx", "cy", "d", "dx", "dy", "fx", "fy", "fr", "gradientTransform", "gradientUnits", "height",
    "lengthAdjust", "maskContentUnits", "maskUnits", "method", "offset", "pathLength", "patternContentUnits",
    "patternTransform", "patternUnits", "points", "preserveAspectRatio", "r", "rotate", "rx", "ry", "side", "spacing",
    "spreadMethod", "startOffset", "textLength", "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2",
}  # fmt: skip

FUNCTIONS = frozenset({
    "url", "rgb", "rgba", "hsl", "hsla", "matrix", "translate", "translatex", "translatey", "scale", "scalex", "scaley",
    "rotate", "skew", "skewx", "skewy",
})  # fmt: skip

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}")
CLASSES = re.compile(r"[A-Za-z0-9_ \t\r\n-]{1,500}")
