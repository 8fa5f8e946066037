"""Good messages broken in ways that nobody thought of: always an answer, or a stated part."""

import re
import time
from base64 import b64encode
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from adapters.hl7v2.mllp import wrap
from adapters.intake.tables import inbox
from tests.adapters.hostile.hospital import PRIVATE, Hospital, Sent

PDF = b64encode(b"%PDF-1.4\n%%EOF\n").decode()
MORE = (
    "",
    f"OBX|2|ED|LETTER^Letter^L||^AP^PDF^Base64^{PDF}||||||F\r",
    "NTE|1|L|a note\\.br\\of two lines\rOBX|2|SN|1234-5^Other^LN||<^5|ug/L|||||F\r",
    "OBX|2|TX|1234-5^Note^LN|1|first~second||||||F\rSPM|1|S1||BLD\rZPI|site\r",
)
CODE = re.compile(rb"\rMSA.(A[AER]|C[AER])[^A-Z]")

Bytes = st.binary(min_size=1, max_size=4)
Place = st.floats(0, 1, exclude_max=True)
Change = st.one_of(
    st.tuples(st.just("flip"), Place, st.integers(0, 7)),
    st.tuples(st.just("put"), Place, Bytes),
    st.tuples(st.just("cut"), Place, st.integers(1, 40)),
    st.tuples(st.just("end"), Place, st.just(0)),
    st.tuples(st.just("swap"), Place, Place),
    st.tuples(st.just("twice"), Place, st.just(0)),
    st.tuples(st.just("mark"), st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r"]), Bytes),
)


def changed(raw: bytes, change: tuple[str, Any, Any]) -> bytes:
    """Return *raw* with one change made: to a byte, a few, a segment, or a delimiter everywhere."""
    kind, where, what = change
    if kind == "mark":
        replaced: bytes = raw.replace(where, what)
        return replaced
    place, lines = int(where * len(raw)), raw.split(b"\r")
    here = int(where * len(lines))
    if kind == "swap":
        there = int(what * len(lines))
        lines[here], lines[there] = lines[there], lines[here]
    elif kind == "twice":
        lines.insert(here, lines[here])
    else:
        put, left_out = {  # type: ignore[no-untyped-call]
            "flip": lambda: (bytes([raw[place] ^ 1 << what]), 1),
            "put": lambda: (what, 0),
            "cut": lambda: (b"", what),
            "end": lambda: (b"", len(raw)),
        }[kind]()
        raw = raw[:place] + put + raw[place + left_out :]
        return raw
    return b"\r".join(lines)


@settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from(MORE), st.lists(Change, min_size=1, max_size=3))
def test_whatever_is_broken_in_a_message_it_is_answered_or_kept_in_part(
    clinic: Hospital, more: str, changes: list[tuple[str, Any, Any]]
) -> None:
    sent = clinic.message(more=more)
    raw = sent.raw
    for change in changes:
        raw = changed(raw, change) or raw
    last = clinic.message()
    kept, begun = rows(clinic), time.process_time()
    wire = clinic.connect()
    wire.send(wrap(raw) + wrap(last.raw))
    answers = []
    while f"|{last.control_id}\r".encode() not in (answer := wire.raw_answer()):
        answers.append(answer)
    taken = time.process_time() - begun
    wire.socket.close()
    assert b"\rMSA|AA|" in answer
    assert all(CODE.search(one) for one in answers), answers
    is_probe = not raw.strip()
    assert answers or is_probe or rows(clinic) > kept + 1
    # An answer repeats the head; a name that was broken into it goes back to its own sender.
    assert not any(PRIVATE.search(part) for one in answers for part in own_words(one))
    clinic.heard.clear()
    assert broken(clinic) == 0
    assert taken < 1  # seconds of work, however busy the machine is


def own_words(answer: bytes) -> list[str]:
    """Return what of an answer is ours to say: all but MSH, MSA-1 and MSA-2."""
    lines = answer.decode("ascii").split("\r")
    mark = lines[0][3:4] or "|"
    said = [mark.join(line.split(mark)[3:]) for line in lines if line.startswith("MSA")]
    return said + [line for line in lines if line.startswith("ERR")]


def rows(clinic: Hospital) -> int:
    return int(clinic.record.select(select(func.count()).select_from(inbox))[0][0])


def broken(clinic: Hospital) -> int:
    """Return how many messages met a fault of the portal's own."""
    fault = select(func.count()).select_from(inbox).where(inbox.c.code.in_(["fault", "busy"]))
    return int(clinic.record.select(fault)[0][0])


def test_a_change_of_each_kind_is_a_change() -> None:
    sent = Sent(b"MSH|^~\\&|A\rPID|1\rOBX|1\r", "1", "")
    told = {
        kind: changed(sent.raw, (kind, where, what))
        for kind, where, what in (
            ("flip", 0.5, 0),
            ("put", 0.5, b"x"),
            ("cut", 0.5, 2),
            ("end", 0.5, 0),
            ("swap", 0.3, 0.6),
            ("twice", 0.3, 0),
            ("mark", b"|", b"#"),
        )
    }
    assert len({*told.values(), sent.raw}) == len(told) + 1
