"""What the teams have to know of changed results: who waits for it, and who has dealt with it."""

from dataclasses import dataclass
from typing import Any

from adapters.intake.alerting import ALERT
from auth.answers import committed
from fhir_server.clock import from_micros, instant_text
from fhir_server.errors import NotFound
from fhir_server.message_recipients import sender
from fhir_server.model import json
from fhir_server.model.ids import bucket_of
from fhir_server.model.validate import judge
from fhir_server.record import Asked, Stored, Writer
from portal_api.caller import Caller, Entry, find_all, read
from portal_api.care_team import Person, person
from portal_api.london import Moment, moment

Tree = dict[str, Any]

_WAITING, _DONE = "in-progress", "completed"


@dataclass(frozen=True, slots=True)
class Alert:
    """One change of a result that nobody of the teams has dealt with yet."""

    id: str
    topic: str
    text: str
    urgent: bool
    sent: Moment | None
    report: str
    """The report's id."""
    person: Person


async def waiting(caller: Caller) -> tuple[Alert, ...]:
    """Return the alerts about the caller's patients, those that somebody had read first."""
    found = await find_all(
        caller,
        "Communication",
        ("category", ALERT),
        ("status", _WAITING),
        ("_sort", "sent"),
        ("_include", "Communication:patient"),
    )
    people = {
        one.stored.id: person(one.tree)
        for one in found.included
        if one.tree["resourceType"] == "Patient"
    }
    known = [
        _alert(one, people[one.patient])
        for one in found.matches
        if is_alert(one.tree) and one.patient in people
    ]
    return tuple(sorted(known, key=lambda one: not one.urgent))


async def deal_with(caller: Caller, alert_id: str) -> None:
    """Note that the caller has dealt with an alert; one that is dealt with stays as it is.

    Raises NotFound for what is no alert or not the caller's, Forbidden for anybody but a
    practitioner who cares for the patient.
    """
    seen = await read(caller, "Communication", alert_id)
    if not is_alert(seen.tree):
        raise NotFound.of("There is no such alert, or it is not yours to see.")

    def piece(writer: Writer) -> Stored:
        current = writer.current("Communication", alert_id) or seen.stored
        who = sender(writer, current.patient)
        tree: Tree = json.decode(current.body)
        if tree["status"] == _DONE:
            return current
        done = tree | {
            "status": _DONE,
            "received": instant_text(from_micros(writer.now)),
            "recipient": [*tree.get("recipient", ()), {"reference": who}],
        }
        filed = writer.file(
            judge(done), id_=alert_id, patient=current.patient, release_at=current.release_at
        ).stored
        entity = f"{filed.reference}/_history/{filed.version}"
        writer.audit("update", patient=filed.patient, entity=entity)
        return filed

    asked = Asked("update", f"Communication/{alert_id}")
    future = caller.record.submit(caller.access, piece, buckets=[bucket_of(alert_id)], asked=asked)
    await committed(future)


def is_alert(tree: Tree) -> bool:
    """Tell whether a Communication is an alert of this portal's own: no person wrote it."""
    system, _, code = ALERT.partition("|")
    named = any(
        (coding.get("system"), coding.get("code")) == (system, code)
        for concept in tree.get("category", ())
        for coding in concept.get("coding", ())
    )
    return named and "sender" not in tree


def _alert(entry: Entry, about: Person) -> Alert:
    tree = entry.tree
    report = next((one.get("reference", "") for one in tree.get("about", ())), "")
    return Alert(
        id=entry.stored.id,
        topic=tree.get("topic", {}).get("text", ""),
        text="\n".join(part.get("contentString", "") for part in tree.get("payload", ())),
        urgent=tree.get("priority") == "urgent",
        sent=moment(tree.get("sent", "")),
        report=report.removeprefix("DiagnosticReport/"),
        person=about,
    )
