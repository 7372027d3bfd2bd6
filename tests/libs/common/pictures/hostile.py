"""Pictures that somebody might send who means harm, by name, each with a word of the answer that it gets."""

from __future__ import annotations

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 100"'
GOOD = f'{HEAD}><circle cx="50" cy="50" r="40" fill="#0b6343"/></svg>'


def svg(inner: str, attributes: str = "") -> bytes:
    """An SVG around `inner`."""
    return f"{HEAD}{attributes}>{inner}</svg>".encode()


_DECLARED = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>&x;</text></svg>'
_LAUGHS = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 10))
_LAST = _DECLARED.replace("&x;", "&x9;")
_USES = [f'<use href="#a{n}"/>' * 10 for n in range(1, 10)]
_MANY_USES = "".join(f'<g id="a{n}">{uses}</g>' for n, uses in enumerate(_USES))

HOSTILE_SVG: dict[str, tuple[bytes, str]] = {
    "script": (svg("<script>alert(1)</script>"), "<script>"),
    "script of another prefix": (svg('<s:script xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:script>'), "<script>"),
    "onload": (svg("", ' onload="alert(1)"'), "event handlers"),
    "onclick in capitals": (svg('<rect ONCLICK="alert(1)"/>'), "event handlers"),
    "xlink to elsewhere": (svg('<use xlink:href="https://evil.example/a.svg#a"/>'), "https://evil.example"),
    "use of elsewhere": (svg('<use href="//evil.example/a.svg#a"/>'), "//evil.example"),
    "use of a file": (svg('<use href="other.svg#a"/>'), "other.svg"),
    "image": (svg('<image href="https://evil.example/track.png"/>'), "<image>"),
    "image as data": (svg('<image href="data:image/svg+xml;base64,PHN2Zz4="/>'), "<image>"),
    "use of data": (svg('<use href="data:image/svg+xml,&lt;svg/&gt;#a"/>'), "data:image"),
    "entity bomb": (f'<!DOCTYPE svg [<!ENTITY x0 "ha">{_LAUGHS}]>{_LAST}'.encode(), "<!DOCTYPE"),
    "external entity": (f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{_DECLARED}'.encode(), "<!DOCTYPE"),
    "parameter entity": (
        f'<!DOCTYPE svg [<!ENTITY % x SYSTEM "https://evil.example/x.dtd"> %x;]>{_DECLARED}'.encode(), "<!DOCTYPE",
    ),
    "document type of elsewhere": (f'<!DOCTYPE svg SYSTEM "https://evil.example/x.dtd">{GOOD}'.encode(), "<!DOCTYPE"),
    "entity of nobody": (
        f'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">{_DECLARED}'.encode(), "&x;",
    ),
    "CSS url in a style": (svg('<rect style="fill:url(https://evil.example/#a)"/>'), "url(#id)"),
    "CSS url in an attribute": (svg('<rect fill="url(https://evil.example/#a)"/>'), "url(#id)"),
    "CSS url in a sheet": (svg("<style>rect{fill:url('//evil.example/#a')}</style>"), "url(#id)"),
    "CSS url of an unknown property": (svg('<rect style="background:url(https://evil.example/a.png)"/>'), "url(#id)"),
    "CSS url by an escape": (svg('<rect style="fill:u\\72l(https://evil.example/#a)"/>'), "\\"),
    "CSS url by a comment": (svg('<rect fill="ur/**/l(https://evil.example/#a)"/>'), "/*"),
    "CSS url in pieces": (svg('<rect style="fill:url(#a) url(x)"/>'), "url(#id)"),
    "CSS image-set": (svg('<rect fill="image-set(\'https://evil.example/a.png\' 1x)"/>'), "image-set()"),
    "CSS import": (svg("<style>@import 'https://evil.example/a.css';</style>"), "@import"),
    "CSS import by an escape": (svg("<style>@\\69mport 'https://evil.example/a.css';</style>"), "@"),
    "CSS typeface": (svg("<style>@font-face{src:url(https://evil.example/a.woff)}</style>"), "@font-face"),
    "CSS that ends its element": (svg("<style>a{}&lt;/style&gt;&lt;script&gt;</style>"), "<"),
    "CSS selector by attribute": (svg("<style>rect[id^=a]{fill:red}</style>"), "selectors"),
    "animation of href": (
        svg('<use href="#a"><animate attributeName="href" to="javascript:alert(1)"/></use>'), "<animate>",
    ),
    "set of href": (svg('<use href="#a"><set attributeName="xlink:href" to="//evil.example"/></use>'), "<set>"),
    "link to a script": (svg('<a href="javascript:alert(1)"><rect/></a>'), "<a>"),
    "use of a script": (svg('<use href=" java&#10;script:alert(1)"/>'), "script:alert"),
    "foreignObject": (svg("<foreignObject><p>text</p></foreignObject>"), "<foreignObject>"),
    "HTML": (svg('<h:iframe xmlns:h="http://www.w3.org/1999/xhtml" src="https://evil.example"/>'), "<iframe>"),
    "filter that loads": (svg('<filter id="f"><feImage href="https://evil.example/a.png"/></filter>'), "<filter>"),
    "no namespace": (b'<svg viewBox="0 0 9 9"><rect/></svg>', "no namespace"),
    "HTML document": (b"<html><body><svg/></body></html>", "<html>"),
    "no viewBox": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>', "viewBox"),
    "huge viewBox": (GOOD.replace("0 0 100 100", "0 0 1e9 1e9").encode(), "viewBox"),
    "endless viewBox": (GOOD.replace("0 0 100 100", "0 0 inf nan").encode(), "viewBox"),
    "empty viewBox": (GOOD.replace("0 0 100 100", "0 0 0 0").encode(), "viewBox"),
    "words for a viewBox": (GOOD.replace("0 0 100 100", "all of it").encode(), "viewBox"),
    "nested without end": (svg("<g>" * 3000 + "</g>" * 3000), "deep"),
    "nested where nobody looks": (svg("<metadata>" * 100 + "</metadata>" * 100), "deep"),
    "very many elements": (svg("<g/>" * 6000), "elements"),
    "use of use of use": (svg(f'{_MANY_USES}<g id="a9"><rect width="9" height="9"/></g>'), "once all references"),
    "use of itself": (svg('<g id="a"><use href="#a"/></g>'), "circle"),
    "pattern of itself": (
        svg('<pattern id="p" width="1" height="1"><rect fill="url(#p)"/></pattern><rect fill="url(#p)"/>'), "circle",
    ),
    "pattern by a sheet": (svg('<style>rect{fill:url(#p)}</style><pattern id="p"><rect/></pattern>'), "gradient"),
    "one id for two": (svg('<rect id="a"/><circle id="a"/>'), "once"),
    "cut off": (svg("<g>")[:-6], "whole XML"),
    "two roots": (svg("<g/>") + svg("<g/>"), "whole XML"),
    "svg within svg": (svg("<svg/>"), "<svg>"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="x-evil"?>' + GOOD.encode(), "found"),
    "no text": (svg("<rect/>") + b"\0", "whole XML"),
}  # fmt: skip
