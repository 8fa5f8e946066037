"""The work list of codes: suggestions, what a meaning would do, and giving it with one click."""

import re

import pytest

from adapters.intake import code_maps, feed_settings, registry
from adapters.intake.reception import receive
from tests.portal_api.pages.world import FILING, text_of

LOINC = "http://loinc.org"
RAW = """\
MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124||ORU^R01^ORU_R01|A|P|2.5.1
PID|1||9990000018^^^NHS^NH||Ashworth^Alan||19550304|M
OBR|1|O1|L1|TP^Prostate-specific antigen^L|||20261124|||||||||||||||20261124||CH|F
OBX|1|NM|TP^Prostate-specific antigen^L||7.3|ug/L|0-6.5|H|||F
"""


@pytest.fixture
def office(world):
    """A result whose code nobody knows here, though another feed does; and an operator."""
    feed = feed_settings.from_settings({"name": "lims", "sources": ["127.0.0.0/8"]})

    def agreed(writer):
        registry.agree(writer, feed)
        target = {"system": LOINC, "code": "2857-1", "display": "Prostate specific antigen"}
        code_maps.set_meaning(writer, "westmere", ("urn:x", "PSAX"), target)

    world.portal.record.submit(FILING, agreed).result(10)
    raw = RAW.replace("\n", "\r")
    receive(world.portal.record, (feed,), raw.encode(), "127.0.0.1").result(timeout=30)
    world.hands.advance(minutes=1)
    return world.browser("olu")


def opened(office):
    page = office.get("/operator/codes")
    href = re.search(r'href="(/operator/codes/one\?[^"]+)"', page.text)[1]
    return office.get(href.replace("&amp;", "&"))


def test_a_code_is_shown_with_what_waits_and_what_it_may_mean(office):
    words = text_of(office.get("/operator/codes"))
    assert "TP Prostate-specific antigen ug/L lims 1 24 November 2026" in words
    page = opened(office)
    words = text_of(page)
    assert "1 message since 24 November 2026; seen 1 time" in words
    assert "Prostate specific antigen LOINC 2857-1, as PSAX of westmere" in words
    assert re.search(r'href="/operator/messages/lims/[0-9a-f]{67}">A<', page.text)
    assert "7.3" not in page.text


def test_a_suggestion_is_tried_and_then_given_with_one_click(world, office):
    page = opened(office)
    suggestion = re.search(r'name="suggestion" type="radio" value="([^"]+)"', page.text)[1]
    effect = office.fill(page, "/operator/codes/try", suggestion=suggestion)
    words = text_of(effect)
    assert "TP of lims would mean LOINC 2857-1 Prostate specific antigen" in words
    assert "1 result would open to its patient at once." in words
    assert "0 would stay held for another reason." in words
    assert "TP" in text_of(office.get("/operator/codes"))
    done = office.fill(effect, "/operator/codes/map")
    assert done.headers["location"] == "/operator/codes?done=mapped"
    words = text_of(office.get("/operator/codes"))
    assert "Every code that came in has its meaning." in words
    changed = world.entries("feed-changed")[-1]
    assert "TP was given a meaning" in str(changed)
    assert "Olu Operator" in str(changed)


def test_another_code_may_be_written_and_a_wrong_one_is_said_beside_its_field(office):
    page = opened(office)
    wrong = office.fill(page, "/operator/codes/try", system=LOINC, code=" ")
    assert wrong.status_code == 422
    assert 'href="#code"' in wrong.text
    written = {"system": "http://snomed.info/sct", "code": "63476009", "display": "PSA"}
    effect = office.fill(wrong, "/operator/codes/try", **written)
    assert "would mean SNOMED CT 63476009 PSA" in text_of(effect)


def test_a_code_that_waits_for_nothing_has_no_page(office):
    assert office.get("/operator/codes/one?feed=lims&from_code=X").status_code == 404
