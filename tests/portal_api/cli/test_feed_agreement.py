"""`portal-fhir feed add|edit|import|show|end|map|codes`: agreements from the command line."""

import tomllib
from collections.abc import Callable

import pytest

from portal_api.settings import from_environment
from tests.faults.program import Program
from tests.portal_api.cli.results import psa

Done = Callable[..., str]
Written = Callable[[str, str], str]

AGREEMENT = """
name = "lims"
sources = ["127.0.0.0/8"]
sending_application = "LIMS"
sending_facility = "RXX"
receiving_application = "PORTAL"
receiving_facility = "CMCA"
contact = "the clinic"
"""
CODES = """
[dialect.local_systems]
WIN = "urn:example:winpath"

[[codes]]
code = "PSA9"
means = "http://loinc.org|2857-1"
display = "PSA"

[[codes]]
code = "CA125"
means = "http://loinc.org|10334-1"
system = "WIN"
"""


@pytest.mark.usefixtures("program")
def test_feeds_are_agreed_on_listed_and_ended(done: Done, written: Written) -> None:
    added = done("add", written("lims.toml", AGREEMENT))
    assert "Agreed on the feed lims." in added
    listed = done("list")
    assert [word in listed for word in ("lims", "LIMS RXX", "PORTAL CMCA", "live")] == [True] * 4
    wrong = written("wrong.toml", AGREEMENT + 'control_ids = "weekly"\n')
    assert "control_ids: 'weekly' is not what it takes: one of forever" in done(
        "add", wrong, status=2
    )
    nonsense = written("nonsense.toml", "name = ")
    assert "The feed can't be used" in done("add", nonsense, status=2)
    good = written("good.hl7", psa(1))
    shown = done("convert", "--feed", "lims", good)
    assert "message 1: AA" in shown
    assert "there is no feed nobody" in done("convert", "--feed", "nobody", good, status=2).replace(
        "\n", " "
    )
    assert "has ended" in done("end", "lims")
    assert "There is no feed lims." in done("end", "lims", status=1)


@pytest.mark.usefixtures("running")
def test_a_code_gets_its_meaning_by_the_name_on_the_list(done: Done, written: Written) -> None:
    local = psa(1).replace("2857-1^PSA^LN", "PSA9^PSA^L")
    done("send", written("local.hl7", local))
    meaning = "http://loinc.org|2857-1"
    assert "no message yet" in done("map", "loopback", "NONE", meaning, status=2)
    assert "LOINC" in done("map", "loopback", "PSA9", "urn:x|1", status=2).upper()
    said = done("map", "loopback", "PSA9", meaning, "--display", "PSA")
    assert "PSA9 of loopback means http://loinc.org|2857-1 from now on." in said


@pytest.mark.usefixtures("program")
def test_a_feed_is_agreed_on_by_its_settings_and_changed_one_by_one(done: Done) -> None:
    assert "Agreed on the feed lims." in done(
        "add", "lims", "sources=10.1.2.0/24,fd00::/8", "sending_facility=RXX"
    )
    again = done("add", "lims", status=2)
    assert "There is a feed lims already: portal-fhir feed edit changes it." in again
    changed = done("edit", "lims", "dialect.day_first=yes", "sending_facility=RYY", "backload=no")
    assert "Changed for lims: sending_facility, dialect.day_first." in changed
    assert "Nothing changed." in done("edit", "lims", "dialect.day_first=true")
    assert tomllib.loads(done("show", "lims", "--toml")) == {
        "name": "lims",
        "sources": ["10.1.2.0/24", "fd00::/8"],
        "sending_facility": "RYY",
        "dialect": {"day_first": True},
    }
    shown = done("show", "lims")
    assert [word in shown for word in ("dialect.day_first", "yes", "RYY")] == [True] * 3
    assert "There is no feed nobody." in done("edit", "nobody", "backload=yes", status=2)
    assert "is not SETTING=VALUE" in done("edit", "lims", "backload", status=2)
    assert "there is no feed nobody" in done("show", "nobody", status=2).replace("\n", " ")
    wrong = done("edit", "lims", "backload=perhaps", status=2)
    assert "backload: 'perhaps' is not what it takes: true or false." in wrong


@pytest.mark.usefixtures("program")
def test_an_agreement_is_brought_in_with_its_codes_and_given_out_again(
    done: Done, written: Written
) -> None:
    told = done("import", written("lims.toml", AGREEMENT + CODES))
    assert "2 codes of lims have a meaning." in told
    assert done("codes", "lims") == (
        "code,means,system,display\n"
        "CA125,http://loinc.org|10334-1,urn:example:winpath,\n"
        "PSA9,http://loinc.org|2857-1,urn:portal-fhir:codes:RXX,PSA\n"
    )
    toml = done("show", "lims", "--toml")
    done("end", "lims")
    assert "Nothing changed." not in done("import", written("again.toml", toml))
    assert done("show", "lims", "--toml") == toml
    assert "Nothing changed." in done("import", written("again.toml", toml))
    wrong = AGREEMENT + '[[codes]]\ncode = "X"\nmeans = "urn:x|1"\n'
    assert "codes, row 1: means is one of http://loinc.org, http://snomed.info/sct" in done(
        "import", written("wrong.toml", wrong), status=2
    )


@pytest.mark.usefixtures("program")
def test_codes_come_from_a_table_all_of_them_or_none(done: Done, written: Written) -> None:
    done("import", written("lims.toml", AGREEMENT))
    good = "means,code\nhttp://snomed.info/sct|1,A\nhttp://loinc.org|2857-1,B\n"
    assert "2 codes of lims have a meaning." in done(
        "codes", "lims", "--import", written("c", good)
    )
    for content, told in (
        ("code;means\n", "line 1: the heading has code and means"),
        ("code,means\nC,http://loinc.org|1-8\nD,LN|1-8\n", "line 3: means is one of"),
        ("code,means\n,http://loinc.org|1-8\n", "line 2: code is missing."),
        ("code,means\nC,http://loinc.org|1-8,more\n", "line 2: each of code, means"),
    ):
        wrong = done("codes", "lims", "--import", written("c", content), status=2)
        assert f"The feed can't be used: {told}" in wrong
    assert done("codes", "lims").count("\n") == 3
    assert "There is no feed nobody." in done(
        "codes", "nobody", "--import", written("c", good), status=2
    )


def test_what_was_agreed_from_the_table_is_what_a_message_means(
    running: Program, done: Done, written: Written
) -> None:
    done("import", written("lims.toml", AGREEMENT + CODES))
    local = psa(1).replace("2857-1^PSA^LN", "PSA9^PSA^L")
    done("send", written("local.hl7", local), "--to", f"127.0.0.1:{running.mllp}")
    assert "fate filed" in done("trace", "M1")
    assert "code-unmapped" not in done("trace", "M1")


def test_off_loopback_a_feed_has_to_name_its_sender(
    program: Program, done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_MLLP_ADDRESS", f"0.0.0.0:{program.mllp}")
    assert not from_environment().mllp.is_loopback
    told = done("add", "lims", "sending_facility=RXX", status=2)
    assert "off loopback it has to name sources, sending_application" in told
