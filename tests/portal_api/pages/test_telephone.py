"""A number in what a person wrote can be tapped; everything else stays as it was, escaped."""

import pytest

from portal_api.pages.telephone import linked


def test_a_number_in_a_sentence_rings():
    assert linked("the helpline on 0151 496 0102, or call 999") == (
        'the helpline on <a class="portal-phone" href="tel:01514960102">0151 496 0102</a>, '
        "or call 999"
    )


def test_an_international_number_rings():
    assert 'href="tel:+441514960102"' in linked("+44 151 496 0102")


@pytest.mark.parametrize(
    "text", ["", "your team", "5 < 6 & 7", "NHS 999 000 0018", "ref:X0151496010"]
)
def test_what_is_no_number_is_no_link(text):
    assert "<a" not in linked(text)
    assert linked(text).unescape() == text


def test_markup_is_only_text():
    assert linked('<b>0151 496 0102"</b>') == (
        '&lt;b&gt;<a class="portal-phone" href="tel:01514960102">0151 496 0102</a>&#34;&lt;/b&gt;'
    )
