"""Who must make no difference: another patient who reaches for this one; one's own held results."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from fhir_server.store.tables import resource
from tests.security.papers import booking, letter, order
from tests.security.twins import THEIRS, A, B, Twin, message, result, team

Stranger = Callable[[Twin, int], None]
"""Acts in one of the portals, after the step of this number."""


def rows_of(twin: Twin, patient: str) -> list[Any]:
    statement = select(resource.c.type, resource.c.id).where(resource.c.patient == patient)
    return list(twin.portal.record.select(statement.order_by(resource.c.type, resource.c.id)))


def another(twin: Twin, step: int) -> None:
    """B: the same names, codes and order numbers; and everything of B's points at A."""
    twin.send(result(B, f"N{step}", sender="RYY", value="999"))
    if step == 1:
        for number, sent in enumerate((letter, order, booking)):
            twin.send(sent(B, f"X{number}"))
    if step == 3:
        a, b = twin.patient(A), twin.patient(B)
        own = {one.id: one.type for one in rows_of(twin, a)}
        mine = [f"{kind}/{id_}" for id_, kind in own.items()]
        observations = [{"reference": one} for one in mine if one.startswith("Observation/")]
        for number, tree in enumerate(reaching(a, b, mine, observations)):
            twin.put(tree, f"{b[:3]}{number + 10:029x}", b)


def reaching(a: str, b: str, mine: list[str], observations: list[Any]) -> list[dict[str, Any]]:
    """Return resources of B's record that name A and what is A's wherever they may."""
    patient, subject = {"reference": f"Patient/{a}"}, {"reference": f"Patient/{b}"}
    code = {"coding": [{"system": "http://loinc.org", "code": "2857-1"}]}
    result_ = {"status": "final", "code": code, "subject": subject, "performer": [patient]}
    talk = {"recipient": [patient], "partOf": [{"reference": mine[0]}]}
    return [
        {
            "resourceType": "Observation", **result_, "focus": [patient, *observations],
            "hasMember": observations, "derivedFrom": observations, "valueString": "999",
        },
        {"resourceType": "DiagnosticReport", **result_, "result": observations},
        message(b, a, **talk),
        team(b, THEIRS) | {"participant": [{"member": patient}]},
        {
            "resourceType": "Provenance", "recorded": "2026-11-24T09:00:00Z",
            "target": [{"reference": one} for one in mine], "agent": [{"who": patient}],
        },
        {
            "resourceType": "Appointment", "status": "proposed",
            "participant": [{"actor": one, "status": "accepted"} for one in (subject, patient)],
        },
        {
            "resourceType": "DocumentReference", "status": "current", "subject": subject,
            "author": [patient], "content": [{"attachment": {"title": "999"}}],
        },
    ]  # fmt: skip


def held(twin: Twin, step: int) -> None:
    """A's own: histology, what is preliminary, what nobody mapped; with the codes of the rest."""
    if step:  # a held result may be the first that is known of a person, who is known then
        twin.send(result(A, f"H{step}", section="SP", value="999"))
        twin.send(result(A, f"P{step}", status="P", value="999"))
        twin.send(result(A, f"U{step}", code="HE4X^PSA^L", value="999"))
    if step == 1:
        twin.send(letter(A, "HD1", signed="DO"))
        twin.send(order(A, "HO1", label="R"))


STRANGERS: dict[str, Stranger] = {"another": another, "held": held}
