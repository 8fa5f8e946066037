"""The answer to a message: ACK, in original and in enhanced mode.

HL7 v2.8 chapter 2, 2.9 (acknowledgement), 2.14.8 (MSA), 2.14.5 (ERR), tables 0008, 0155, 0357.
An answer is ASCII, speaks with the sender's own delimiters and version, repeats MSH-10 exactly,
and never holds a word about a patient: what it says comes from the head and from fixed sentences.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from adapters.hl7v2.delimiters import Delimiters
from adapters.hl7v2.escapes import escape
from adapters.hl7v2.header import Header
from adapters.hl7v2.refusal import Refused

ApplicationCode = Literal["AA", "AE", "AR"]
AckCode = Literal["AA", "AE", "AR", "CA", "CE", "CR"]

BUSY = 207
REUSED = 205

# HL7 table 0357.
CONDITIONS = {
    0: "Message accepted",
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    204: "Unknown key identifier",
    205: "Duplicate key identifier",
    206: "Application record locked",
    207: "Application internal error",
}

_ADDRESS = re.compile(r"([A-Z][A-Z0-9]{1,3})(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?")
_VERSION = re.compile(r"[0-9A-Za-z.]{1,12}")
_MAJOR_MINOR = re.compile(r"(\d{1,3})\.(\d{1,3})")
_TRIGGER = re.compile(r"[A-Z][A-Z0-9]{2}")
_ASSUMED_VERSION = "2.4"  # where theirs can't be repeated
_CURRENT_CODES = {"AL": "AER", "ER": "ER", "SU": "A"}  # table 0155 → which of xA xE xR it asks for


@dataclass(frozen=True, slots=True)
class Fault:
    """One ERR segment: table 0357, our stable code, the field's address, a sentence.

    *severity* is of table 0516: E, or W for a message that was taken all the same.
    """

    hl7_code: int
    code: str
    field: str
    text: str
    severity: Literal["E", "W"] = "E"


def fault_of(refused: Refused) -> Fault:
    """Return the fault that a refused message's answer names."""
    return Fault(refused.hl7_code, refused.code, refused.field, refused.text)


def codes_to_send(header: Header, code: ApplicationCode, hl7_code: int = 0) -> tuple[AckCode, ...]:
    """Return the codes of the answers that the sender asks for, in the order of sending.

    With MSH-15 and MSH-16 both empty (original mode) it is *code* alone. Else the accept answer
    comes first, if MSH-15 asks for it: CA for AA and for AE, which is kept in quarantine; CR for
    AR; CE where *hl7_code* says that we are busy (207) or that a control id was used again (205).
    Then, if MSH-16 asks for it, the application answer to what was accepted. A refusal that
    MSH-15 does not ask for goes out as application answer where MSH-16 does.
    """
    if not header.accept_ack and not header.application_ack:
        return (code,)
    accept: AckCode = "CA" if code != "AR" else "CR"
    if hl7_code in {BUSY, REUSED} and code != "AA":
        accept = "CE"
    answers: list[AckCode] = [accept] if _asks(header.accept_ack, accept) else []
    if (accept == "CA" or not answers) and _asks(header.application_ack, code):
        answers.append(code)
    return tuple(answers)


def acknowledge(
    header: Header,
    code: AckCode,
    *,
    control_id: str,
    sent: datetime,
    faults: Sequence[Fault] = (),
) -> bytes:
    """Return the answer with *code* to the message with this *header*, without framing.

    *control_id* is the answer's own, unique and ASCII; *sent* is aware. Each of *faults* becomes
    an ERR segment, in the form of the sender's version: an error location of its own from 2.5
    on, all in ERR-1 before.
    """
    delimiters = header.segment.delimiters
    version = header.version if _VERSION.fullmatch(header.version) else _ASSUMED_VERSION
    theirs = header.segment
    msh = [
        "MSH",
        theirs.field(2),
        *(_echo(theirs.field(n), delimiters) for n in (5, 6, 3, 4)),
        _own(sent.strftime("%Y%m%d%H%M%S%z"), delimiters),
        "",
        _message_type(header.trigger, version, delimiters),
        _own(control_id, delimiters),
        _echo(theirs.field(11), delimiters),
        _own(version, delimiters),
    ]
    msa = ["MSA", code, _echo(header.control_id, delimiters)]
    if faults and _number(version) < (2, 7):
        msa.append(_own(faults[0].text, delimiters))
    segments = [msh, msa, *_errors(faults, version, delimiters)]
    return "".join(f"{delimiters.field.join(fields)}\r" for fields in segments).encode("ascii")


