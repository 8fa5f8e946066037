"""Fields that the HL7 guide maps and we do not, or put elsewhere, each with its reason.

The raw message keeps them all. A row of the guide that is neither here nor changes what it should
is a fault: the tests take each field out of a message in which all are valued.
"""

from collections.abc import Mapping

_MESSAGE_HEADER = "no MessageHeader is kept; the inbox keeps the message with its header"
_ENCOUNTER = "a result says too little of a visit: it is referred to by its number (PV1-19)"
_DEVICE = "software and devices are no records here; Provenance names the sending application"
_RELATED = "a next of kin is a contact of the patient, not a RelatedPerson of the record"
_TIMING = "when to do a test again is no matter of its result"
_ROLE = "a part in a visit; only a general practitioner's is kept"
_BOOKED_TIME = "the appointment has one time: that of TQ1-7, SCH-11, AIS-4, AIL-6 or AIP-6"
_BOOKED_BY = "who booked an appointment takes no part in it"
_NO_ORDER = "an appointment makes no order; it names the one that it is for (SCH-26, SCH-27)"
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
    "AIG": "equipment and groups are for staff, not for the patient",
    "AIL-7": _BOOKED_TIME,
    "AIL-9": _BOOKED_TIME,
    "AIP-7": _BOOKED_TIME,
    "AIP-9": _BOOKED_TIME,
    "AIP-12": "who takes part does so as the appointment stands",
    "AIS-5": _BOOKED_TIME,
    "AIS-10": "a service stands as the appointment does",
    "SCH-7": "why somebody comes is for staff, not for an appointment's line",
    "SCH-12": _BOOKED_BY,
    "SCH-16": _BOOKED_BY,
    "SCH-20": _BOOKED_BY,
}
"""`MSH-5` for a field, `PV2` for all fields of a segment."""


_SHEETS: Mapping[str, str] = {
    "MSH[MessageHeader]": _MESSAGE_HEADER,
    "MSH[Encounter]": _ENCOUNTER,
    "AIS[ServiceRequest]": _NO_ORDER,
    "NK1[RelatedPerson]": _RELATED,
    "NTE[ServiceRequest]": "a note belongs to what it follows: a result, or the report (noteR5)",
    "ORC[Provenance]": "Provenance says who reported; who ordered, and where, is the requester",
    "ROL[CareTeam]": _ROLE,
    "ROL[Encounter-PractitionerRole]": _ROLE,
    "ROL[RelatedPerson]": _ROLE,
    "SCH[ServiceRequest]": _NO_ORDER,
    "MRG[Account]": "an account number is no matter of care",
}
"""Sheets whose target is not made, or not by this segment."""

_ROWS: Mapping[str, str] = {
    "MSH[Bundle]-10": "a message is no Bundle here; Provenance.entity names it, the inbox keeps it",
    "NTE[Appointment-Comment]-5": "only what is for the patient is kept, without its writer",
    "NTE[Appointment-Comment]-6": "only what is for the patient is kept, without its time",
    "NTE[Appointment-Comment]-9": "whether it is for the patient, NTE-4 tells",
    "PID[Appointment]-2": "the patient takes part; the numbers are the Patient's",
    "PID[Appointment]-4": "the patient takes part; the numbers are the Patient's",
    "NTE[DocumentReference]-9": "what kind of comment it is changes nothing in a document",
    "OBR[Specimen]-2": "the number of the order; SPM-30 numbers the specimen",
    "OBR[Specimen]-13": "a note of the request: it is seldom about fasting",
    "PV1[Encounter]-19": "the visit is referred to by this number from report and results",
    "OBX[Observation-Component]-24": "Organization.address of who performed it (OBX-23)",
    "OBX[Observation-Component]-29": "an answer to a question of the request is linked from there",
    "OBX[Observation]-24": "Organization.address of who performed it (OBX-23)",
    "OBX[Observation]-29": "an answer to a question of the request is linked from there",
    "ORC[ServiceRequest]-21": "PractitionerRole.organization of the requester",
    "ORC[ServiceRequest]-22": "Organization.address of the requester's organisation",
    "ORC[ServiceRequest]-23": "Organization.telecom of the requester's organisation",
    "ORC[ServiceRequest]-24": "Practitioner.address of the requester",
    "ROL[Patient-GeneralPractitioner]-1": "ROL-4 tells who it is",
    "ROL[Patient-GeneralPractitioner]-5": "who is named now is the general practitioner now",
    "ROL[Patient-GeneralPractitioner]-6": "who is named now is the general practitioner now",
    "ROL[Patient-GeneralPractitioner]-11": "a practice's address comes with PD1-3",
    "ROL[Patient-GeneralPractitioner]-12": "a practice's number comes with PD1-3",
    "ROL[Patient-GeneralPractitioner]-13": "a practice comes with PD1-3",
    "ROL[Patient-GeneralPractitioner]-14": "a practice comes with PD1-3",
    "TXA[DocumentReference]-3": "what the document is, its bytes tell",
}


def reason(segment: str, field: int) -> str:
    """Return why a field becomes nothing; empty where it becomes something."""
    return UNMAPPED.get(f"{segment}-{field}") or UNMAPPED.get(segment, "")


def row_reason(sheet: str, field: int) -> str:
    """Return why a row of the guide's *sheet* is left out, or goes elsewhere; empty for others."""
    segment = sheet.partition("[")[0]
    of_sheet = _ROWS.get(f"{sheet}-{field}") or _SHEETS.get(sheet)
    return of_sheet or reason(segment, field)
