"""`Narrative.div`: a small, strict subset of XHTML that no browser can be hurt with.

FHIR allows basic formatting and forbids scripts, forms, frames, style sheets and event attributes
(txt-1, txt-2). We also refuse what would load something from outside: links go to `http`, `https`,
`mailto`, `tel` or a place in the text; pictures to a place in the resource (`#…`) or `data:image/`.
No DTD, no processing instruction, no entity but XML's five and character references.

https://hl7.org/fhir/R4/narrative.html
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, XMLParser

XHTML = "http://www.w3.org/1999/xhtml"

_ELEMENTS = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "abbr",
        "align",
        "alt",
        "axis",
        "border",
        "cellpadding",
        "cellspacing",
        "char",
        "charoff",
        "class",
        "colspan",
        "dir",
        "frame",
        "headers",
        "height",
        "href",
        "id",
        "lang",
        "name",
        "nowrap",
        "rowspan",
        "rules",
        "scope",
        "span",
        "src",
        "style",
        "summary",
        "title",
        "valign",
        "width",
    ]
)
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_LINK = re.compile(r"(?:https?://|mailto:|tel:|#)\S*", re.IGNORECASE)
_PICTURE = re.compile(r"(?:#|data:image/(?:png|jpeg|gif);base64,)\S*", re.IGNORECASE)
_STYLE = re.compile(r"[\w\s:;,.#%+!-]*")
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")


def complaints(div: str) -> Iterator[str]:
    """Yield what is wrong with *div*, in words that follow "The narrative": nothing if it is safe.

    The texts name no element and no attribute that was sent.
    """
    if "<!" in div or "<?" in div:
        yield "has a comment, a declaration or a processing instruction"
        return
    if _ENTITY.search(div):
        yield "has an entity that XML does not know; write the character itself"
        return
    try:
        root = _parsed(div)
    except ParseError:
        yield "is not well-formed XHTML"
        return
    if root.tag != f"{{{XHTML}}}div":
        yield f'must be one <div xmlns="{XHTML}">'
        return
    if not "".join(root.itertext()).strip() and not any(True for _ in root.iter(f"{{{XHTML}}}img")):
        yield "has no text and no picture (txt-2)"
    for element in root.iter():
        yield from _element_complaints(element)


def _parsed(div: str) -> Element:
    parser = XMLParser()  # noqa: S314 - declarations were refused, so there are no entities to expand
    parser.feed(div)
    root = parser.close()
    if not isinstance(root, Element):
        raise ParseError
    return root


def _element_complaints(element: Element) -> Iterator[str]:
    namespace, _, tag = element.tag.removeprefix("{").partition("}")
    if namespace != XHTML or tag not in _ELEMENTS:
        yield "has an element that FHIR does not allow there (txt-1)"
    for name, value in element.attrib.items():
        if name not in _ATTRIBUTES and name != _XML_LANG:
            yield "has an attribute that FHIR does not allow there (txt-1)"
        elif name == "href" and not _LINK.fullmatch(value):
            yield "has a link to something else than http, https, mailto, tel or a place in it"
        elif name == "src" and not _PICTURE.fullmatch(value):
            yield "has a picture that would be loaded from elsewhere"
        elif name == "style" and not _STYLE.fullmatch(value):
            yield "has a style that is more than plain properties"