def _asks(condition: str, code: AckCode) -> bool:
    return code[1] in _CURRENT_CODES.get(condition.upper(), "")


def _message_type(trigger: str, version: str, delimiters: Delimiters) -> str:
    if _number(version) < (2, 4) or not _TRIGGER.fullmatch(trigger) or not delimiters.component:
        return "ACK"
    return delimiters.component.join(("ACK", trigger, "ACK"))


def _errors(faults: Sequence[Fault], version: str, delimiters: Delimiters) -> list[list[str]]:
    if not faults:
        return []
    if _number(version) >= (2, 5):
        return [_error(fault, delimiters) for fault in faults]
    located = [_error_location(fault, delimiters) for fault in faults]
    if delimiters.repetition:
        return [["ERR", delimiters.repetition.join(located)]]
    return [["ERR", location] for location in located]


def _error(fault: Fault, delimiters: Delimiters) -> list[str]:
    """Return ERR as from version 2.5 on: ERR-2 where, ERR-3 and ERR-5 what, ERR-8 for a person."""
    segment, occurrence, field, component = _place(fault.field)
    location = [segment, occurrence, field, "1" if component else "", component]
    condition = [str(fault.hl7_code), CONDITIONS[fault.hl7_code], "HL70357"]
    return [
        "ERR",
        "",
        _join(delimiters.component, location, delimiters),
        _join(delimiters.component, condition, delimiters),
        fault.severity,
        _join(delimiters.component, [fault.code, "", "L"], delimiters),
        "",
        "",
        _own(fault.text, delimiters),
    ]


def _error_location(fault: Fault, delimiters: Delimiters) -> str:
    """Return ERR-1 as before version 2.5: segment, its number, field, and a CE in its parts."""
    segment, occurrence, field, _ = _place(fault.field)
    condition = [str(fault.hl7_code), CONDITIONS[fault.hl7_code], "HL70357", fault.code, "", "L"]
    return delimiters.component.join(
        [
            *(_own(part, delimiters) for part in (segment, occurrence, field)),
            _join(delimiters.subcomponent, condition, delimiters),
        ]
    )


def _place(address: str) -> tuple[str, str, str, str]:
    """Return segment, occurrence, field and component of an address like `OBX[3].5.1`."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return "", "", "", ""
    segment, occurrence, field, component = match.groups(default="")
    return segment, occurrence or "1", field, component


def _number(version: str) -> tuple[int, int]:
    match = _MAJOR_MINOR.match(version)
    return (int(match[1]), int(match[2])) if match else _number(_ASSUMED_VERSION)


def _join(mark: str, parts: Iterable[str], delimiters: Delimiters) -> str:
    """Return *parts* as one field without empty ones at its end; without *mark* the first."""
    escaped = [_own(part, delimiters) for part in parts]
    return mark.join(escaped).rstrip(mark) if mark else escaped[0]


def _own(text: str, delimiters: Delimiters) -> str:
    """Return words of ours as they may stand in a field: ASCII, no delimiter bare."""
    plain = text.encode("ascii", "replace").decode()
    if delimiters.escape:
        return escape(plain, delimiters)
    marks = (delimiters.field, delimiters.component, delimiters.repetition, delimiters.subcomponent)
    return "".join(
        " " if character in marks or character < " " else character for character in plain
    )


def _echo(field: str, delimiters: Delimiters) -> str:
    """Return a field of theirs exactly, but for what is no printable ASCII: that is hexadecimal.

    So no FS, CR or NUL of theirs ever stands in an answer, whatever they put in the field.
    """
    if field.isascii() and field.isprintable():
        return field
    mark = delimiters.escape
    return "".join(
        character
        if " " <= character <= "~"
        else (f"{mark}X{character.encode('utf-8', 'replace').hex().upper()}{mark}" if mark else "?")
        for character in field
    )
