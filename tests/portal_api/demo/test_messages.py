"""Three hospitals, three dialects: each message is what its hospital sends, and converts whole."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from adapters.hl7v2 import er7, kinds
from adapters.hl7v2.conversion import Conversion
from adapters.hl7v2.oru_to_resources import convert
from fhir_server.model.identifiers import NhsNumber
from portal_api.demo.assays import ASSAYS, PROFILES, Measured
from portal_api.demo.cast import cast
from portal_api.demo.crowd import SIZE, crowd
from portal_api.demo.hospitals import HOSPITALS, code_map, feeds
from portal_api.demo.messages import oru
from portal_api.demo.orders import Order, Person
from portal_api.demo.pdf import pdf


def order(hospital: str, now: datetime, **more: object) -> Order:
    person = Person(
        number="9990000018",
        family="Légaré" if HOSPITALS[hospital].charset else "Example",
        given="Alan",
        born=date(1955, 3, 9),
        sex="M",
        hospital=hospital,
        local_number="L1",
        team="uro",
    )
    given: dict[str, object] = {"results": (Measured(ASSAYS["PSA"], "<0.01"),)} | more
    return Order(
        person=person,
        control_id="C1",
        filler="F1",
        profile=PROFILES["PSA"],
        taken=now - timedelta(hours=3),
        issued=now,
        **given,  # type: ignore[arg-type]
    )


def lines(raw: bytes, codec: str) -> dict[str, list[str]]:
    segments = [line.split("|") for line in raw.decode(codec).split("\r") if line]
    return {fields[0]: fields for fields in segments}


def converted(raw: bytes, hospital: str, now: datetime) -> tuple[Conversion, tuple[str, ...]]:
    dialect = HOSPITALS[hospital].dialect
    message = er7.read(raw, default_charset=dialect.charset)
    return convert(message, dialect, received_at=now), message.flags


def test_mersey_narrows_sends_version_2_3_in_latin_1_with_its_own_number_first(
    now: datetime,
) -> None:
    raw = oru(order("narrows", now))
    sent = lines(raw, "iso8859-1")
    assert b"L\xe9gar\xe9" in raw
    assert (sent["MSH"][8], sent["MSH"][11], sent["MSH"][17]) == ("ORU^R01", "2.3", "8859/1")
    assert sent["PID"][3] == "L1^^^X1A01-PAS^PI~9990000018^^^NHS^NH"
    assert sent["OBX"][2:7] == ["SN", "PSA^Prostate specific antigen^L", "", "<^0.01", "ug/L"]


def test_heron_sands_sends_version_2_4_with_values_as_text(now: datetime) -> None:
    sent = lines(oru(order("herons", now)), "ascii")
    assert (sent["MSH"][8], sent["MSH"][11]) == ("ORU^R01^ORU_R01", "2.4")
    assert sent["OBX"][2:7] == [
        "ST",
        "TPSA^Prostate specific antigen^99HSI",
        "",
        "<0.01",
        "ug/L",
    ]


def test_heron_sands_sends_a_report_line_by_line_and_its_columns_stay(now: datetime) -> None:
    text = ("Specimen     Site", "A            Sigmoid & rectum")
    raw = oru(_report("herons", now, text))
    observation = converted(raw, "herons", now)[0].groups[0].observations[0].tree
    assert raw.count(b"|TX|") == 2
    assert observation["valueString"] == "\n".join(text)


def _report(hospital: str, now: datetime, text: tuple[str, ...], document: bytes = b"") -> Order:
    made = order(hospital, now, results=(), lines=text, document=document)
    return replace(made, profile=PROFILES["CT"])


def test_tidewater_sends_version_2_5_1_with_a_specimen_and_standard_codes(now: datetime) -> None:
    sent = lines(oru(order("tidewater", now)), "utf-8")
    assert sent["MSH"][11] == "2.5.1"
    assert sent["OBR"][4] == "63476009^Prostate specific antigen^SCT"
    assert sent["OBX"][2:6] == ["SN", "2857-1^Prostate specific antigen^LN", "", "<^0.01"]
    assert sent["SPM"][4] == "119364003^Serum specimen^SCT"


def test_tidewater_sends_a_document_that_is_a_pdf(now: datetime) -> None:
    document = pdf(["CT scan", "(clear)"])
    raw = oru(_report("tidewater", now, ("Clear",), document))
    (group,) = converted(raw, "tidewater", now)[0].groups
    (kept,) = group.documents
    assert (kept.content_type, kept.size, kept.hold) == ("application/pdf", len(document), "")


@pytest.mark.parametrize("hospital", HOSPITALS)
def test_every_dialect_keeps_the_comparator_and_the_digits(hospital: str, now: datetime) -> None:
    conversion, flags = converted(oru(order(hospital, now)), hospital, now)
    (observation,) = conversion.groups[0].observations
    quantity = observation.tree["valueQuantity"]
    assert (quantity["comparator"], str(quantity["value"]), quantity["unit"]) == (
        "<",
        "0.01",
        "ug/L",
    )
    assert (flags, conversion.flags) == ((), ())


@pytest.mark.parametrize("hospital", HOSPITALS)
def test_history_and_live_messages_go_to_feeds_of_their_own(hospital: str, now: datetime) -> None:
    live, backload = feeds(HOSPITALS[hospital])
    past = order(hospital, now)
    sent = [lines(oru(one), "iso8859-1")["MSH"] for one in (replace(past, live=True), past)]
    assert [fields[2] for fields in sent] == [
        live.sending_application,
        backload.sending_application,
    ]
    assert (live.backload, backload.backload) == (False, True)


def test_every_message_of_the_demonstration_converts_without_a_fault_or_a_flag(
    now: datetime,
) -> None:
    everybody = cast(now)
    steps = [made(now) for story in everybody.stories for made in story.steps]
    orders = [*everybody.history, *everybody.recent, *steps]
    for one in orders:
        conversion, flags = converted(oru(one), one.person.hospital, now)
        assert (flags, conversion.flags) == ((), ()), one.control_id
        assert conversion.person.nhs_number == NhsNumber.parse(one.person.number)
    for told in everybody.clinic:
        hospital = HOSPITALS[told.person.hospital]
        message = er7.read(told.raw, default_charset=hospital.dialect.charset)
        content = kinds.convert(message, hospital.dialect, received_at=now)
        assert (message.flags, content.flags) == ((), ()), told.control_id
        assert content.person.nhs_number == NhsNumber.parse(told.person.number)
    keys = [(one.person.hospital, one.live, one.control_id) for one in orders]
    assert len(set(keys)) == len(keys)


def test_every_nhs_number_is_valid_and_belongs_to_nobody(now: datetime) -> None:
    numbers = [one.number for one in cast(now).people]
    parsed = [NhsNumber.parse(number) for number in numbers]
    assert all(number is not None and number.is_for_tests for number in parsed)
    assert len(set(numbers)) == len(numbers) == SIZE + 8


def test_two_runs_on_one_day_have_the_same_generated_patients(now: datetime) -> None:
    assert crowd(now) == crowd(now + timedelta(hours=1))


def test_a_code_is_mapped_wherever_a_standard_one_is_agreed_and_he4x_is_not() -> None:
    codes = {code for one in HOSPITALS.values() for (_, code), _ in code_map(one)}
    assert {"PSA", "TPSA", "CEAS", "HIST", "NEUTS"} <= codes
    assert "HE4X" not in codes
