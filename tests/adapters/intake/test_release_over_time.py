"""When a patient sees a result: held with a notice, opened, and kept as it was when sent again."""

from dataclasses import replace

import pytest

from adapters.intake import code_maps, contact_first
from adapters.intake.feeds import LOOPBACK
from adapters.intake.tables import unmapped_code
from fhir_server.errors import Unprocessable
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.notices import notices
from fhir_server.record import Writer
from tests.adapters.intake.ward import OPERATOR, Ward

T1, T2 = "20261124050000", "20261124060000"


def test_a_result_sent_again_unchanged_keeps_its_place(ward: Ward) -> None:
    ward.psa(control_id="A")
    (seen,) = ward.seen()
    assert ward.psa(control_id="B").code == "AA"
    assert ward.seen() == [seen]


def test_what_a_clinician_opened_stays_open_when_it_is_sent_again(ward: Ward) -> None:
    ward.psa(control_id="A", section="SP")
    assert ward.seen() == []
    for tree in (*ward.known("DiagnosticReport"), *ward.known()):
        ward.change(tree)
    assert len(ward.seen()) == 1
    ward.psa(control_id="B", section="SP")
    assert len(ward.seen()) == 1
    ward.psa(control_id="C", section="SP", status="C", value="8", issued="20261124093000")
    assert (ward.seen(), ward.seen("DiagnosticReport")) == ([], [])


def test_what_a_clinician_held_back_is_not_opened_by_being_sent_again(ward: Ward) -> None:
    ward.psa(control_id="A")
    for tree in (*ward.known("DiagnosticReport"), *ward.known()):
        ward.change(tree, held=True)
    assert ward.seen() == ward.seen("DiagnosticReport") == []
    ward.psa(control_id="B")
    assert ward.seen() == ward.seen("DiagnosticReport") == []


def notices_of(ward: Ward) -> list[tuple[str, str]]:
    found = notices(ward.record, ward.as_patient(), ward.patient()).result(timeout=30)
    return [(one.title, one.category) for one in found]


def test_a_notice_comes_with_the_hold_and_goes_with_it(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", issued=T1)
    assert notices_of(ward) == [("PSA", "preliminary")]
    ward.psa(control_id="B", issued=T2)
    assert notices_of(ward) == []


def test_what_was_taken_back_leaves_no_notice(ward: Ward) -> None:
    ward.psa(control_id="A", status="P", issued=T1)
    ward.psa(control_id="B", status="C", obx_status="W", issued=T2)
    assert notices_of(ward) == []


def mark(ward: Ward, code: str) -> None:
    def piece(writer: Writer) -> None:
        contact_first.mark(writer, ward.patient(), [code])

    buckets = [bucket_of(ward.patient())]
    ward.record.submit(OPERATOR, piece, buckets=buckets).result(timeout=30)


def map_code(ward: Ward, code: str, loinc: str) -> None:
    (row,) = ward.record.select(code_maps.systems_of("loopback", code))
    target = {"system": "http://loinc.org", "code": loinc, "display": ""}

    def piece(writer: Writer) -> None:
        code_maps.set_meaning(writer, "loopback", (row.system, code), target)

    ward.record.submit(OPERATOR, piece).result(timeout=30)


def test_a_code_is_held_until_it_has_a_meaning_which_then_stands_beside_it(ward: Ward) -> None:
    ward.psa(control_id="A", code="HE4X^HE4^L", issued=T1)
    assert (ward.seen(), notices_of(ward)) == ([], [("HE4", "unmapped")])
    map_code(ward, "HE4X", "55180-4")
    assert ward.record.select(unmapped_code.select()) == []
    ward.psa(control_id="B", filler="LAB2", code="HE4X^HE4^L", issued=T2)
    (seen,) = ward.seen()
    assert [one["code"] for one in seen["code"]["coding"]] == ["HE4X", "55180-4"]
    assert json.encode(seen["code"]["coding"][1]) == (
        b'{"system":"http://loinc.org","code":"55180-4"}'
    )


@pytest.mark.parametrize("code", ["HE4X", "55180-4"])
def test_a_test_to_be_told_in_person_waits_under_either_of_its_codes(ward: Ward, code: str) -> None:
    ward.psa(control_id="A", code="HE4X^HE4^L", issued=T1)
    map_code(ward, "HE4X", "55180-4")
    mark(ward, code)
    ward.psa(control_id="B", filler="LAB2", code="HE4X^HE4^L", issued=T2)
    assert (ward.seen(), len(ward.known())) == ([], 2)
    assert ("HE4", "contact-first") in notices_of(ward)


def test_a_directory_entry_grows_and_is_never_cut(ward: Ward) -> None:
    def doctor(control_id: str, named: str) -> None:
        text = ward.message(control_id=control_id, filler=control_id)
        order = f"ORC|RE|ORD1|{control_id}"
        sent = text.replace(order, f"{order}{'|' * 9}{named}", 1)
        assert ward.send(sent).code == "AA"

    doctor("A", "C1234567^^^^^^^^GMC")
    doctor("B", "C1234567^Smith^Jo^^^^^^GMC")
    doctor("C", "C1234567^Other^Name^^^^^^GMC")
    doctor("D", "C1234567^^^^^^^^GMC")
    (practitioner,) = ward.found(ward.as_clinician(), "Practitioner")
    assert practitioner["name"][0]["family"] == "Smith"
    assert practitioner["meta"]["versionId"] == "2"


@pytest.mark.parametrize(
    "target",
    [
        {"system": "urn:example:mine", "code": "1"},
        {"system": "http://loinc.org", "code": ""},
        {"system": "", "code": "2857-1"},
    ],
)
def test_a_meaning_that_nobody_else_knows_is_none(ward: Ward, target: dict[str, str]) -> None:
    def piece(writer: Writer) -> None:
        code_maps.set_meaning(writer, "loopback", ("", "HE4X"), target)

    with pytest.raises(Unprocessable):
        ward.record.submit(OPERATOR, piece).result(timeout=30)


def test_a_code_map_belongs_to_its_feed(ward: Ward) -> None:
    other = replace(LOOPBACK, name="other")
    ward.psa(control_id="A", code="HE4X^HE4^L", issued=T1)
    map_code(ward, "HE4X", "55180-4")
    ward.psa(other, control_id="B", filler="LAB2", code="HE4X^HE4^L", issued=T2)
    assert ward.seen() == []
    (row,) = ward.record.select(unmapped_code.select())
    assert (row.feed, row.code, row.display, row.unit, row.count) == (
        *("other", "HE4X", "HE4", "ug/L", 1),
    )
