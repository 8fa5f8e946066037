"""Messages: between a patient and a team that cares for them today, plain, and once."""

import pytest

from fhir_server import amend, message_text, messages
from fhir_server.access import Access, Agent, CaredFor, Interaction, NoRecord, OwnRecord, WholeStore
from fhir_server.correspondence import correspondence
from fhir_server.errors import Conflict, Forbidden, NotFound, TooLarge, Unprocessable
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.model.validate import judge
from fhir_server.record import Record
from fhir_server.store.engine import open_engines

ALL = dict.fromkeys(("Communication", "Patient", "CareTeam"), frozenset(Interaction))
FILING = Access(Agent("feed", user="feed:north"), "f", WholeStore(), {}, bound_by_release=False)
SENDING = ("subject", "sender", "recipient")


class Ward:
    """A record with two patients; a team with a nurse for each; and a nurse of neither."""

    def __init__(self, record) -> None:
        self.record = record
        self.nurse, self.other = new_id(), new_id()
        self.alan, self.team = self._patient(self.nurse)
        self.brian, self.brians_team = self._patient(self.other)

    def _patient(self, nurse) -> tuple[str, str]:
        patient = new_id()
        self.file({"resourceType": "Patient"}, patient, patient)
        return patient, self.care(patient, nurse)

    def care(self, patient, nurse, **also) -> str:
        team = new_id(bucket_of(patient))
        tree = {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": f"Patient/{patient}"},
            "participant": [{"member": {"reference": f"Practitioner/{nurse}"}}],
        }
        return self.file(tree | also, team, patient)

    def file(self, tree, id_, patient) -> str:
        def piece(writer):
            writer.file(tree, id_=id_, patient=patient, release_at=writer.now)
            return id_

        return self.record.submit(FILING, piece).result(10)

    def as_patient(self, patient) -> Access:
        return Access(Agent("patient", user=f"Patient/{patient}"), "p", OwnRecord((patient,)), ALL)

    def as_nurse(self, nurse) -> Access:
        agent = Agent("clinician", user=f"Practitioner/{nurse}")
        return Access(agent, "n", CaredFor(nurse), ALL, bound_by_release=False)

    def send(self, access, **also) -> dict:
        tree = {
            "resourceType": "Communication",
            "status": "completed",
            "subject": {"reference": f"Patient/{self.alan}"},
            "topic": {"text": "My next test"},
            "payload": [{"contentString": "Do I need to come in?"}],
        } | also
        stored = amend.create(self.record, access, judge(tree)).result(10)
        return json.decode(stored.body)

    def now(self, id_) -> dict:
        access = self.as_patient(self.alan)
        return json.decode(self.record.read(access, "Communication", id_).result(10).body)


def answer(message) -> dict:
    """The elements of an answer to *message*."""
    return {"inResponseTo": [{"reference": f"Communication/{message['id']}"}]}


@pytest.fixture
def ward(database_url):
    record = Record(open_engines(database_url))
    yield Ward(record)
    record.close()


def test_the_server_sets_sender_time_status_and_the_only_team(ward):
    sent = ward.send(ward.as_patient(ward.alan), sent="1999-01-01T00:00:00Z")
    assert sent["sender"] == {"reference": f"Patient/{ward.alan}"}
    assert sent["recipient"] == [{"reference": f"CareTeam/{ward.team}"}]
    assert sent["status"] == "in-progress"
    assert not sent["sent"].startswith("1999")
    assert sent["payload"] == [{"contentString": "Do I need to come in?"}]
    assert "received" not in sent


def test_an_answer_stays_in_its_conversation_and_ends_the_waiting(ward):
    asked = ward.send(ward.as_patient(ward.alan))
    again = ward.send(ward.as_patient(ward.alan), topic={"text": "Another"}, **answer(asked))
    answered = ward.send(ward.as_nurse(ward.nurse), **answer(again))
    head = [{"reference": f"Communication/{asked['id']}"}]
    assert (again["partOf"], answered["partOf"]) == (head, head)
    assert again["topic"] == answered["topic"] == {"text": "My next test"}
    assert answered["recipient"] == [
        {"reference": f"Patient/{ward.alan}"},
        {"reference": f"CareTeam/{ward.team}"},
    ]
    statuses = [ward.now(one["id"])["status"] for one in (asked, again, answered)]
    assert statuses == ["completed"] * 3


