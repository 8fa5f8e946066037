"""What waits for a person is a list of its own; it says why, how long, and what was answered."""

import pytest

from adapters.intake import inbox, message_keys, waiting
from adapters.intake.feeds import LOOPBACK
from adapters.intake.inbox import Arrival
from fhir_server.model.identifiers import NhsNumber
from fhir_server.record import Writer
from tests.adapters.intake.ward import ALAN, BRIAN, OPERATOR, Ward

KEY = b"k" * 32


def number(digits: str) -> NhsNumber:
    found = NhsNumber.parse(digits)
    assert found is not None
    return found


def queued(ward: Ward, **narrowed: str) -> list[str]:
    rows = ward.record.select(waiting.queue(**narrowed))
    return [row.control_id for row in rows]


def test_only_what_was_set_aside_waits_with_the_answer_that_it_got(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", birth_date="soon", filler="LAB2")
    ward.psa(control_id="C", birth_date="19550103", filler="LAB3")
    found = {row.control_id: row.answered for row in ward.record.select(waiting.queue())}
    assert found == {"B": "AE", "C": "AA"}
    groups = {(row.feed, row.code): (row.times, row.alarms) for row in waiting.groups(ward.record)}
    assert groups == {
        ("loopback", "date-bad"): (1, 0),
        ("loopback", "identity-conflict"): (1, 1),
    }
    assert queued(ward, feed="loopback", code="date-bad") == ["B"]
    assert queued(ward, feed="elsewhere") == []


def test_the_queue_goes_on_behind_the_last_one_seen(ward: Ward) -> None:
    for place in range(5):
        ward.psa(control_id=f"M{place}", birth_date="soon")
    seen: list[str] = []
    before = None
    while rows := ward.record.select(waiting.queue(before=before, most=2)):
        seen += [row.control_id for row in rows]
        before = (rows[-1].received, rows[-1].sha256)
    assert seen == ["M4", "M3", "M2", "M1", "M0"]


def test_what_people_did_is_kept_in_its_order(ward: Ward) -> None:
    ward.psa(birth_date="soon")
    row = ward.row()
    place = row._asdict()

    def piece(writer: Writer) -> None:
        waiting.note_act(writer, place, "replayed", ("quarantined", "date-bad"), "")
        waiting.note_act(writer, place, "closed", ("quarantined", "date-bad"), "Sent again.")
        assert waiting.take_out(writer, place)
        assert not waiting.take_out(writer, place)

    ward.record.submit(OPERATOR, piece).result(timeout=10)
    assert [(one.act, one.acted_by, one.reason) for one in waiting.acts(ward.record, place)] == [
        ("replayed", "test", ""),
        ("closed", "test", "Sent again."),
    ]
    assert queued(ward) == []
    assert ward.fate() == ("quarantined", "date-bad", "PID.7")


def test_a_message_is_found_by_the_person_in_it_though_it_could_not_be_read(ward: Ward) -> None:
    ward.psa(control_id="A")
    ward.psa(control_id="B", birth_date="soon")
    ward.psa(control_id="C", nhs_number=BRIAN, filler="LAB2")
    key = message_keys.of_person(ward.record.id_key, number(ALAN))
    assert [row.control_id for row in inbox.trace(ward.record, key)] == ["B", "A"]
    assert ALAN not in key


@pytest.mark.parametrize(
    "segment",
    [
        b"PID|1||9990000018^^^NHS^NH",
        b"PID|1||A1^^^X~999 000 0018^^^NHS",
        b"PID|1||A1||Example^Alan||||||||||||||999-000-0018",
        b"PID#1##9990000018",
        b"MRG|9990000018^^^NHS^NH",
    ],
)
def test_an_nhs_number_is_found_wherever_it_stands(segment: bytes) -> None:
    raw = b"MSH|^~\\&|LIMS\r" + segment + b"\rOBX|1|TX|1||9990000026\r"
    assert message_keys.of_persons_in(KEY, raw) == (message_keys.of_person(KEY, number(ALAN)),)


def test_what_is_no_number_of_a_person_makes_no_key() -> None:
    raw = b"MSH|^~\\&|PID|9990000018\rPID|1||A1||Example||19550301\rZID|9990000018\r"
    assert message_keys.of_persons_in(KEY, raw) == ()


def test_a_cut_off_message_that_comes_whole_leaves_nothing_of_its_beginning(ward: Ward) -> None:
    raw = ward.message().encode()
    arrival = Arrival(LOOPBACK.name, "127.0.0.1", "MSG1", "ORU^R01", raw)
    fated = inbox.Fated("partial", b"", code="frame-cut")
    ward.record.submit(OPERATOR, lambda writer: inbox.keep(writer, arrival, fated)).result(10)
    assert queued(ward) == ["MSG1"]
    ward.psa()
    assert (queued(ward), ward.fate()[0]) == ([], "filed")
    key = message_keys.of_person(ward.record.id_key, number(ALAN))
    assert [row.control_id for row in inbox.trace(ward.record, key)] == ["MSG1"]
