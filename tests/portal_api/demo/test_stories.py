"""The stories as they are told: what each user sees of them, on both engines, in their order.

The tests of one story follow it: first as the demonstration begins, then after each step.
"""

from base64 import b64decode
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from adapters.intake.tables import inbox, unmapped_code
from fhir_server.clock import from_micros, micros
from fhir_server.errors import NotFound
from portal_api.demo.clinic import LETTER
from portal_api.demo.hospitals import HOSPITALS
from portal_api.demo.stories import HISTOLOGY
from tests.portal_api.demo.conftest import Told

PSA, CEA, CA125, NEUTROPHILS = "2857-1", "2039-6", "10334-1", "751-8"

PASTS = [
    ("alan", "nadia", PSA, ["6.8", "7.1", "6.7", "6.9", "7.0"]),
    ("brian", "nadia", PSA, ["9.4", "<0.01", "<0.01", "<0.01", "0.04", "0.09"]),
    ("colin", "nadia", PSA, ["14.2", "0.08", "0.31", "0.6", "1.1", "1.7"]),
    ("graham", "fiona", CEA, ["18.4", "2.1", "3.4", "2.2", "2.4", "27.0"]),
    ("graham", "fiona", NEUTROPHILS, ["4.6", "2.4", "1.3", "2.2", "4.0"]),
    ("irene", "grace", CA125, ["642", "118", "74", "22", "11"]),
    ("john", "nadia", PSA, ["3.1", "3.3", "3.2"]),
    ("keith", "nadia", PSA, ["1.9"]),
]


def tell(told: Told, name: str, place: int) -> str:
    story = told.cast.story(name)
    assert story is not None
    return told.send(story.steps[place](told.record.clock()))


@pytest.mark.parametrize(("name", "clinician", "code", "values"), PASTS)
def test_the_past_is_there_with_every_digit_for_team_and_patient(
    begun: Told, name: str, clinician: str, code: str, values: list[str]
) -> None:
    assert begun.values(begun.as_clinician(clinician), name, code)[: len(values)] == values
    assert begun.values(begun.as_patient(name), name, code)[: len(values)] == values


@pytest.mark.parametrize("name", ["alan", "brian", "colin", "graham", "irene", "john", "keith"])
def test_history_leaves_no_notice(begun: Told, name: str) -> None:
    assert begun.notices(name) == []


def test_alan_has_a_letter_an_appointment_and_a_test_under_way(begun: Told) -> None:
    alan, own = ("patient", begun.patient("alan")), begun.as_patient("alan")
    (letter,) = begun.found(own, "DocumentReference", alan)
    (content,) = letter["content"]
    assert b64decode(content["attachment"]["data"]).decode() == "\n".join(LETTER)
    assert (letter["docStatus"], letter["author"][0]["display"]) == ("final", "Mr Owen Price")
    (note,) = begun.found(own, "Communication", alan)
    assert note["about"] == [{"reference": f"DocumentReference/{letter['id']}"}]
    (visit,) = begun.found(own, "Appointment", alan)
    assert visit["status"] == "booked"
    starts = datetime.fromisoformat(visit["start"])
    assert starts - begun.record.clock() > timedelta(days=13)
    assert starts.weekday() < 5
    assert visit["patientInstruction"] == "Please bring a list of your medicines."
    (request,) = begun.found(own, "ServiceRequest", alan, ("status", "active"))
    samples = {one["id"]: one for one in begun.found(own, "Specimen", alan)}
    (sample,) = [samples[one["reference"].partition("/")[2]] for one in request["specimen"]]
    assert sample["type"]["coding"][0]["code"] == "BLD"
    assert "receivedTime" in sample


def test_alan_sees_the_final_result_the_same_day_and_nothing_before(begun: Told) -> None:
    before = ["6.8", "7.1", "6.7", "6.9", "7.0"]
    assert tell(begun, "alan", 0) == "AA"
    assert begun.values(begun.as_clinician("nadia"), "alan", PSA) == [*before, "7.3"]
    assert begun.values(begun.as_patient("alan"), "alan", PSA) == before
    assert tell(begun, "alan", 1) == "AA"
    assert begun.values(begun.as_patient("alan"), "alan", PSA) == [*before, "7.3"]
    found = begun.found(begun.as_patient("alan"), "Observation", ("patient", begun.patient("alan")))
    (newest,) = [one for one in found if str(one["valueQuantity"]["value"]) == "7.3"]
    assert (newest["meta"]["versionId"], newest["status"]) == ("2", "final")
    alan = ("patient", begun.patient("alan"))
    requests = begun.found(begun.as_patient("alan"), "ServiceRequest", alan)
    assert [one["status"] for one in requests].count("active") == 0
    assert newest["interpretation"][0]["coding"][0]["code"] == "H"


