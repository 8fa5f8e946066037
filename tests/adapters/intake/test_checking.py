"""What is said to a laboratory of its messages: the fault, what is held, what deserves a look."""

from dataclasses import replace

import pytest

from adapters.intake.checking import Checked, Remark, check, condition, summed
from adapters.intake.feeds import LOOPBACK
from tests.adapters.intake.ward import Ward


def test_a_sound_message_has_nothing_said_of_it(ward: Ward) -> None:
    assert check(ward.message().encode(), LOOPBACK) == Checked("AA", "ORU^R01", "2.5.1", ())


def test_a_message_that_would_be_set_aside_is_told_the_field_and_the_reason(ward: Ward) -> None:
    found = check(ward.message(birth_date="10660101").encode(), LOOPBACK)
    assert found == Checked(
        "AE",
        "ORU^R01",
        "2.5.1",
        (Remark("fault", "date-bad", "PID.7", "This is not a date that can be believed."),),
    )
    assert condition("date-bad") == "102 Data type error"
    assert condition("value-as-text") == ""


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"status": "P"}, ("held", "preliminary", "OBR.25")),
        ({"section": "SP"}, ("held", "histology", "OBR.24")),
        ({"value": "many"}, ("flag", "value-as-text", "OBX[1].5")),
        ({"code": "PSA9^PSA^L"}, ("code", "code-unmapped", "OBX.3")),
        ({"pid": "PID|1||X1^^^RXX^MR||||19550301|M"}, ("identity", "nhs-number-absent", "PID.3")),
        ({"pid": "PID|1||X1^^^RXX^MR||||19550301|M"}, ("identity", "name-absent", "PID.5")),
        ({"status": "F", "sex": "Q"}, ("fault", "sex-unknown", "PID.8")),
        ({"sex": "Q"}, ("form", "warning", "PID.8")),
    ],
)
def test_what_is_held_missing_or_odd_is_told(
    ward: Ward, changes: dict[str, str], remark: tuple[str, str, str]
) -> None:
    found = check(ward.message(**changes).encode(), LOOPBACK).remarks
    assert remark in {(one.kind, one.code, one.address) for one in found}
    assert all(one.text for one in found)


def test_a_code_that_has_a_meaning_needs_none(ward: Ward) -> None:
    raw = ward.message(code="PSA9^PSA^L").encode()
    known = frozenset({("urn:portal-fhir:codes:RXX", "PSA9")})
    assert check(raw, LOOPBACK, known).remarks == ()


@pytest.mark.parametrize(
    ("rule", "pid", "field"),
    [
        ("needs_nhs_number", "PID|1||X1^^^RXX^MR||Example^Alan||19550301|M", "PID.3"),
        ("needs_birth_date", "PID|1||X1^^^RXX^MR||Example^Alan|||M", "PID.7"),
    ],
)
def test_what_a_feed_has_agreed_to_say_of_everybody_is_asked_for(
    ward: Ward, rule: str, pid: str, field: str
) -> None:
    feed = replace(LOOPBACK, **{rule: True})
    raw = ward.message(pid=pid).encode()
    assert check(raw, LOOPBACK).answer == "AA"
    found = check(raw, feed)
    assert found.answer == "AE"
    assert ("fault", "identity-rule", field) in {
        (one.kind, one.code, one.address) for one in found.remarks
    }
    assert ward.send(raw, feed).fault == ("AE", "101", "identity-rule", field)


def test_nothing_said_repeats_what_stands_in_a_message(ward: Ward) -> None:
    secret = "Zzyzx"
    raw = ward.message(name=f"{secret}^Ann", value=secret, sex=secret, status=secret).encode()
    told = [*check(raw, LOOPBACK).remarks, *check(raw.replace(b"|F|", b"|P|"), LOOPBACK).remarks]
    assert told
    assert [one for one in told if secret in f"{one.text}{one.address}"] == []


def test_the_same_remark_on_many_messages_is_one_line_with_the_first_places(ward: Ward) -> None:
    more = "OBX|2|NM|2857-1^PSA^LN|2|many||||||F"
    messages = [ward.message(value="many", more=more), ward.message(value="much")]
    checked = [(f"a message {n}", check(raw.encode(), LOOPBACK)) for n, raw in enumerate(messages)]
    (line,) = [one for one in summed(checked) if one.kind == "flag"]
    assert (line.code, line.address, line.messages, line.times) == ("value-as-text", "OBX.5", 2, 3)
    assert line.examples == [
        *("a message 0 OBX[1].5", "a message 0 OBX[2].5", "a message 1 OBX[1].5")
    ]


@pytest.mark.parametrize("raw", [b"", b"hello", b"MSH|", b"\x00\xff"])
def test_what_is_no_message_is_told_so(raw: bytes) -> None:
    found = check(raw, LOOPBACK)
    assert found.answer in {"AE", "AR"}
    assert found.remarks[0].kind == "fault"
