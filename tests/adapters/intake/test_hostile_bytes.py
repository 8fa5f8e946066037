"""Bytes that a database chokes on, or that nobody thought of: filed or set aside, never lost."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.intake import inbox
from adapters.intake.feeds import LOOPBACK
from adapters.intake.reading import read
from fhir_server.clock import now
from tests.adapters.intake.ward import BRIAN, Ward

MESSAGE = (
    b"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124091500||ORU^R01^ORU_R01|M|P|2.5.1\r"
    b"PID|1||9990000018^^^NHS^NH||Example^Alan||19550301|M\r"
    b"ORC|RE|ORD1|LAB1\r"
    b"OBR|1|ORD1|LAB1|2857-1^PSA^LN|||20261124083000|||||||||||||||20261124091500||CH|F\r"
    b"OBX|1|NM|2857-1^PSA^LN||7.3|ug/L|0-6.5|H|||F|||20261124083000\r"
)


def goes_on(ward: Ward) -> bool:
    return ward.psa(control_id="NEXT", filler="NEXT").code == "AA"


@pytest.mark.parametrize("place", ["filler", "code", "pid"])
@pytest.mark.parametrize("nul", ["\x00", "\\X00\\"])
def test_a_nul_in_a_number_or_a_code_stops_nothing(ward: Ward, place: str, nul: str) -> None:
    changes = {
        "filler": {"filler": f"LAB{nul}1"},
        "code": {"code": f"PS{nul}A^PSA^L"},
        "pid": {"pid": f"PID|1||9990000018^^^NHS^NH~A{nul}1^^^RXX^MR||Example||19550301|M"},
    }[place]
    assert ward.psa(**changes).code == "AA"
    assert (ward.fate(), goes_on(ward)) == (("filed", "", ""), True)


def test_numbers_longer_than_any_index_takes_are_filed_and_found(ward: Ward) -> None:
    filler, local = "F" * 9000, "L" * 9000
    pid = f"PID|1||9990000018^^^NHS^NH~{local}^^^RXX^MR||Example^Alan||19550301|M"
    code = f"{'C' * 9000}^Test^L"
    assert ward.psa(filler=filler, pid=pid, code=code).code == "AA"
    assert [row.control_id for row in inbox.trace(ward.record, filler)] == ["MSG1"]
    assert ward.psa(control_id="B", filler=filler, nhs_number=BRIAN).name == "order-other-patient"


@settings(max_examples=200)
@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda raw: b"MSH|^~\\&|" + raw))
def test_whatever_the_bytes_are_they_get_a_verdict(raw: bytes) -> None:
    found = read((LOOPBACK,), raw, "127.0.0.1", (), now())
    assert getattr(found.content, "ack", "AA") in {"AE", "AR", "AA"}


@settings(max_examples=150)
@given(st.data())
def test_a_message_with_bytes_changed_anywhere_gets_a_verdict(data: st.DataObject) -> None:
    raw = bytearray(MESSAGE)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    found = read((LOOPBACK,), bytes(raw), "127.0.0.1", (), now())
    assert getattr(found.content, "ack", "AA") in {"AE", "AR", "AA"}
    if hasattr(found.content, "fault"):
        assert found.content.why.code != "fault"


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_changed_in_a_message_it_is_filed_or_set_aside_and_the_feed_goes_on(
    ward: Ward, data: st.DataObject
) -> None:
    raw = bytearray(MESSAGE)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + 1] = data.draw(st.binary(min_size=1, max_size=2))
    answer = ward.raw(bytes(raw))
    assert b"busy" not in answer
    assert b"|fault" not in answer
