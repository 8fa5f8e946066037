"""Which patient is meant: by identifier, and only where the birth date agrees.

The patient's id is a keyed hash of the NHS number, or of a local identifier where there is none,
so that two feeds find the same person without asking each other. What disagrees is never
resolved here: the message waits for a person.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from adapters.hl7v2.conversion import PersonNamed
from adapters.intake import claims, likeness
from adapters.intake.claims import Number
from adapters.intake.unclear import Unclear
from fhir_server.linking import whole
from fhir_server.model import json
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id, is_id
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]

_MOST_MERGES = 20
"""Links from a retired record to its survivor that are followed; more are a circle."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The patient meant: an id, and what is stored about them, None where they are new here.

    What is filed for them goes into the record of *patient*, and names *subject*: these differ
    where records were joined, and a message goes on with what was filed under a retired id.
    """

    patient: str
    stored: Stored | None
    flags: tuple[str, ...] = ()
    held: bool = False
    """Whether results wait for a clinician: the person died, or the sender does not know them."""
    record: tuple[str, ...] = ()
    """The ids under which their record is kept, the survivor's first; empty where it is one."""

    @property
    def subject(self) -> str:
        """The id of the Patient whom all that is filed for them names."""
        return self.record[0] if self.record else self.patient

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids under which their record is kept."""
        return self.record or (self.patient,)


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
        raise _unclear("No identifier here says whose result it is.")
    flags: tuple[str, ...] = ()
    if person.nhs_number is None:
        patient, stored = _by_local_identifier(writer, person, ids)
    else:
        if not person.birth_date:
            text = "An NHS number is filed with its birth date only."
            raise Unclear("AE", 101, "identity-unclear", "PID.7", text)
        patient, stored = ids[0], writer.current("Patient", ids[0])
        flags = _of_others(writer, person, patient)
    held = person.identity_unknown or person.deceased is True
    if stored is None:
        return Identity(patient, None, flags, held)
    stored = _survivor(writer, stored)
    known = json.decode(stored.body)
    flags += likeness.differences(known, person)
    record = whole(writer, stored.id) if "link" in known else ()
    return Identity(stored.id, stored, flags, held or _is_dead(known), record)


def at_home(writer: Writer, identity: Identity, numbers: Iterable[Number]) -> Identity:
    """Return *identity* as it is for what goes by these *numbers*.

    What was filed under an id that was retired since stays there, and goes on there.
    """
    if not identity.record:
        return identity
    for number in numbers:
        for holder in claims.holders(writer, number):
            if holder in identity.record:
                return replace(identity, patient=holder)
    return identity


def _by_local_identifier(
    writer: Writer, person: PersonNamed, ids: tuple[str, ...]
) -> tuple[str, Stored | None]:
    """Return the one patient who bears a local identifier of *person*, by id or by claim."""
    found: dict[str, Stored] = {}
    for id_ in (*ids, *_claimants(writer, person)):
        if id_ not in found and (stored := writer.current("Patient", id_)):
            survivor = _survivor(writer, stored)
            found[survivor.id] = survivor
    if len(found) > 1:
        raise _unclear("The identifiers here belong to more than one person.")
    return next(iter(found.items())) if found else (ids[0], None)


def _claimants(writer: Writer, person: PersonNamed) -> Iterator[str]:
    for number in claims.of_person(person):
        yield from claims.holders(writer, number)


def _of_others(writer: Writer, person: PersonNamed, patient: str) -> tuple[str, ...]:
    """Return a flag where a local identifier was filed without an NHS number before.

    Raises Unclear where it belongs to somebody with another NHS number.
    """
    flags: tuple[str, ...] = ()
    for other in dict.fromkeys(_claimants(writer, person)):
        stored = writer.current("Patient", other) if other != patient else None
        if stored is None or (stored := _survivor(writer, stored)).id == patient:
            continue
        if any(one.get("system") == NHS_NUMBER for one in _identifiers(stored)):
            raise Unclear(
                None,
                204,
                "identity-conflict",
                "PID.3",
                "The local identifier belongs to a person with another NHS number.",
            )
        flags = ("identity-split PID.3",)
    return flags


def _identifiers(stored: Stored) -> list[Tree]:
    return list(json.decode(stored.body).get("identifier", ()))


def _survivor(writer: Writer, stored: Stored) -> Stored:
    """Return the record into which *stored* was merged, itself where it was not."""
    for _ in range(_MOST_MERGES):
        following = _replaced_by(stored)
        after = writer.current("Patient", following) if following else None
        if after is None:
            return stored
        stored = after
    raise _unclear("The records of this person are merged in a circle.")


def _replaced_by(stored: Stored) -> str:
    for link in json.decode(stored.body).get("link", ()):
        if link.get("type") == "replaced-by":
            id_ = str(link.get("other", {}).get("reference", "")).removeprefix("Patient/")
            return id_ if is_id(id_) else ""
    return ""


def _is_dead(known: Tree) -> bool:
    return "deceasedDateTime" in known or known.get("deceasedBoolean") is True


def _unclear(text: str) -> Unclear:
    return Unclear("AE", 204, "identity-unclear", "PID.3", text)
