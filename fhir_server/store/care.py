"""Who cares for whom: rows of `care_relationship`, written together with CareTeam.

Whoever cares for a patient cares for all that is joined to their record. Authority never reads
search indexes; it reads these rows. A practitioner cares for the patient from when their
participation starts until it ends, while the team is active.
https://hl7.org/fhir/R4/careteam.html
"""

from typing import Any

from sqlalchemy import delete, insert

from fhir_server.model.ids import bucket_of
from fhir_server.search.conditions import among
from fhir_server.search.dates import period_span
from fhir_server.store.links import together
from fhir_server.store.tables import care_relationship
from fhir_server.store.transaction import Transaction

Tree = dict[str, Any]
_ALWAYS = (-(2**62), 2**62)


def rewrite(transaction: Transaction, team: Tree, patient: str) -> None:
    """Replace the relationships that this CareTeam stood for with those that it stands for now."""
    table = care_relationship.c
    record = together(transaction.select, patient)
    transaction.execute(
        delete(care_relationship).where(
            among(table.bucket, table.patient, record), table.team == team["id"]
        )
    )
    rows = [row for one in record for row in relationships(team, one)]
    if rows:
        transaction.execute(insert(care_relationship), rows)


def relationships(team: Tree, patient: str) -> list[dict[str, Any]]:
    """Return the rows for *team*: one for each practitioner in it, none unless it is active."""
    if team.get("status") != "active":
        return []
    whole = _span(team)
    spans: dict[str, tuple[int, int]] = {}
    for participant in team.get("participant", ()):
        kind, _, practitioner = participant.get("member", {}).get("reference", "").partition("/")
        if kind != "Practitioner":
            continue
        own = _span(participant)
        start, end = max(whole[0], own[0]), min(whole[1], own[1])
        known = spans.get(practitioner, (start, end))
        spans[practitioner] = (min(known[0], start), max(known[1], end))
    return [
        {
            "bucket": bucket_of(patient),
            "patient": patient,
            "practitioner": practitioner,
            "team": team["id"],
            "starts": start,
            "ends": None if end == _ALWAYS[1] else end,
        }
        for practitioner, (start, end) in spans.items()
        if start < end
    ]


def _span(element: Tree) -> tuple[int, int]:
    period = element.get("period")
    if not period:
        return _ALWAYS
    low, high = period_span(period)
    return max(low, _ALWAYS[0]), min(high, _ALWAYS[1])
