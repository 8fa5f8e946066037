"""What a message would become, without writing anything: for onboarding and for tests."""

from dataclasses import dataclass
from typing import Any, Literal

from adapters.hl7v2 import er7
from adapters.hl7v2.ack import Fault, fault_of
from adapters.hl7v2.conversion import PATIENT, Key, Made, resolve
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.header import Header, glimpse, read_header
from adapters.hl7v2.kinds import Content, convert
from adapters.hl7v2.refusal import Refused
from adapters.intake.reading import require_control_id
from fhir_server.errors import Invalid
from fhir_server.model.ids import derived_id
from fhir_server.model.validate import judge

Tree = dict[str, Any]

_KEY = b"preview: these ids are not those that filing gives"


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer that a message would get, and the resources that it would become."""

    control_id: str
    ack: Literal["AA", "AE", "AR"]
    faults: tuple[Fault, ...]
    flags: tuple[str, ...]
    accounted: tuple[str, ...]
    """What became of each segment, in order: "PID[1] Patient"."""
    bundle: Tree | None
    content: Content | None = None
    """What the bundle was made of."""


def preview(raw: bytes, dialect: Dialect, base: str) -> Preview:
    """Return what *raw* would become under *dialect*; references are below the address *base*.

    Whose record it would go into, and whether it came before, is not looked up.
    """
    header: Header = glimpse(raw)
    try:
        message = er7.read(
            raw, default_charset=dialect.charset, doubled_escape=dialect.doubled_escape
        )
        header = read_header(message)
        require_control_id(header)
        content = convert(message, dialect)
        bundle = bundle_of(content, base)
    except Refused as refused:
        return Preview(header.control_id, refused.ack, (fault_of(refused),), (), (), None)
    except Invalid as invalid:
        return Preview(header.control_id, "AE", faults_of(invalid, "MSH.9"), (), (), None)
    accounted = tuple(
        f"{segment.name}[{segment.occurrence}] {content.accounted[segment.number]}"
        for segment in message.segments
    )
    flags = (*message.flags, *(f"{flag.code} {flag.address}" for flag in content.flags))
    return Preview(header.control_id, "AA", (), flags, accounted, bundle, content)


def faults_of(invalid: Invalid, field: str) -> tuple[Fault, ...]:
    """Return what is wrong with the resources that a message would become; *field* is to blame."""
    return tuple(
        Fault(102, "resource-invalid", field, f"{issue.expression}: {issue.text}")
        for issue in invalid.issues
    )


def bundle_of(content: Content, base: str) -> Tree:
    """Return all that *content* would become, as one collection. Raises Invalid where it can't."""
    patient = Made(PATIENT, content.person.tree)
    made = (patient, *content.all_made())
    keys = (*(one.key for one in made), *content.named())
    ids: dict[Key, str] = {key: derived_id(_KEY, *key) for key in keys}
    entries = []
    for one in made:
        tree = judge(resolve(one.tree, ids))
        tree = {"resourceType": tree["resourceType"], "id": ids[one.key]} | tree
        entries.append(
            {"fullUrl": f"{base}/{tree['resourceType']}/{ids[one.key]}", "resource": tree}
        )
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}
