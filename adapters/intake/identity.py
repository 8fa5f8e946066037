"""Which patient is meant: by identifier, and only where the birth date agrees.

The patient's id is a keyed hash of the NHS number, or of a local identifier where there is none,
so that two feeds find the same person without asking each other. What disagrees is never
resolved here: the message waits for a person.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

from adapters.hl7v2.conversion import PersonNamed
from adapters.intake import claims
from fhir_server.model import json
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]


class Unclear(Exception):
    """The message waits for a person; it carries the answer's code and the field to blame.

    *ack* is None where the feed's own agreement decides between AA and AE.
    """

    def __init__(
        self, ack: Literal["AE"] | None, hl7_code: int, code: str, address: str, text: str
    ) -> None:
        super().__init__(f"{code} at {address}: {text}")
        self.ack = ack
        self.hl7_code = hl7_code
        self.code = code
        self.address = address
        self.text = text


@dataclass(frozen=True, slots=True)
class Identity:
    """The patient meant: an id, and what is stored about them, None where they are new here."""

    patient: str
    stored: Stored | None
    flags: tuple[str, ...] = ()
    held: bool = False
    """Whether results wait for a clinician: the person died, or the sender does not know them."""


def candidates(id_key: bytes, person: PersonNamed) -> tuple[str, ...]:
    """Return the ids that *person* would have by each identifier, the NHS number's first."""
    by_number = (
        (derived_id(id_key, "Patient", NHS_NUMBER, person.nhs_number.digits),)
        if person.nhs_number
        else ()
    )
    return by_number + tuple(
        derived_id(id_key, "Patient", authority, value) for authority, value in person.identifiers
    )


def identify(writer: Writer, person: PersonNamed) -> Identity:
    """Return the patient whom the message means. Raises Unclear where a human has to look."""
    ids = candidates(writer.id_key, person)
    if not ids:
        raise Unclear(
            "AE", 204, "identity-unclear", "PID.3", "No identifier here says whose result it is."
        )
    if person.nhs_number is not None and not person.birth_date:
        raise Unclear(
            "AE",
            101,
            "identity-unclear",
            "PID.7",
            "An NHS number is filed with its birth date only.",
        )
    patient = ids[0]
    stored = writer.current("Patient", patient)
    if stored is None and person.nhs_number is None:
        patient, stored = _by_local_identifier(writer, person, ids)
    if stored is None:
        return Identity(patient, None, held=person.identity_unknown)
    known = json.decode(stored.body)
    flags = _compared(known, person)
    dead = "deceasedDateTime" in known or known.get("deceasedBoolean") is True
    return Identity(patient, stored, flags, held=dead or person.identity_unknown)


def _by_local_identifier(
    writer: Writer, person: PersonNamed, ids: tuple[str, ...]
) -> tuple[str, Stored | None]:
    """Return the one patient who bears a local identifier of *person*, by id or by claim."""
    found = {id_: stored for id_ in ids if (stored := writer.current("Patient", id_))}
    for authority, value in person.identifiers:
        for id_ in claims.holders(writer, "person", authority, value):
            if stored := writer.current("Patient", id_):
                found[id_] = stored
    if len(found) > 1:
        raise Unclear(
            "AE",
            204,
            "identity-unclear",
            "PID.3",
            "The identifiers here belong to more than one person.",
        )
    return next(iter(found.items())) if found else (ids[0], None)


def _compared(known: Tree, person: PersonNamed) -> tuple[str, ...]:
    """Return flags for what differs mildly. Raises Unclear where it may be somebody else."""
    if person.birth_date and known.get("birthDate", person.birth_date) != person.birth_date:
        raise Unclear(
            None,
            204,
            "identity-conflict",
            "PID.7",
            "The birth date is not that of the person known.",
        )
    family = _folded(person.family)
    known_families = {_folded(name.get("family", "")) for name in known.get("name", ())}
    differing = [
        address
        for address, differs in (
            (
                "PID.5",
                bool(family) and bool(known_families - {""}) and family not in known_families,
            ),
            (
                "PID.8",
                person.gender in {"male", "female"}
                and known.get("gender") in {"male", "female"}
                and known["gender"] != person.gender,
            ),
        )
        if differs
    ]
    if len(differing) > 1:
        raise Unclear(
            None,
            204,
            "identity-conflict",
            "PID.5",
            "Name and sex are not those of the person known.",
        )
    return tuple(f"identity-differs {address}" for address in differing)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if one.isalnum())
