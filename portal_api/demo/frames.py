"""What every message of a hospital begins with, the way it writes that: MSH and PID. Pure.

HL7 v2 chapter 2 (MSH), chapter 3 (PID).
"""

from datetime import date, datetime

from portal_api.demo.hospitals import RECEIVING_APPLICATION, RECEIVING_FACILITY, Hospital
from portal_api.demo.orders import Person
from portal_api.demo.staff import REQUESTERS, STAFF_AUTHORITY
from portal_api.demo.wire import components, escaped, header, segment, to_the_second


def msh(
    hospital: Hospital, message_type: str, control_id: str, sent: datetime, *, live: bool = True
) -> str:
    """Return MSH of a message that *hospital* sends: by its live feed, or by that for history."""
    return header(
        {
            3: hospital.application if live else hospital.history_application,
            4: hospital.ods,
            5: RECEIVING_APPLICATION,
            6: RECEIVING_FACILITY,
            7: to_the_second(sent),
            9: message_type,
            10: escaped(control_id),
            11: "P",
            12: hospital.version,
            18: hospital.charset,
        }
    )


def pid(person: Person, hospital: Hospital, born: date) -> str:
    """Return PID of *person*, with the birth date *born*: numbers in the order of the dialect."""
    return segment(
        "PID",
        {
            1: "1",
            3: _numbers(person, hospital),
            5: components(person.family, person.given, "", "", person.title),
            7: born.strftime("%Y%m%d"),
            8: person.sex,
            11: components(person.street, "", person.town, "Merseyside", person.postcode),
        },
    )


def requester(person: Person) -> str:
    """Return who orders the tests of the *person*'s team, and writes its letters (XCN)."""
    who = REQUESTERS[person.team]
    return components(who.number, who.family, who.given, "", "", who.title, "", "", STAFF_AUTHORITY)


def _numbers(person: Person, hospital: Hospital) -> str:
    local = components(person.local_number, "", "", hospital.patient_numbers, "PI")
    national = components(person.number, "", "", "NHS", "NH")
    return {"2.3": f"{local}~{national}", "2.4": f"{national}~{local}"}.get(
        hospital.version, national
    )
