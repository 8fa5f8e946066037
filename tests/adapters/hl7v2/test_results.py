"""Lines of one text are one result; the same result twice is one; keys are the sender's own."""

import pytest

from adapters.hl7v2.conversion import Flag
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused
from tests.adapters.hl7v2.oru_messages import OBX, field_of, observations, with_results


def line(number, text, code="REP^Report^L", kind="TX", sub_id="", status="F"):
    return f"OBX|{number}|{kind}|{code}|{sub_id}|{text}||||||{status}"


def values(conversion):
    return [tree.get("valueString") for tree in observations(conversion)]


def names(conversion):
    return [tree["code"]["coding"][0]["code"] for tree in observations(conversion)]


def test_a_report_of_lines_is_one_text_under_the_test_that_was_ordered():
    conversion = with_results(
        line(1, "MICROSCOPY"), line(2, ""), line(3, "  Site     Finding"), line(4, "")
    )
    assert values(conversion) == ["MICROSCOPY\n\n  Site     Finding"]
    assert names(conversion) == ["PSA"]
    assert conversion.groups[0].is_free_text


def test_blank_lines_are_no_twins():
    conversion = with_results(line(1, "a"), line(2, ""), line(3, ""), line(4, "b"))
    assert values(conversion) == ["a\n\n\nb"]
    assert conversion.flags == ()


@pytest.mark.parametrize("kind", ["TX", "FT", "ST"])
def test_lines_may_be_of_any_text_type(kind):
    assert values(with_results(line(1, "a", kind=kind), line(2, "b", kind=kind))) == ["a\nb"]


def test_a_count_of_lines_in_obx_4_does_not_part_them():
    conversion = with_results(line(1, "a", sub_id="1"), line(2, "b", sub_id="2"))
    assert values(conversion) == ["a\nb"]


def test_two_isolates_in_obx_4_do():
    conversion = with_results(
        line(1, "a", sub_id="7"), line(2, "b", sub_id="7"), line(3, "c", sub_id="9")
    )
    assert values(conversion) == ["a\nb", "c"]


def test_lines_beside_other_results_are_joined_under_their_own_code():
    conversion = with_results(OBX, line(2, "a"), line(3, "b"), line(4, "c", code="X^x^L"))
    assert values(conversion) == [None, "a\nb", "c"]
    assert names(conversion) == ["PSA", "REP", "X"]


def test_a_feed_may_keep_each_line_apart_from_the_ordered_test():
    dialect = Dialect(report_of_lines=False)
    conversion = with_results(line(1, "a"), line(2, "b"), dialect=dialect)
    assert (values(conversion), names(conversion)) == (["a\nb"], ["REP"])


def test_comments_between_lines_are_kept():
    conversion = with_results(line(1, "a"), "NTE|1||one", line(2, "b"), "NTE|1||two")
    assert observations(conversion)[0]["note"] == [{"text": "one\ntwo"}]


def test_a_text_without_a_code_is_the_reports():
    assert names(with_results(OBX, line(2, "see below", code=""))) == ["PSA", "PSA"]


def test_a_number_without_a_code_refuses_the_message():
    with pytest.raises(Refused) as caught:
        with_results(field_of(OBX, 3, ""))
    assert (caught.value.hl7_code, caught.value.code, caught.value.field) == (
        101,
        "test-missing",
        "OBX[1].3",
    )


def test_the_same_result_twice_is_filed_once_and_flagged():
    conversion = with_results(OBX, field_of(OBX, 1, "2"))
    assert len(observations(conversion)) == 1
    assert conversion.flags == (Flag("obx-twice", "OBX[2]"),)
    assert conversion.groups[0].holds == ()
    assert conversion.accounted[6] == "kept raw: it repeats another OBX"


def test_a_repeated_result_with_a_comment_of_its_own_is_not_left_out():
    conversion = with_results(OBX, field_of(OBX, 1, "2"), "NTE|1||please repeat")
    assert [tree.get("note") for tree in observations(conversion)] == [
        None,
        [{"text": "please repeat"}],
    ]
    assert conversion.groups[0].holds == ("obx-conflict",)


def test_a_later_agreement_on_code_systems_changes_no_key():
    agreed = Dialect(local_base="https://nmh.example", local_systems={"L": "https://nmh.example/l"})
    before, after = with_results(OBX), with_results(OBX, dialect=agreed)
    assert before.groups[0].observations[0].key == after.groups[0].observations[0].key


@pytest.mark.parametrize(
    ("times", "flagged"),
    [
        (("202608030900", "202608030930", "202608031000"), []),
        (("202608030900", "202608030930", "202608030930"), ["OBX[3]"]),
        (("202608030900", "", "202608031000"), ["OBX[2]", "OBX[3]"]),
    ],
)
def test_the_values_of_a_dynamic_function_test_are_a_series_by_their_times(times, flagged):
    glucose = OBX.replace("PSA^PSA^L", "GLU^Glucose^L").replace("ug/L", "mmol/L")
    sent = [
        field_of(field_of(glucose, 5, f"{number}.0"), 14, time)
        for number, time in enumerate(times, 5)
    ]
    conversion = with_results(*sent)
    values = [str(tree["valueQuantity"]["value"]) for tree in observations(conversion)]
    assert values == ["5.0", "6.0", "7.0"]
    assert len({made.key for made in conversion.groups[0].observations}) == 3
    assert [flag.address for flag in conversion.flags if flag.code == "obx-conflict"] == flagged
    assert (conversion.groups[0].holds == ()) is not bool(flagged)


def test_the_same_test_with_another_value_is_filed_too_and_the_report_held():
    conversion = with_results(OBX, field_of(OBX, 5, "9.9"))
    assert [str(tree["valueQuantity"]["value"]) for tree in observations(conversion)] == [
        "7.30",
        "9.9",
    ]
    assert conversion.flags == (Flag("obx-conflict", "OBX[2]"),)
    assert conversion.groups[0].holds == ("obx-conflict",)
    keys = [made.key for made in conversion.groups[0].observations]
    assert len(set(keys)) == 2


def test_the_number_of_the_line_is_no_part_of_a_key():
    first = with_results(OBX, field_of(field_of(OBX, 1, "2"), 3, "CEA^CEA^L"))
    again = with_results(field_of(field_of(OBX, 1, "1"), 3, "CEA^CEA^L"), field_of(OBX, 1, "2"))
    assert {made.key for made in first.groups[0].observations} == {
        made.key for made in again.groups[0].observations
    }


def test_a_group_and_an_own_number_are_part_of_a_key():
    keys = {
        with_results(result).groups[0].observations[0].key
        for result in (OBX, field_of(OBX, 4, "1"), field_of(OBX, 4, "2"), field_of(OBX, 21, "R1"))
    }
    assert len(keys) == 4
