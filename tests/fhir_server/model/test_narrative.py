"""The narrative that may reach a browser, and what may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.model.narrative import complaints

NOT_ALLOWED_ELEMENT = "has an element that FHIR does not allow there (txt-1)"
NOT_ALLOWED_ATTRIBUTE = "has an attribute that FHIR does not allow there (txt-1)"
MARKUP = "has a comment, a declaration or a processing instruction"
ENTITY = "has an entity that XML does not know; write the character itself"
LINK = "has a link to something else than http, https, mailto, tel or a place in it"
PICTURE = "has a picture that would be loaded from elsewhere"
BROKEN = "is not well-formed XHTML"


def div(inside: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'


@pytest.mark.parametrize(
    "inside",
    [
        "PSA 7.3",
        '<p class="x" xml:lang="en">a <b>b</b><br/></p>',
        "<table><tbody><tr><td>1 &lt; 2 &amp; 3 &#181; &#xb5;</td></tr></tbody></table>",
        '<a href="https://www.nhs.uk/">NHS</a> <a href="#top" name="top">up</a>',
        '<a href="tel:01632960001">ring</a>',
        '<img src="#pic" alt="x"/>',
        '<img src="data:image/png;base64,AAAA" alt="x"/>',
        '<span style="font-weight: bold; color: #fff">x</span>',
    ],
)
def test_plain_formatting_is_safe(inside: str) -> None:
    assert list(complaints(div(inside))) == []


@pytest.mark.parametrize(
    ("inside", "complaint"),
    [
        ("<script>alert(1)</script>", NOT_ALLOWED_ELEMENT),
        ('<p onclick="alert(1)">x</p>', NOT_ALLOWED_ATTRIBUTE),
        ('<p ONCLICK="alert(1)">x</p>', NOT_ALLOWED_ATTRIBUTE),
        ('<a href="javascript:alert(1)">x</a>', LINK),
        ('<a href=" javascript:alert(1)">x</a>', LINK),
        ('<a href="java&#10;script:alert(1)">x</a>', LINK),
        ('<a href="data:text/html,x">x</a>', LINK),
        ('<a href="//evil.example">x</a>', LINK),
        ('x<img src="https://evil.example/pixel.gif"/>', PICTURE),
        ('x<img src="//evil.example/pixel.gif"/>', PICTURE),
        ('x<img src="data:image/svg+xml;base64,AAAA"/>', PICTURE),
        ("x<iframe/>", NOT_ALLOWED_ELEMENT),
        ("x<form><input/></form>", NOT_ALLOWED_ELEMENT),
        ("x<style>p{}</style>", NOT_ALLOWED_ELEMENT),
        ("x<link/>", NOT_ALLOWED_ELEMENT),
        ('<svg xmlns="http://www.w3.org/2000/svg">x</svg>', NOT_ALLOWED_ELEMENT),
        (
            '<p style="background:url(https://evil.example)">x</p>',
            "has a style that is more than plain properties",
        ),
        ('<p style="x:\\65xpression">x</p>', "has a style that is more than plain properties"),
        ("<!-- x -->x", MARKUP),
        ("x<?php x?>", MARKUP),
        ("<![CDATA[x]]>", MARKUP),
        ("&nbsp;x", ENTITY),
        ("&xxe;", ENTITY),
        ("a & b", ENTITY),
        ("<b>x", BROKEN),
        ("<b>x</i></b>", BROKEN),
        ("\x01x", BROKEN),
        ("x&#1;", BROKEN),
        (" \n ", "has no text and no picture (txt-2)"),
        ("", "has no text and no picture (txt-2)"),
    ],
)
def test_case_54_a_narrative_that_could_hurt_is_refused(inside: str, complaint: str) -> None:
    assert set(complaints(div(inside))) == {complaint}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("<div>no namespace</div>", 'must be one <div xmlns="http://www.w3.org/1999/xhtml">'),
        (
            '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
            'must be one <div xmlns="http://www.w3.org/1999/xhtml">',
        ),
        ("plain text", BROKEN),
        (div("x") + div("y"), BROKEN),
        (f'<!DOCTYPE div [<!ENTITY a "b">]>{div("&a;")}', MARKUP),
        (f'<?xml version="1.0"?>{div("x")}', MARKUP),
    ],
)
def test_case_54_what_is_no_single_xhtml_div_is_refused(text: str, complaint: str) -> None:
    assert list(complaints(text)) == [complaint]


@given(st.text(st.sampled_from("<>&;/ abdivscript=\"'!?#x0:[]\n"), max_size=60))
def test_any_text_is_safe_or_complained_of(text: str) -> None:
    found = list(complaints(div(text)))
    assert found or not ("<script" in text or "<!" in text or "<?" in text)


def test_deep_nesting_does_no_harm() -> None:
    depth = 100_000
    assert list(complaints(div("<b>" * depth + "x" + "</b>" * depth))) == []
