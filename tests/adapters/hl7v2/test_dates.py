"""Dates keep their precision, get the offset of the sender's clock, and are never guessed."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.conversion import Flag
from adapters.hl7v2.dates import read_moment
from adapters.hl7v2.dates import time as fhir_time
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Refused
from tests.adapters.hl7v2.oru_messages import MSH, OBR, OBX, ORC, PID, converted, field_of

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("2026", "2026"),
        ("202608", "2026-08"),
        ("20260803", "2026-08-03"),
        ("20260803+0100", "2026-08-03"),
        ("2026080314", "2026-08-03T14:00:00+01:00"),
        ("202608031405", "2026-08-03T14:05:00+01:00"),
        ("20260803140507", "2026-08-03T14:05:07+01:00"),
        ("20260803140507.1", "2026-08-03T14:05:07.1+01:00"),
        ("20260803140507.1234", "2026-08-03T14:05:07.1234+01:00"),
        ("202601031405", "2026-01-03T14:05:00+00:00"),
        ("202608031405-0530", "2026-08-03T14:05:00-05:30"),
        ("202608031405+0000", "2026-08-03T14:05:00+00:00"),
        ("20240229", "2024-02-29"),
    ],
)
def test_a_date_keeps_its_precision_and_gets_an_offset_once_it_has_a_time(sent, text):
    assert read_moment(sent, LONDON).text == text


@pytest.mark.parametrize(
    "sent",
    [
        *("", "0000", "00000000", "20261301", "20260832", "20250229", "202608032400"),
        *("202608031460", "20260803140560", "03/08/2026", "03-AUG-2026", "2026-08-03", "today"),
        *("202", "20260", "2026080", "202608031405+9900", "202608031405+0060", "20260803140507."),
        *("٢٠٢٦٠٨٠٣", "18400101120000"),
    ],
)
def test_what_is_no_date_is_none(sent):
    assert read_moment(sent, LONDON) is None


def test_the_hour_that_autumn_repeats_is_the_first_of_the_two_and_flagged():
    moment = read_moment("202510260130", LONDON)
    assert (moment.text, moment.flag) == ("2025-10-26T01:30:00+01:00", "time-ambiguous")


def test_the_hour_that_spring_skips_is_flagged():
    moment = read_moment("202603290130", LONDON)
    assert (moment.text, moment.flag) == ("2026-03-29T01:30:00+00:00", "time-skipped")


def test_an_offset_that_was_sent_leaves_nothing_to_doubt():
    assert read_moment("202510260130+0000", LONDON).flag == ""


def test_day_before_month_is_read_only_where_it_was_agreed():
    assert read_moment("03/08/2026", LONDON, day_first=True).text == "2026-08-03"
    assert read_moment("03/08/2026 14:05", LONDON, day_first=True).text == (
        "2026-08-03T14:05:00+01:00"
    )
    assert read_moment("13/31/2026", LONDON, day_first=True) is None


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_day_is_read_as_itself(day):
    assert read_moment(day.strftime("%Y%m%d"), LONDON).text == day.isoformat()


@given(st.dates(date(1975, 1, 1), date(2037, 12, 31)), st.times())
def test_every_wall_clock_time_is_kept_as_the_wall_showed_it(day, at):
    moment = read_moment(f"{day:%Y%m%d}{at:%H%M%S}", LONDON)
    assert moment.text[:19] == f"{day.isoformat()}T{at:%H:%M:%S}"
    assert moment.when == datetime.fromisoformat(moment.text)


@given(st.text(alphabet="0123456789+-./ :TZ", max_size=24))
def test_no_text_at_all_breaks_the_reader(text):
    moment = read_moment(text, LONDON)
    assert moment is None or moment.text[:4].isdigit()


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("1405", "14:05:00"),
        ("140507", "14:05:07"),
        ("140507.25", "14:05:07.25"),
        ("140507+0100", "14:05:07"),
        ("2405", ""),
        ("1460", ""),
        ("14", ""),
        ("noon", ""),
    ],
)
def test_a_time_of_day_has_seconds(sent, text):
    assert fhir_time(sent) == text


@pytest.mark.parametrize(
    ("segment", "number", "address"),
    [(PID, 7, "PID.7"), (PID, 29, "PID.29"), (OBR, 7, "OBR[1].7"), (OBR, 22, "OBR[1].22")],
)
def test_a_date_that_can_not_be_believed_refuses_the_message_at_its_field(segment, number, address):
    segments = [MSH, PID, ORC, OBR, OBX]
    segments[segments.index(segment)] = field_of(segment, number, "00000000")
    with pytest.raises(Refused) as caught:
        converted(*segments)
    refused = caught.value
    assert (refused.ack, refused.hl7_code, refused.code, refused.field) == (
        "AE",
        102,
        "date-bad",
        address,
    )


@pytest.mark.parametrize(
    ("sent", "is_believed"),
    [
        ("20260804150000", True),
        ("20260804153001", True),
        ("20260805", False),
        ("20260804173001", False),
        ("2027", False),
        ("18991231", False),
        ("19000101", True),
    ],
)
def test_nothing_later_than_a_day_after_receipt_or_before_1900_is_believed(sent, is_believed):
    segments = (MSH, PID, ORC, field_of(OBR, 7, sent), OBX)
    received = datetime.combine(date(2026, 8, 3), time(15, 30), UTC)
    if is_believed:
        assert converted(*segments, received_at=received).groups
        return
    with pytest.raises(Refused, match="date-bad"):
        converted(*segments, received_at=received)


def test_a_doubtful_hour_is_flagged_at_its_field():
    conversion = converted(MSH, PID, ORC, field_of(OBR, 7, "202510260130"), OBX)
    assert Flag("time-ambiguous", "OBR[1].7") in conversion.flags
    report = conversion.groups[0].report.tree
    assert report["effectiveDateTime"] == "2025-10-26T01:30:00+01:00"


def test_the_clock_on_the_senders_wall_is_the_feeds_agreement():
    conversion = converted(MSH, PID, ORC, OBR, OBX, dialect=Dialect(zone=ZoneInfo("Europe/Dublin")))
    assert conversion.groups[0].report.tree["effectiveDateTime"] == "2026-08-03T10:00:00+01:00"
