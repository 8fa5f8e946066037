"""Orders: what a patient may see of a test that is under way, before there is a result."""

import pytest

from tests.adapters.intake.ward import ALAN, BRIAN, Tree, Ward

# What is tested here is the rules; that both engines file alike is tested with results.
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

T1, T2, T3 = "20261124050000", "20261124060000", "20261124070000"
SPM = "SPM|1|^S1||BLD^Blood^HL70487|||||||||||||20261124040000|20261124045500"
PSA = "2857-1^PSA^LN"


def oml(
    control: str = "NW",
    *,
    control_id: str = "O1",
    sent: str = T1,
    status: str = "",
    placer: str = "ORD1",
    filler: str = "",
    test: str = PSA,
    label: str = "",
    kind: str = "OML^O21",
    nhs_number: str = ALAN,
    more: tuple[str, ...] = (),
) -> str:
    born, name = ("19550301", "Example^Alan") if nhs_number == ALAN else ("19600101", "Other^Bo")
    return "\r".join(
        [
            f"MSH|^~\\&|EPR|RXX|PORTAL|CMCA|{sent}||{kind}|{control_id}|P|2.5.1",
            f"PID|1||{nhs_number}^^^NHS^NH||{name}||{born}|M",
            f"ORC|{control}|{placer}|{filler}||{status}||||{sent}|||G1^Okafor^Ngozi^^^Dr^^^GMC"
            + 16 * "|"
            + label,
            f"OBR|1|{placer}|{filler}|{test}|||20261124040000||||||?metastases|||||||||||CH|||||||R79",
            "NTE|1||suspected relapse",
            *more,
        ]
    )


def asked(trees: list[Tree]) -> list[tuple[str, list[str]]]:
    """Status and numbers of requests."""
    found = [(one["status"], sorted(num["value"] for num in one["identifier"])) for one in trees]
    return sorted(found)


def seen(ward: Ward) -> list[tuple[str, list[str]]]:
    return asked(ward.seen("ServiceRequest"))


@pytest.mark.parametrize("kind", ["OML^O21", "OML^O21^OML_O21", "ORM^O01"])
def test_an_order_is_the_patient_s_to_see_without_what_is_suspected(ward: Ward, kind: str) -> None:
    assert (
        ward.send(oml(kind=kind, more=("DG1|1||C61", "OBX|1|ST|Q^Why^L||cancer||||||F"))).code
        == "AA"
    )
    (request,) = ward.seen("ServiceRequest")
    (told,) = ward.seen("Provenance")
    everything = str((request, told, ward.seen("Specimen")))
    for hint in ("metastases", "relapse", "C61", "cancer", "R79"):
        assert hint not in everything
    assert request["status"] == "active"
    assert request["authoredOn"] == "2026-11-24T05:00:00+00:00"
    assert told["target"] == [{"reference": f"ServiceRequest/{request['id']}"}]
    assert ward.seen("DiagnosticReport") == ward.seen() == []


def test_the_laboratory_s_number_and_specimen_join_the_same_order(ward: Ward) -> None:
    ward.send(oml())
    ward.send(oml("OK", control_id="O2", sent=T2, filler="LAB1", status="IP", more=(SPM,)))
    (request,) = ward.seen("ServiceRequest")
    assert asked([request]) == [("active", ["LAB1", "ORD1"])]
    assert request["authoredOn"] == "2026-11-24T05:00:00+00:00"
    assert request["meta"]["tag"][0]["code"] == "IP"
    (specimen,) = ward.seen("Specimen")
    assert specimen["receivedTime"] == "2026-11-24T04:55:00+00:00"
    assert request["specimen"] == [{"reference": f"Specimen/{specimen['id']}"}]


@pytest.mark.parametrize("filler", ["", "LAB1"])
def test_the_result_answers_the_order(ward: Ward, filler: str) -> None:
    ward.send(oml(filler=filler))
    (before,) = ward.seen("ServiceRequest")
    ward.psa(control_id="A")
    (request,) = ward.seen("ServiceRequest")
    (report,) = ward.seen("DiagnosticReport")
    assert request["id"] == before["id"]
    assert asked([request]) == [("completed", ["LAB1", "ORD1"])]
    assert request["authoredOn"] == "2026-11-24T05:00:00+00:00"
    assert report["basedOn"] == [{"reference": f"ServiceRequest/{request['id']}"}]


