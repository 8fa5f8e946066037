"""Two records become one and two again: nothing moves, nothing is lost, nobody else sees more."""

from typing import Any

import pytest
from sqlalchemy import select

from fhir_server.access import Access, Agent, CaredFor, Interaction, OwnRecord, WholeStore
from fhir_server.audit.subtypes import SUBTYPES
from fhir_server.errors import Conflict, NotFound
from fhir_server.linking import Parted, join, part, whole
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.notices import notices
from fhir_server.record import Notice, Record, Stored, Writer
from fhir_server.search.audit_query import parse_audit
from fhir_server.search.query import parse
from fhir_server.searching import search
from fhir_server.store.tables import care_relationship, patient_link

Tree = dict[str, Any]
SEED = Access(Agent("feed", user="feed:pas"), "seed", WholeStore(), {})
ALL = dict.fromkeys(
    ("Patient", "Observation", "CareTeam", "DiagnosticReport", "AuditEvent"), frozenset(Interaction)
)


class House:
    """A record with patients in it, and everybody's view of them."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def write(self, piece: Any) -> Any:
        return self.record.submit(SEED, piece).result(30)

    def put(self, tree: Tree, patient: str, id_: str = "", *, held: bool = False) -> str:
        id_ = id_ or new_id(bucket_of(patient))

        def piece(writer: Writer) -> None:
            opens = None if held else writer.now
            writer.file(tree, id_=id_, patient=patient, release_at=opens)

        self.write(piece)
        return id_

    def person(self, number: str) -> str:
        patient = new_id()
        tree = {"resourceType": "Patient", "identifier": [{"system": "urn:pas", "value": number}]}
        self.put(tree, patient, patient)
        return patient

    def result(self, patient: str, value: str, *, held: bool = False) -> str:
        tree = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "PSA"},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": f"2026-11-{value}",
            "valueString": value,
        }
        return self.put(tree, patient, held=held)

    def team(self, patient: str, practitioner: str) -> str:
        tree = {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": f"Patient/{patient}"},
            "participant": [{"member": {"reference": f"Practitioner/{practitioner}"}}],
        }
        return self.put(tree, patient)

    def join(self, retired: str, survivor: str) -> tuple[Stored, ...]:
        made: tuple[Stored, ...] = self.write(lambda writer: join(writer, retired, survivor, "A40"))
        return made

    def part(self, retired: str) -> Parted:
        parted: Parted = self.write(lambda writer: part(writer, retired, "A37"))
        return parted

    def whole(self, patient: str) -> tuple[str, ...]:
        ids: tuple[str, ...] = self.write(lambda writer: whole(writer, patient))
        return ids

    def tree(self, kind: str, id_: str) -> Tree:
        stored = self.write(lambda writer: writer.current(kind, id_))
        tree: Tree = json.decode(stored.body)
        return tree

    def values(self, access: Access, *pairs: tuple[str, str]) -> list[str]:
        query = parse("Observation", [*pairs, ("_sort", "date"), ("_count", "1")], "http://x/fhir")
        found: list[str] = []
        while True:
            page = search(self.record, access, query, "").result(30)
            found += [json.decode(one.body)["valueString"] for one in page.matches]
            if not page.next:
                return found
            asked = [*query.pairs, ("_page", page.next)]
            query = parse("Observation", asked, "http://x/fhir")

    def sees(self, access: Access, kind: str, id_: str) -> bool:
        try:
            self.record.read(access, kind, id_).result(30)
        except NotFound:
            return False
        return True


@pytest.fixture
def house(record: Record) -> House:
    return House(record)


def as_patient(patient: str) -> Access:
    agent = Agent("patient", user=f"Patient/{patient}")
    return Access(agent, "own", OwnRecord((patient,)), ALL)


def as_nurse(practitioner: str) -> Access:
    agent = Agent("clinician", user=f"Practitioner/{practitioner}")
    return Access(agent, "nurse", CaredFor(practitioner), ALL, bound_by_release=False)


def test_a_joined_record_is_one_list_for_the_patient_and_for_who_cares_for_them(
    house: House,
) -> None:
    old, own, other = house.person("1"), house.person("2"), house.person("3")
    earlier, hidden = house.result(old, "01"), house.result(old, "05", held=True)
    house.result(own, "02")
    house.result(other, "03")
    nurse, ward, stranger = new_id(), new_id(), new_id()
    house.team(own, nurse)
    house.team(old, ward)
    house.team(other, stranger)
    written = house.join(old, own)
    assert {one.reference for one in written} >= {f"Patient/{old}", f"Patient/{own}"}
    for access in (as_patient(own), as_patient(old)):
        assert house.values(access) == ["01", "02"]
        for named in (own, old):
            assert house.values(access, ("patient", named)) == ["01", "02"]
        assert house.values(access, ("patient", other)) == []
        assert house.sees(access, "Observation", earlier)
        assert not house.sees(access, "Observation", hidden)
    for access in map(as_nurse, (nurse, ward)):
        assert house.values(access) == ["01", "02", "05"]
        assert house.values(access, ("patient", own), ("status", "final")) == ["01", "02", "05"]
    assert house.values(as_nurse(stranger)) == house.values(as_patient(other)) == ["03"]


def test_nothing_moves_and_each_version_is_kept(house: House) -> None:
    old, own = house.person("1"), house.person("2")
    id_ = house.result(old, "01")
    house.join(old, own)
    stored = house.write(lambda writer: writer.current("Observation", id_))
    assert (stored.patient, stored.version) == (old, 2)
    assert json.decode(stored.body)["subject"] == {"reference": f"Patient/{own}"}
    access = as_patient(own)
    history = house.record.history(access, "Observation", id_).result(30)
    subjects = [json.decode(one.body)["subject"]["reference"] for one in history]
    assert subjects == [f"Patient/{own}", f"Patient/{old}"]
    first = house.record.vread(access, "Observation", id_, 1).result(30)
    assert json.decode(first.body)["subject"]["reference"] == f"Patient/{old}"
    retired, survivor = house.tree("Patient", old), house.tree("Patient", own)
    assert (retired["active"], retired["link"]) == (
        *(False, [{"other": {"reference": f"Patient/{own}"}, "type": "replaced-by"}]),
    )
    assert survivor["link"] == [{"other": {"reference": f"Patient/{old}"}, "type": "replaces"}]
    assert [(one["value"], one.get("use")) for one in survivor["identifier"]] == [
        *(("2", None), ("1", "old"))
    ]


def test_parting_makes_two_records_again(house: House) -> None:
    old, own = house.person("1"), house.person("2")
    house.result(old, "01")
    house.result(own, "02")
    nurse, ward = new_id(), new_id()
    house.team(own, nurse)
    house.team(old, ward)
    before = {one: house.tree("Patient", one) for one in (old, own)}
    house.join(old, own)
    parted = house.part(old)
    assert parted.filed_meanwhile == ()
    for one in (old, own):
        tree = house.tree("Patient", one)
        assert (tree.get("link"), tree["identifier"]) == (None, before[one]["identifier"])
    assert house.tree("Patient", old)["active"]
    assert house.values(as_patient(own)) == house.values(as_nurse(nurse)) == ["02"]
    assert house.values(as_patient(old)) == house.values(as_nurse(ward)) == ["01"]
    assert house.record.select(select(patient_link)) == []
    rows = house.record.select(select(care_relationship.c.patient, care_relationship.c.team))
    assert len(rows) == 2
    with pytest.raises(Conflict):
        house.part(old)


def test_chains_end_at_the_last_and_come_apart_link_by_link(house: House) -> None:
    a, b, c = (house.person(number) for number in "123")
    for patient, value in ((a, "01"), (b, "02"), (c, "03")):
        house.result(patient, value)
    house.join(a, b)
    house.join(b, c)
    assert house.whole(a)[0] == house.whole(b)[0] == c
    assert house.values(as_patient(c)) == house.values(as_patient(a)) == ["01", "02", "03"]
    assert [one["value"] for one in house.tree("Patient", c)["identifier"]] == ["3", "2", "1"]
    with pytest.raises(Conflict):
        house.join(c, a)
    house.part(b)
    assert house.values(as_patient(c)) == ["03"]
    assert house.values(as_patient(a)) == house.values(as_patient(b)) == ["01", "02"]
    assert [one["value"] for one in house.tree("Patient", c)["identifier"]] == ["3"]
    assert house.whole(a) == (b, a)
    house.part(a)
    assert [house.values(as_patient(one)) for one in (a, b, c)] == [["01"], ["02"], ["03"]]


def test_a_team_that_comes_later_cares_for_the_whole_record(house: House) -> None:
    old, own = house.person("1"), house.person("2")
    house.result(old, "01")
    house.join(old, own)
    nurse = new_id()
    team = house.team(own, nurse)
    assert house.values(as_nurse(nurse)) == ["01"]
    house.put(house.tree("CareTeam", team) | {"status": "inactive"}, own, team)
    assert house.values(as_nurse(nurse)) == []


def test_what_came_while_they_were_one_is_told_when_they_part(house: House) -> None:
    old, own = house.person("1"), house.person("2")
    house.join(old, own)
    tree = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "PSA"},
        "subject": {"reference": f"Patient/{own}"},
    }
    report = house.put(tree, own)
    assert house.part(old).filed_meanwhile == (f"DiagnosticReport/{report}",)


def test_notices_and_the_log_are_those_of_the_whole_record(house: House) -> None:
    old, own = house.person("1"), house.person("2")
    tree = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "PSA"},
        "subject": {"reference": f"Patient/{old}"},
    }
    report = house.put(tree, old, held=True)
    seen = house.result(old, "01")
    house.write(
        lambda writer: writer.notice(Notice(old, report, "PSA", "contact-first", None, "us"))
    )
    nurse = new_id()
    house.team(old, nurse)
    house.sees(as_nurse(nurse), "Observation", seen)
    house.join(old, own)
    access = as_patient(own)
    assert [one.report for one in notices(house.record, access, own).result(30)] == [report]
    house.sees(access, "Observation", seen)
    for named in ((), (("patient", own),), (("patient", old),)):
        query = parse_audit([*named, ("subtype", "read")], "http://x/fhir", SUBTYPES)
        entries = search(house.record, access, query, "").result(30).matches
        agents = {json.decode(one.body)["agent"][0]["who"]["reference"] for one in entries}
        assert agents == {f"Patient/{own}", f"Practitioner/{nurse}"}
        assert all(house.sees(access, "AuditEvent", one.id) for one in entries)
    stranger = as_patient(house.person("3"))
    assert not any(house.sees(stranger, "AuditEvent", one.id) for one in entries)
