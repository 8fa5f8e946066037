"""Values: a number only where there is one, and the laboratory's own words everywhere else."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.conversion import Flag
from adapters.hl7v2.dialect import Dialect
from fhir_server.model import json
from tests.adapters.hl7v2.oru_messages import converted, observations, with_results

LOCAL = "urn:portal-fhir:codes:NMH"
UCUM = {"unit": "ug/L", "system": "http://unitsofmeasure.org", "code": "ug/L"}
TEXT_FLAG = Flag("value-as-text", "OBX[1].5")


def quantity(number, comparator=None):
    compared = {"comparator": comparator} if comparator else {}
    return {"valueQuantity": {"value": Decimal(number), **compared, **UCUM}}


def words(text):
    unit = {"url": "urn:portal-fhir:unit-as-sent", "valueString": "ug/L"}
    return {"valueString": text, "extension": [unit]}


def value(kind, sent, unit="ug/L", dialect=None):
    """The elements that hold the value of the one result, and the flags."""
    conversion = with_results(
        f"OBX|1|{kind}|T^Test^L||{sent}|{unit}|||||F", dialect=dialect or Dialect()
    )
    (tree,) = observations(conversion)
    held = ("extension", "component", "dataAbsentReason")
    elements = {k: v for k, v in tree.items() if k.startswith("value") or k in held}
    return elements, conversion.flags


@pytest.mark.parametrize(
    ("kind", "sent", "elements"),
    [
        ("NM", "7.30", quantity("7.30")),
        ("nm", "7.30", quantity("7.30")),
        ("NM", "<5", quantity("5", "<")),
        ("NM", ">90", quantity("90", ">")),
        ("SN", "^5.10", quantity("5.10")),
        ("SN", "=^5.10", quantity("5.10")),
        ("SN", "<^0.01", quantity("0.01", "<")),
        ("SN", ">=^90", quantity("90", ">=")),
        (
            "SN",
            "^1^:^128",
            {
                "valueRatio": {
                    "numerator": {"value": Decimal(1), **UCUM},
                    "denominator": {"value": Decimal(128), **UCUM},
                }
            },
        ),
        (
            "SN",
            "^5^-^10",
            {
                "valueRange": {
                    "low": {"value": Decimal(5), **UCUM},
                    "high": {"value": Decimal(10), **UCUM},
                }
            },
        ),
        (
            "SN",
            ">^5^-^10",
            {
                "valueRange": {
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/originalText",
                            "valueString": ">",
                        }
                    ],
                    "low": {"value": Decimal(5), **UCUM},
                    "high": {"value": Decimal(10), **UCUM},
                }
            },
        ),
        ("NR", "5^10", {"valueRange": {"low": quantity("5")["valueQuantity"], "high": quantity("10")["valueQuantity"]}}),  # noqa: E501
        ("NR", "^10", {"valueRange": {"high": quantity("10")["valueQuantity"]}}),
        ("CE", "POS^Positive^L", {"valueCodeableConcept": {"coding": [{"system": LOCAL, "code": "POS", "display": "Positive"}]}}),  # noqa: E501
        ("CWE", "^Not seen", {"valueCodeableConcept": {"text": "Not seen"}}),
        ("CWE", "Not seen", {"valueCodeableConcept": {"text": "Not seen"}}),
        ("IS", "POS", {"valueCodeableConcept": {"coding": [{"system": LOCAL, "code": "POS"}]}}),
        ("DT", "20260803", {"valueDateTime": "2026-08-03"}),
        ("TS", "202608031405", {"valueDateTime": "2026-08-03T14:05:00+01:00"}),
        ("TM", "1405", {"valueTime": "14:05:00"}),
        ("DR", "20260801^20260803", {"valuePeriod": {"start": "2026-08-01", "end": "2026-08-03"}}),
        ("ST", "Not detected", words("Not detected")),
        ("ST", "7.30", words("7.30")),
        ("TX", "a ^ b & c", words("a ^ b & c")),
        ("FT", r"one\.br\two \T\ three", words("one\ntwo & three")),
    ],
)  # fmt: skip
def test_a_value_of_its_own_type_becomes_that_value(kind, sent, elements):
    assert value(kind, sent) == (elements, ())


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("", "5.2"),
        ("NM", "5.2*"),
        ("NM", "1,234"),
        ("NM", "NEG"),
        ("NM", "5..2"),
        ("NM", "1e400"),
        ("NM", "NaN"),
        ("NM", "5^6"),
        ("SN", "^<^5"),
        ("SN", "<5"),
        ("SN", "<>^5"),
        ("SN", "^5^+"),
        ("SN", "^10^-^5"),
        ("SN", "<^1^:^128"),
        ("NR", "10^5"),
        ("NR", "a^b"),
        ("DT", "03/08/2026"),
        ("TM", "noon"),
        ("EI", "1^LIMS"),
        ("NA", "1^2^3"),
        ("XX", "anything"),
    ],
)
def test_what_is_not_of_its_type_stays_text_exactly_as_sent_and_is_flagged(kind, sent):
    assert value(kind, sent) == (words(sent), (TEXT_FLAG,))


def test_the_digits_that_the_laboratory_wrote_reach_the_json():
    elements, _ = value("NM", "5.10")
    assert b'"value":5.10' in json.encode(elements)


@pytest.mark.parametrize("kind", ["", "NM", "ST", "CE", "SN"])
def test_no_value_says_why_there_is_none(kind):
    elements, flags = value(kind, "")
    system = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
    assert elements == {"dataAbsentReason": {"coding": [{"system": system, "code": "unknown"}]}}
    assert flags == ()


def test_a_deleted_value_is_gone_and_flagged():
    elements, flags = value("NM", '""')
    assert elements["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert flags == (Flag("value-deleted", "OBX[1].5"),)


def test_text_of_blanks_is_no_value():
    assert "dataAbsentReason" in value("ST", "   ")[0]


def test_a_number_in_st_is_one_only_where_that_was_agreed_and_a_unit_stands_beside_it():
    agreed = Dialect(numbers_in_text=True)
    assert value("ST", "<0.01", dialect=agreed) == (quantity("0.01", "<"), ())
    assert value("ST", "0.04", dialect=agreed) == (quantity("0.04"), ())
    assert value("ST", "0.04", unit="", dialect=agreed) == ({"valueString": "0.04"}, ())
    assert value("ST", "see note", dialect=agreed) == (words("see note"), ())


def test_repeated_text_is_lines_of_one_value():
    assert value("TX", "one~two~~four")[0] == words("one\ntwo\n\nfour")


def test_a_tilde_that_a_sender_never_escapes_is_a_tilde_where_that_was_agreed():
    literal = Dialect(literal_tilde=True)
    assert value("TX", "~ 5 cm", dialect=literal)[0] == words("~ 5 cm")


def test_repeated_codes_are_components_under_the_same_test():
    elements, _ = value("CE", "A^a^L~B^b^L", unit="")
    code = {"coding": [{"system": LOCAL, "code": "T", "display": "Test"}]}
    coding = [{"system": LOCAL, "code": letter, "display": letter.lower()} for letter in "AB"]
    assert elements == {
        "component": [{"code": code, "valueCodeableConcept": {"coding": [one]}} for one in coding]
    }


def test_a_repetition_that_is_of_another_type_makes_text_of_all():
    assert value("NM", "1~two")[0] == words("1\ntwo")


@given(
    st.text(
        alphabet=st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="|^~\\&"),
        min_size=1,
    )
)
def test_no_text_is_ever_taken_for_a_number_that_it_is_not(text):
    elements, _ = value("NM", text, unit="")
    if "valueQuantity" in elements:
        number = elements["valueQuantity"]
        written = text.strip().removeprefix(number.get("comparator", "")).strip()
        assert Decimal(written) == number["value"]
    elif text.strip():
        assert elements["valueString"].strip() == text.strip()


def test_a_value_in_an_unfinished_result_is_not_needed():
    (tree,) = observations(with_results("OBX|1|NM|T^Test^L||||||||I"))
    assert tree["status"] == "registered"
    assert tree["dataAbsentReason"]["coding"][0]["code"] == "temp-unknown"


def test_the_message_of_the_examples_converts():
    assert observations(converted())[0]["valueQuantity"]["value"] == Decimal("7.30")
