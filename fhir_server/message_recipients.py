"""Who may write to whom: a patient and the teams that care for them today.

Authority is read from `care_relationship`, never from a search index.
"""

from typing import Any

from sqlalchemy import ColumnElement, or_, select

from fhir_server.access import CaredFor, OwnRecord
from fhir_server.correspondence import Correspondence
from fhir_server.errors import Forbidden, Unprocessable
from fhir_server.model.ids import bucket_of
from fhir_server.store import links
from fhir_server.store.tables import care_relationship
from fhir_server.store.write import Writer

Tree = dict[str, Any]


def sender(writer: Writer, patient: str) -> str:
    """Return the reference of the caller: the patient, or a practitioner who cares for them today.

    Whoever signs in to one of the records that are the patient's is the patient. Raises Forbidden
    for everybody else.
    """
    match writer.access.reach:
        case OwnRecord(patients) if _is_patient(writer, patient, patients):
            return f"Patient/{patient}"
        case CaredFor(practitioner) if _teams(writer, patient, practitioner):
            return f"Practitioner/{practitioner}"
        case _:
            raise Forbidden.of(
                "Only the patient and the teams that care for them write messages here."
            )


def _is_patient(writer: Writer, patient: str, patients: tuple[str, ...]) -> bool:
    own = writer.access.agent.user.removeprefix("Patient/")
    return own in patients and patient in links.together(writer.select, own)


def recipients(
    writer: Writer, letters: Correspondence, tree: Tree, head: str, sent_by: str
) -> list[Tree]:
    """Return to whom a message goes: to the team, or to the patient and the sender's own team.

    A conversation (*head*, or empty for a new one) stays with its team, and with the member of
    it who took it on. Raises Unprocessable for anybody else among the recipients of *tree*.
    """
    patient = f"Patient/{letters.patient}"
    named = [one.get("reference", "") for one in tree.get("recipient", ())]
    standing = letters.messages[head]["recipient"] if head else []
    of_thread = [one["reference"] for one in standing if one["reference"].startswith("CareTeam/")]
    teams = [one for one in named if one.startswith("CareTeam/")]
    team = (teams or of_thread or [_only_team(writer, letters.patient, sent_by)])[0]
    allowed = {team} if sent_by == patient else {patient, team}
    unwanted = [place for place, one in enumerate(named) if one not in allowed]
    moved = bool(of_thread) and team not in of_thread
    if unwanted or moved or team.removeprefix("CareTeam/") not in _teams(writer, letters.patient):
        raise Unprocessable.of(
            "A message goes between a patient and one team that cares for them today.",
            expression=f"Communication.recipient[{unwanted[0] if unwanted else 0}]",
            diagnostics="Name one CareTeam of this patient.",
        )
    owners = [one for one in standing if is_owner(one)]
    to_team = [{"reference": team}, *owners]
    return to_team if sent_by == patient else [{"reference": patient}, *to_team]


def caring_teams(writer: Writer, patient: str) -> list[str]:
    """Return the ids of the teams that care for *patient* today, in their order."""
    return _teams(writer, patient)


def is_owner(recipient: Tree) -> bool:
    """Tell whether *recipient* is the member of the team who took the conversation on."""
    return str(recipient.get("reference", "")).startswith("Practitioner/")


def _only_team(writer: Writer, patient: str, sent_by: str) -> str:
    kind, _, id_ = sent_by.partition("/")
    teams = _teams(writer, patient, id_ if kind == "Practitioner" else "")
    return f"CareTeam/{teams[0]}" if len(teams) == 1 else ""


def _teams(writer: Writer, patient: str, practitioner: str = "") -> list[str]:
    """Return the teams that care for *patient* now: those of *practitioner*, if one is given."""
    table = care_relationship.c
    terms: list[ColumnElement[bool]] = [
        table.bucket == bucket_of(patient),
        table.patient == patient,
        table.starts <= writer.now,
        or_(table.ends.is_(None), table.ends > writer.now),
    ]
    if practitioner:
        terms.append(table.practitioner == practitioner)
    rows = writer.select(select(table.team).where(*terms).distinct().order_by(table.team))
    return [str(row[0]) for row in rows]