@pytest.mark.parametrize(("name", "value", "flag"), [("brian", "0.21", "N"), ("colin", "2.6", "N")])
def test_a_psa_to_be_told_in_person_waits_and_says_whom_to_ring(
    begun: Told, name: str, value: str, flag: str
) -> None:
    before = begun.values(begun.as_patient(name), name, PSA)
    assert tell(begun, name, 0) == "AA"
    assert begun.values(begun.as_patient(name), name, PSA) == before
    assert begun.values(begun.as_clinician("nadia"), name, PSA) == [*before, value]
    found = begun.found(
        begun.as_clinician("nadia"), "Observation", ("patient", begun.patient(name))
    )
    (newest,) = [one for one in found if str(one["valueQuantity"]["value"]) == value]
    assert newest["interpretation"][0]["coding"][0]["code"] == flag
    (notice,) = begun.notices(name)
    hospital = HOSPITALS[begun.cast.person(name).hospital]
    assert notice.category == "contact-first"
    assert notice.contact == f"the {hospital.name} cancer helpline on {hospital.phone}"


def test_helens_biopsy_waits_with_its_date_and_its_columns_stay(begun: Told) -> None:
    (notice,) = begun.notices("helen")
    now = begun.record.clock()
    assert (notice.title, notice.category) == ("Histology", "histology")
    assert notice.opens is not None
    assert micros(now + timedelta(days=10)) < notice.opens < micros(now + timedelta(days=14))
    mine = begun.found(
        begun.as_patient("helen"), "DiagnosticReport", ("patient", begun.patient("helen"))
    )
    assert [one["code"]["coding"][0]["code"] for one in mine] == ["FBC"]
    found = begun.found(
        begun.as_clinician("fiona"), "Observation", ("patient", begun.patient("helen"))
    )
    (text,) = [one["valueString"] for one in found if "valueString" in one]
    assert text == "\n".join(HISTOLOGY)


def test_helen_is_refused_the_report_until_then(begun: Told) -> None:
    with pytest.raises(NotFound):
        begun.record.read(
            begun.as_patient("helen"), "DiagnosticReport", begun.notices("helen")[0].report
        ).result(timeout=30)


def test_grahams_wrong_result_is_corrected_in_its_second_version(begun: Told) -> None:
    assert begun.values(begun.as_patient("graham"), "graham", CEA)[-1] == "27.0"
    assert tell(begun, "graham", 0) == "AA"
    assert begun.values(begun.as_patient("graham"), "graham", CEA)[-1] == "2.7"
    found = begun.found(
        begun.as_patient("graham"),
        "Observation",
        ("patient", begun.patient("graham")),
        ("code", CEA),
    )
    (newest,) = [one for one in found if one["status"] == "corrected"]
    assert newest["meta"]["versionId"] == "2"
    stored = begun.record.vread(begun.as_clinician("fiona"), "Observation", newest["id"], 1)
    assert b"27.0" in stored.result(timeout=30).body


def test_grahams_scan_came_as_a_document(begun: Told) -> None:
    found = begun.found(
        begun.as_patient("graham"), "DiagnosticReport", ("patient", begun.patient("graham"))
    )
    documents = [one["presentedForm"][0]["contentType"] for one in found if "presentedForm" in one]
    assert documents == ["application/pdf"]


def test_irene_sees_her_neutrophils_and_not_the_test_that_nobody_has_mapped(begun: Told) -> None:
    assert tell(begun, "irene", 0) == "AA"
    assert begun.values(begun.as_patient("irene"), "irene", NEUTROPHILS)[-1] == "0.4"
    assert tell(begun, "irene", 1) == "AA"
    rows = begun.record.select(select(unmapped_code.c.feed, unmapped_code.c.code))
    assert [tuple(row) for row in rows] == [("tidewater", "HE4X")]
    code = ("code", "HE4X")
    hers = ("patient", begun.patient("irene"))
    assert begun.found(begun.as_patient("irene"), "Observation", hers, code) == []
    (seen,) = begun.found(begun.as_clinician("grace"), "Observation", hers, code)
    assert str(seen["valueQuantity"]["value"]) == "61"
    (notice,) = begun.notices("irene")
    assert notice.category == "unmapped"


def test_johns_number_with_another_birth_date_waits_for_a_person(begun: Told) -> None:
    rows = begun.record.select(
        select(inbox.c.control_id, inbox.c.fate, inbox.c.code, inbox.c.address).where(
            inbox.c.fate != "filed"
        )
    )
    assert [tuple(row) for row in rows] == [
        ("N40777-OTHER", "quarantined", "identity-conflict", "PID.7")
    ]
    assert begun.values(begun.as_clinician("nadia"), "john", PSA) == ["3.1", "3.3", "3.2"]


def test_tessa_of_another_team_does_not_get_johns_record(begun: Told) -> None:
    with pytest.raises(NotFound):
        begun.record.read(begun.as_clinician("tessa"), "Patient", begun.patient("john")).result(
            timeout=30
        )


def test_keiths_next_test_is_overdue(begun: Told) -> None:
    (only,) = begun.found(
        begun.as_clinician("nadia"), "Observation", ("patient", begun.patient("keith"))
    )
    taken = datetime.fromisoformat(only["effectiveDateTime"])
    assert begun.record.clock() - taken > timedelta(days=230)
    assert from_micros(0) < taken