def test_another_question_waits_again(ward):
    asked = ward.send(ward.as_patient(ward.alan))
    ward.send(ward.as_nurse(ward.nurse), **answer(asked))
    assert ward.send(ward.as_patient(ward.alan), **answer(asked))["status"] == "in-progress"


@pytest.mark.parametrize(
    ("also", "expression"),
    [
        ({"sender": {"reference": f"Practitioner/{'1' * 32}"}}, "Communication.sender"),
        (
            {"recipient": [{"reference": f"Practitioner/{'1' * 32}"}]},
            "Communication.recipient[0]",
        ),
        ({"recipient": [{"reference": f"CareTeam/{'1' * 32}"}]}, "Communication.recipient[0]"),
        (
            {"inResponseTo": [{"reference": f"Communication/{'1' * 32}"}]},
            "Communication.inResponseTo[0]",
        ),
        ({"partOf": [{"reference": f"Patient/{'1' * 32}"}]}, "Communication.partOf[0]"),
        (
            {"payload": [{"contentReference": {"reference": f"Binary/{'1' * 32}"}}]},
            "Communication.payload",
        ),
        (
            {"payload": [{"contentAttachment": {"url": "http://169.254.169.254/"}}]},
            "Communication.payload",
        ),
        ({"payload": [{"contentString": "\u200b \u202e"}]}, "Communication.payload[0].content"),
        ({"received": "2026-11-24T10:00:00Z"}, "Communication.received"),
        ({"about": [{"reference": f"Observation/{'1' * 32}"}]}, "Communication.about"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_place(ward, also, expression):
    with pytest.raises(Unprocessable) as refusal:
        ward.send(ward.as_patient(ward.alan), **also)
    assert [one.expression for one in refusal.value.issues] == [expression]


def test_an_answer_to_somebody_elses_message_reads_like_one_to_a_message_that_never_was(ward):
    brians = ward.send(ward.as_patient(ward.brian), subject={"reference": f"Patient/{ward.brian}"})
    refusals = []
    for id_ in (brians["id"], "0" * 32):
        with pytest.raises(Unprocessable) as refusal:
            ward.send(ward.as_patient(ward.alan), **answer({"id": id_}))
        refusals.append(refusal.value.issues)
    assert refusals[0] == refusals[1]


def test_a_patient_writes_in_no_other_record_and_to_no_other_team(ward):
    with pytest.raises(Unprocessable):
        ward.send(ward.as_patient(ward.brian))
    to = [{"reference": f"CareTeam/{ward.brians_team}"}]
    with pytest.raises(Unprocessable):
        ward.send(ward.as_patient(ward.alan), recipient=to)


def test_a_nurse_of_another_team_and_one_whose_care_has_ended_do_not_write(ward):
    with pytest.raises(Unprocessable):
        ward.send(ward.as_nurse(ward.other))
    former = new_id()
    ward.care(ward.alan, former, period={"end": "2020-01-01"})
    with pytest.raises(Unprocessable):
        ward.send(ward.as_nurse(former))


def test_somebody_who_is_neither_patient_nor_team_is_forbidden(ward):
    for reach in (WholeStore(), NoRecord()):
        access = Access(Agent("operator", user="os:x"), "o", reach, ALL)
        with pytest.raises((Forbidden, Unprocessable)):
            ward.send(access)


def test_with_two_teams_the_patient_names_one_and_the_conversation_stays_with_it(ward):
    second = ward.care(ward.alan, ward.nurse)
    with pytest.raises(Unprocessable):
        ward.send(ward.as_patient(ward.alan))
    to = [{"reference": f"CareTeam/{second}"}]
    asked = ward.send(ward.as_patient(ward.alan), recipient=to)
    assert asked["recipient"] == to
    assert ward.send(ward.as_patient(ward.alan), **answer(asked))["recipient"] == to
    elsewhere = [{"reference": f"CareTeam/{ward.team}"}]
    with pytest.raises(Unprocessable):
        ward.send(ward.as_patient(ward.alan), recipient=elsewhere, **answer(asked))


def test_the_same_identifier_sends_one_message(ward):
    draft = {"identifier": [{"system": "urn:draft", "value": "1"}]}
    ward.send(ward.as_patient(ward.alan), **draft)
    with pytest.raises(Conflict):
        ward.send(ward.as_patient(ward.alan), **draft)
    assert ward.send(ward.as_nurse(ward.nurse), **draft)["identifier"] == draft["identifier"]


def act(ward, access, rule, head):
    """Carry out one of the rules on a conversation of Alan's."""
    return ward.record.submit(
        access, lambda writer: rule(writer, correspondence(writer, ward.alan), head)
    ).result(10)


def test_a_message_without_a_topic_has_none(ward):
    assert "topic" not in ward.send(ward.as_patient(ward.alan), topic={"coding": [{"code": "x"}]})


def test_a_receipt_is_given_once_and_by_the_other_side(ward):
    asked = ward.send(ward.as_patient(ward.alan))
    assert act(ward, ward.as_patient(ward.alan), messages.received, asked["id"]) == 0
    assert "received" not in ward.now(asked["id"])
    assert act(ward, ward.as_nurse(ward.nurse), messages.received, asked["id"]) == 1
    given = ward.now(asked["id"])["received"]
    assert act(ward, ward.as_nurse(ward.nurse), messages.received, asked["id"]) == 0
    assert ward.now(asked["id"])["received"] == given


def test_a_receipt_changes_nothing_but_that_the_message_was_read(ward):
    sent = ward.send(ward.as_nurse(ward.nurse))
    security = [{"system": "urn:x", "code": "V", "display": "written by the reader"}]
    wicked = sent | {
        "received": "2026-01-01T00:00:00Z",
        "meta": sent["meta"] | {"security": security, "source": "urn:x", "tag": security},
    }
    amend.update(ward.record, ward.as_patient(ward.alan), sent["id"], wicked, None).result(10)
    after = ward.now(sent["id"])
    assert set(after["meta"]) == {"versionId", "lastUpdated"}
    assert {**after, "meta": None, "received": None} == {**sent, "meta": None, "received": None}


def test_an_owner_is_of_the_team_and_follows_the_conversation(ward):
    asked = ward.send(ward.as_patient(ward.alan))
    act(ward, ward.as_nurse(ward.nurse), messages.take, asked["id"])
    owner = {"reference": f"Practitioner/{ward.nurse}"}
    assert ward.now(asked["id"])["recipient"][-1] == owner
    assert ward.send(ward.as_patient(ward.alan), **answer(asked))["recipient"][-1] == owner
    for rule in (messages.take, messages.settle):
        with pytest.raises(Forbidden):
            act(ward, ward.as_patient(ward.alan), rule, asked["id"])
        with pytest.raises(Forbidden):
            act(ward, ward.as_nurse(ward.other), rule, asked["id"])


def test_a_settled_conversation_no_longer_waits(ward):
    asked = ward.send(ward.as_patient(ward.alan))
    act(ward, ward.as_nurse(ward.nurse), messages.settle, asked["id"])
    assert ward.now(asked["id"])["status"] == "completed"


def test_text_keeps_its_words_and_loses_what_hides(ward):
    written = " <b>5 < 6</b>\r\nline\u2028two \u202egnol\u202c\u200b\ufeff "
    sent = ward.send(ward.as_patient(ward.alan), payload=[{"contentString": written}])
    assert sent["payload"] == [{"contentString": "<b>5 < 6</b>\nline\ntwo gnol"}]


def test_a_message_has_4000_characters_and_a_subject_100():
    tree = {"payload": [{"contentString": "é" * 4000}], "topic": {"text": "x" * 100}}
    assert message_text.body(tree) == "é" * 4000
    assert message_text.subject(tree) == "x" * 100
    with pytest.raises(TooLarge):
        message_text.body({"payload": [{"contentString": "é" * 4001}]})
    with pytest.raises(TooLarge):
        message_text.subject({"topic": {"text": "x" * 101}})


def test_what_nobody_wrote_is_no_conversation_and_takes_the_patients_receipt(ward):
    told = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{ward.alan}"},
        "payload": [{"contentString": "There is a new letter for you."}],
    }
    id_ = ward.file(judge(told), new_id(bucket_of(ward.alan)), ward.alan)
    asked = ward.send(ward.as_patient(ward.alan))

    def heads(writer):
        return list(correspondence(writer, ward.alan).messages)

    assert ward.record.submit(FILING, heads).result(10) == [asked["id"]]
    with pytest.raises(Unprocessable):
        ward.send(ward.as_patient(ward.alan), **answer({"id": id_}))
    opened = ward.now(id_) | {"received": "2000-01-01T00:00:00Z"}
    access = ward.as_patient(ward.alan)
    amend.update(ward.record, access, id_, judge(opened), None).result(10)
    assert ward.now(id_)["received"] > "2020"
    stranger = ward.as_patient(ward.brian)
    with pytest.raises(NotFound):
        amend.update(ward.record, stranger, id_, judge(opened), None).result(10)
