"""What FHIR can't hold is replaced and flagged; what only looks dangerous is kept as sent."""

import pytest

from adapters.hl7v2.conversion import Flag
from tests.adapters.hl7v2.oru_messages import (
    MSH,
    OBR,
    OBX,
    ORC,
    PID,
    converted,
    field_of,
    observations,
    with_results,
)

TEXT = field_of(field_of(field_of(OBX, 2, "ST"), 6, ""), 7, "")


def text(sent):
    conversion = with_results(field_of(TEXT, 5, sent))
    return observations(conversion)[0]["valueString"], conversion.flags


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\x00b", "a\ufffdb"),
        ("a\x1cb", "a\ufffdb"),
        (r"a\X1C\b", "a\ufffdb"),
        ("\x08x", "\ufffdx"),
    ],
)
def test_a_control_character_is_replaced_and_flagged(sent, kept):
    assert text(sent) == (kept, (Flag("text-replaced", "OBX[1]"),))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (r"a\X0D0A\b", "a\r\nb"),
        ("a\tb", "a\tb"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("=cmd()", "=cmd()"),
        ("\u202eabc \U0001f600 \x85", "\u202eabc \U0001f600 \x85"),
        (r"\F\ and \E\ ", r"| and \ "),
    ],
)
def test_text_is_kept_as_sent(sent, kept):
    value, flags = text(sent)
    assert value.strip() == kept.strip()
    assert "text-replaced" not in {flag.code for flag in flags}


def test_a_name_with_a_control_character_is_a_name_without_it():
    conversion = converted(MSH, field_of(PID, 5, "Ash\x01down^Alan"), ORC, OBR, OBX)
    assert conversion.person.tree["name"][0]["family"] == "Ash\ufffddown"
    assert conversion.flags == (Flag("text-replaced", "PID"),)
