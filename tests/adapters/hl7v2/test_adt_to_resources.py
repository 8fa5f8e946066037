"""Who somebody is, as an admission system says: every field has its place, or a reason."""

from datetime import UTC, datetime

import pytest

from adapters.hl7v2.adt_fields import BY_RULE, ELEMENTS, EVENTS, KEPT_RAW, Effect
from adapters.hl7v2.conversion import Flag
from adapters.hl7v2.demographics import Demographics
from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.kinds import convert
from adapters.hl7v2.unmapped_fields import reason
from tests.adapters.hl7v2.oru_messages import field_of, readable

MSH = r"MSH|^~\&|PAS|NMH|PORTAL|PFH|20261124101500||ADT^A31^ADT_A05|M1|P|2.4"
EVN = (
    "EVN|A31|20261124101400||01|G9999991^Okafor^Ngozi^^^Dr^^^GMC|20261124090000|Northmere Infirmary"
)
PID = "PID|1||9990000018^^^NHS^NH~A77^^^NMH^MR||Ashdown^Alan^^^Mr^^L||19550302|M"


def converted(*segments: str) -> Demographics:
    content = convert(read("\r".join(segments or (MSH, EVN, PID)).encode()), STANDARD)
    assert isinstance(content, Demographics)
    return content


def refused(*segments: str) -> tuple[str, str, int]:
    with pytest.raises(Refused) as caught:
        converted(*segments)
    return caught.value.code, caught.value.field, caught.value.hl7_code


def test_a_change_of_details_names_the_person_the_event_and_its_time() -> None:
    content = converted()
    assert (content.event, content.effect) == ("A31", Effect.CREATES)
    assert content.said_at == datetime(2026, 11, 24, 10, 14, tzinfo=UTC)
    assert content.person.identifiers == (("NMH", "A77"),)
    assert content.accounted == {1: "filed in Provenance", 2: "filed in Provenance", 3: _PATIENT}
    told = readable(content.provenance.tree)
    assert told["target"] == [{"reference": "Patient/named"}]
    assert told["activity"]["text"] == "event - ADT^A31^ADT_A05"
    assert told["occurredDateTime"] == "2026-11-24T09:00:00+00:00"
    assert told["location"] == {"display": "Northmere Infirmary"}
    assert [one["code"] for one in told["reason"][0]["coding"]] == ["PATRQT", "01"]
    assert told["agent"][-1]["who"]["display"] == "Dr Ngozi Okafor"


_PATIENT = "filed in Patient"


@pytest.mark.parametrize("event", sorted(EVENTS))
@pytest.mark.parametrize("named_in", ["MSH", "EVN"])
def test_an_event_is_named_by_the_header_or_as_in_the_oldest_versions_by_itself(
    event: str, named_in: str
) -> None:
    header = field_of(MSH, 9, f"ADT^{event}" if named_in == "MSH" else "ADT")
    content = converted(header, f"EVN|{event}|20261124101400", PID)
    assert (content.event, content.effect) == (event, EVENTS[event].effect)


def test_a_cancelled_event_changes_nobody() -> None:
    content = converted(field_of(MSH, 9, "ADT^A11"), "EVN|A11|20261124101400", PID, "PV1|1|I")
    assert content.effect is Effect.CANCELS
    assert set(content.accounted.values()) == {
        "kept raw: a cancelled event changes nobody's details"
    }


@pytest.mark.parametrize(
    ("evn", "sent", "expected"),
    [
        ("20261124101400", "20261124101500", "2026-11-24T10:14:00+00:00"),
        ("", "20261124101500+0100", "2026-11-24T10:15:00+01:00"),
        ("soon", "20261124101500", "2026-11-24T10:15:00+00:00"),
        ("20261124", "20261124101500", "2026-11-24T00:00:00+00:00"),
    ],
)
def test_what_is_said_has_the_time_of_the_event_else_of_the_message(
    evn: str, sent: str, expected: str
) -> None:
    content = converted(field_of(MSH, 7, sent), f"EVN|A31|{evn}", PID)
    assert content.said_at == datetime.fromisoformat(expected)


def test_a_message_without_any_time_is_refused() -> None:
    assert refused(field_of(MSH, 7, ""), PID) == ("date-missing", "MSH.7", 101)


def test_what_is_emptied_is_told_from_what_is_not_said() -> None:
    pid = field_of(field_of(PID, 13, '""'), 11, "")
    content = converted(MSH, EVN, pid, 'PD1|||""|G9999994^Patel^Asha^^^Dr^^^GMP')
    assert content.deleted == {"PID-13", "PD1-3"}


@pytest.mark.parametrize(
    ("number", "sent", "address"), [(30, "N", "PID.30"), (30, '""', "PID.30"), (29, '""', "PID.29")]
)
def test_that_somebody_did_not_die_is_told_with_its_field(
    number: int, sent: str, address: str
) -> None:
    assert converted(MSH, EVN, field_of(PID, number, sent)).denies_death == address


def test_a_general_practitioner_comes_from_the_person_or_from_a_role() -> None:
    pd1 = "PD1|||Brook Surgery^^^^^^^^^S99901|G9999994^Patel^Asha^^^Dr^^^GMP"
    role = "ROL|1|AD|PP^Primary care provider^HL70443|G9999995^Lane^Ann^^^Dr^^^GMP"
    other = "ROL|2|AD|AT^Attending^HL70443|G9999996^Ward^Wilf^^^Dr^^^GMC"
    content = converted(MSH, EVN, PID, pd1, role, other)
    doctors = [one["display"] for one in content.person.tree["generalPractitioner"]]
    assert doctors == ["Brook Surgery", "Dr Asha Patel", "Dr Ann Lane"]
    assert list(content.accounted.values())[4:] == [
        "filed in Patient.generalPractitioner",
        "kept raw: a part in the visit, not that of a general practitioner",
    ]


def test_protected_details_carry_a_label() -> None:
    pd1 = field_of("PD1", 12, "Y")
    person = converted(MSH, EVN, PID, pd1).person
    assert person.restricted
    assert [one["code"] for one in person.tree["meta"]["security"]] == ["R"]


def test_every_other_segment_stays_raw_with_its_reason() -> None:
    more = [*(f"{name}|1" for name in sorted(KEPT_RAW)), "ZPI|1"]
    content = converted(MSH, EVN, PID, *more)
    fates = list(content.accounted.values())[3:]
    assert fates == [*(f"kept raw: {KEPT_RAW[name]}" for name in sorted(KEPT_RAW)), _RAW]


_RAW = "kept raw: not mapped"


def test_several_people_or_nobody_are_refused() -> None:
    assert refused(MSH, EVN, PID, PID) == ("patients-several", "PID[2]", 100)
    assert refused(MSH, EVN) == ("message-empty", "PID", 100)


def test_the_readers_flags_are_told() -> None:
    assert converted(field_of(MSH, 12, "2.9"), PID).flags == (Flag("version-assumed", ""),)


def test_every_field_of_a_person_is_mapped_or_left_out_for_a_reason() -> None:
    told = {*BY_RULE, *(name for element in ELEMENTS for name in element.fields)}
    pid = {f"PID-{number}" for number in range(2, 41)}
    left_out = {name for name in pid - told if reason("PID", int(name[4:]))}
    assert pid - told - left_out == {
        # Set id and what no version uses; the species is refused, and what hangs on it with it.
        *("PID-10", "PID-27", "PID-35", "PID-37", "PID-38")
    }
