"""Fields that the HL7 guide maps and we do not, each with its reason.

The raw message keeps them all. A field of the guide that is neither here nor changes what a
message becomes is a fault: the tests compute it from the guide's own sheets.
"""

from collections.abc import Mapping

_MESSAGE_HEADER = "no MessageHeader is kept; the inbox keeps the message with its header"
_ENCOUNTER = "a result says too little of a visit: it is referred to by its number (PV1-19)"
_DEVICE = "software and devices are no records here; Provenance names the sending application"
_RELATED = "a next of kin is a contact of the patient, not a RelatedPerson of the record"
_TIMING = "when to do a test again is no matter of its result"
_PARTICIPATION = "senders in the UK name people in ORC, OBR and OBX"

UNMAPPED: Mapping[str, str] = {
    "MSH-5": _MESSAGE_HEADER,
    "MSH-6": _MESSAGE_HEADER,
    "MSH-8": _MESSAGE_HEADER,
    "MSH-11": "only production messages reach the record; who lets them in checks it",
    "MSH-19": _MESSAGE_HEADER,
    "MSH-23": _MESSAGE_HEADER,
    "MSH-24": _MESSAGE_HEADER,
    "MSH-25": _MESSAGE_HEADER,
    "SFT": _DEVICE,
    "PID-18": "an account number is no matter of care",
    "PID-21": _RELATED,
    "PID-33": "what a result says of a person is filed only for one unknown so far",
    "PID-34": "what a result says of a person is filed only for one unknown so far",
    "PID-36": "an animal is refused by its species (PID-35)",
    "PD1-7": "a living will is not shown on the word of a laboratory",
    "NK1-12": _RELATED,
    "NK1-16": _RELATED,
    "NK1-20": _RELATED,
    "NK1-30": "the contact of an organisation that is a next of kin: nobody asks for it",
    "NK1-31": "the contact of an organisation that is a next of kin: nobody asks for it",
    "NK1-32": "the contact of an organisation that is a next of kin: nobody asks for it",
    "NK1-33": _RELATED,
    "NK1-37": _RELATED,
    "NK1-41": _RELATED,
    **{f"PV1-{number}": _ENCOUNTER for number in range(2, 55) if number != 19},
    "PV2": _ENCOUNTER,
    "ORC-18": _DEVICE,
    **{f"TQ1-{number}": _TIMING for number in (2, 3, 4, 5, 6, 8, 11, 13, 14)},
    "PRT": _PARTICIPATION,
}
"""`MSH-5` for a field, `PV2` for all fields of a segment."""


def reason(segment: str, field: int) -> str:
    """Return why a field becomes nothing; empty where it becomes something."""
    return UNMAPPED.get(f"{segment}-{field}") or UNMAPPED.get(segment, "")
