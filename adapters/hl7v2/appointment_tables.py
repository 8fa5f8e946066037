"""HL7 v2 tables of chapter 10 (scheduling) as FHIR codes, and what each event says.

Each table is data: a v2 code on the left, its meaning here on the right. A code that is not in a
table has no meaning here. Sources: HL7 v2.8.2 chapter 10 and chapter 2C; the sheets SCH, AIS, AIL
and AIP of the HL7 "Version 2 to FHIR" guide, with its gaps decided by us.
"""

from collections.abc import Mapping

APPOINTMENT_EVENTS: Mapping[str, str] = {
    "S12": "booked",
    "S13": "booked",
    "S14": "booked",
    "S15": "cancelled",
    "S16": "cancelled",
    "S17": "entered-in-error",
    "S26": "noshow",
}
"""MSH-9.2 of an SIU to Appointment.status: booked, rescheduled, modified, cancelled, discontinued,
deleted, not attended."""

ENDED_BY_EVENT = frozenset({"S15", "S16", "S17", "S26"})
"""Events that say by themselves how the appointment ended, whatever SCH-25 says."""

FILLER_STATUS: Mapping[str, str] = {
    "BLOCKED": "cancelled",
    "BOOKED": "booked",
    "CANCELLED": "cancelled",
    "COMPLETE": "fulfilled",
    "DC": "cancelled",
    "DELETED": "entered-in-error",
    "NOSHOW": "noshow",
    "OVERBOOK": "booked",
    "PENDING": "pending",
    "STARTED": "arrived",
    "WAITLIST": "waitlist",
}
"""SCH-25, table 0278, in capitals, to Appointment.status."""

TAKES_PART: Mapping[str, str] = {
    "arrived": "accepted",
    "booked": "accepted",
    "cancelled": "declined",
    "entered-in-error": "declined",
    "fulfilled": "accepted",
    "noshow": "accepted",
    "pending": "tentative",
    "waitlist": "needs-action",
}
"""Appointment.status to that of whoever takes part in it."""

MINUTES: Mapping[str, int] = {
    "": 1,
    "H": 60,
    "HOUR": 60,
    "HOURS": 60,
    "HR": 60,
    "HRS": 60,
    "M": 1,
    "MIN": 1,
    "MINS": 1,
    "MINUTE": 1,
    "MINUTES": 1,
}
"""SCH-10 or AIS-8, in capitals, to minutes; a number without a unit counts minutes (chapter 10)."""