def test_an_order_that_comes_after_its_result_does_not_open_it_again(ward: Ward) -> None:
    ward.psa(control_id="A")
    before = ward.seen("ServiceRequest")
    assert ward.send(oml(control_id="O2", filler="LAB1", sent=T2)).code == "AA"
    assert ward.seen("ServiceRequest") == before
    assert ward.flags("O2") == ["order-answered ORC.1"]
    ward.send(oml("SC", control_id="O3", filler="LAB1", status="CM", sent=T3))
    assert ward.flags("O3") == []


def test_a_held_result_leaves_the_order_as_the_patient_knows_it(ward: Ward) -> None:
    ward.send(oml())
    before = ward.seen("ServiceRequest")
    ward.psa(control_id="A", section="SP", issued=T2)
    assert (ward.seen("ServiceRequest"), ward.seen("DiagnosticReport")) == (before, [])
    (request,) = before
    assert len(ward.versions(ward.as_patient(), request)) == 1
    (report,) = ward.known("DiagnosticReport")
    assert report["basedOn"] == [{"reference": f"ServiceRequest/{request['id']}"}]


def test_an_order_does_not_open_what_waits_with_its_result(ward: Ward) -> None:
    ward.psa(control_id="A", section="SP", status="P", issued=T1)
    assert ward.send(oml("SC", control_id="O2", filler="LAB1", status="IP", sent=T2)).code == "AA"
    assert ward.seen("ServiceRequest") == []


@pytest.mark.parametrize(
    ("control", "status", "becomes"),
    [
        ("CA", "", "revoked"),
        ("DC", "", "revoked"),
        ("HR", "", "on-hold"),
        ("SC", "CA", "revoked"),
        ("SC", "HD", "on-hold"),
        ("SC", "CM", "completed"),
        ("SC", "ER", "entered-in-error"),
        ("XO", "", "active"),
        ("SN", "", "active"),
    ],
)
def test_a_later_message_says_how_it_stands(
    ward: Ward, control: str, status: str, becomes: str
) -> None:
    ward.send(oml())
    ward.send(oml(control, control_id="O2", sent=T2, status=status))
    assert seen(ward) == [(becomes, ["ORD1"])]


def test_what_says_nothing_of_a_new_order_is_unknown(ward: Ward) -> None:
    ward.send(oml("SN"))
    assert seen(ward) == [("unknown", ["ORD1"])]


def test_an_older_message_is_not_applied(ward: Ward) -> None:
    ward.send(oml("CA", control_id="O2", sent=T2))
    assert ward.send(oml(sent=T1)).code == "AA"
    assert seen(ward) == [("revoked", ["ORD1"])]
    assert ward.flags("O1") == ["version-older MSH.7"]


def test_the_same_order_again_changes_nothing(ward: Ward) -> None:
    ward.send(oml())
    before = ward.seen("ServiceRequest")
    ward.send(oml())
    ward.send(oml(control_id="O2"))
    assert ward.seen("ServiceRequest") == before


def test_tests_of_one_order_are_requests_of_their_own(ward: Ward) -> None:
    second = ("ORC|NW|ORD2", "OBR|2|ORD2||CEA^CEA^L")
    ward.send(oml(more=second))
    assert seen(ward) == [("active", ["ORD1"]), ("active", ["ORD2"])]


def test_an_order_with_a_label_waits_for_a_clinician(ward: Ward) -> None:
    assert ward.send(oml(label="R", more=(SPM,))).code == "AA"
    for kind in ("ServiceRequest", "Specimen", "Provenance"):
        assert ward.seen(kind) == []
    assert asked(ward.known("ServiceRequest")) == [("active", ["ORD1"])]


@pytest.mark.parametrize(
    ("other", "address"),
    [({"placer": "ORD1"}, "OBR.2"), ({"placer": "ORD9", "filler": "LAB1"}, "OBR.3")],
)
def test_an_order_number_of_another_patient_waits_for_a_person(
    ward: Ward, other: dict[str, str], address: str
) -> None:
    ward.send(oml(filler="LAB1"))
    answer = ward.send(oml(control_id="O2", nhs_number=BRIAN, **other))
    assert (answer.code, answer.hl7, answer.name) == ("AE", "205", "order-other-patient")
    assert ward.fate("O2") == ("quarantined", "order-other-patient", address)
    assert ward.seen("ServiceRequest", BRIAN) == []
