"""A portal as a hospital, a patient and a clinician see it: messages in, answers and views out."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from adapters.intake.batches import receive
from adapters.intake.feeds import LOOPBACK, Feed
from adapters.intake.tables import inbox
from fhir_server.access import Access, Agent, Interaction, OwnRecord, WholeStore
from fhir_server.errors import NotFound
from fhir_server.model import json
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.record import Record, Stored, Writer
from fhir_server.search.query import parse
from fhir_server.searching import search
from fhir_server.store.tables import audit_entry

Tree = dict[str, Any]

ALAN, BRIAN = "9990000018", "9990000026"
EVERYTHING = dict.fromkeys(
    (
        *("Patient", "Observation", "DiagnosticReport", "Specimen", "ServiceRequest"),
        *("Provenance", "Organization", "Practitioner", "PractitionerRole", "AuditEvent"),
        *("DocumentReference", "Communication", "Appointment"),
    ),
    frozenset(Interaction),
)
OPERATOR = Access(Agent("operator", user="os:test", behind="test"), "t", WholeStore(), {})
_PLACE = re.compile(r"(\w+)\^(\d+)(?:\^(\d+))?")


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement taken apart: MSA-1, MSA-2, ERR-3.1, ERR-5.1 and ERR-2 as an address."""

    code: str
    control_id: str
    hl7: str = ""
    name: str = ""
    field: str = ""

    @property
    def fault(self) -> tuple[str, str, str, str]:
        return self.code, self.hl7, self.name, self.field


def answer_of(raw: bytes) -> Answer:
    """Take apart the last acknowledgement in *raw*, of version 2.5 or later."""
    text = raw.decode("ascii")
    start = max(one.start() for one in re.finditer(r"(?<![^\r])MSH", text))
    mark = text[start + 3]
    lines = [line.split(mark) for line in text[start:].split("\r")]
    msa = next(line for line in lines if line[0] == "MSA")
    err = next((line for line in lines if line[0] == "ERR"), None)
    if err is None:
        return Answer(msa[1], msa[2])
    place = _PLACE.match(err[2])
    segment, number, field = place.groups() if place else ("", "1", None)
    name = segment if number == "1" else f"{segment}[{number}]"
    where = f"{name}.{field}" if field else name
    return Answer(msa[1], msa[2], err[3].split("^")[0], err[5].split("^")[0], where)


@dataclass(frozen=True, slots=True)
class Ward:
    """One record, and everybody who looks at it."""

    record: Record
    message: Callable[..., str]

    def raw(self, payload: bytes | str, feed: Feed = LOOPBACK, peer: str = "127.0.0.1") -> bytes:
        octets = payload.encode() if isinstance(payload, str) else payload
        return b"".join(receive(self.record, (feed,), octets, peer).result(timeout=60))

    def send(self, payload: bytes | str, feed: Feed = LOOPBACK, peer: str = "127.0.0.1") -> Answer:
        return answer_of(self.raw(payload, feed, peer))

    def psa(self, feed: Feed = LOOPBACK, **changes: str) -> Answer:
        return self.send(self.message(**changes), feed)

    def row(self, control_id: str = "MSG1") -> Any:
        rows = self.record.select(select(inbox).where(inbox.c.control_id == control_id))
        assert len(rows) == 1
        return rows[0]

    def fate(self, control_id: str = "MSG1") -> tuple[str, str, str]:
        row = self.row(control_id)
        return row.fate, row.code, row.address

    def flags(self, control_id: str = "MSG1") -> list[str]:
        return str(self.row(control_id).flags).split("\n") if self.row(control_id).flags else []

    def fates(self) -> list[str]:
        rows = self.record.select(select(inbox.c.fate).order_by(inbox.c.received))
        return [row.fate for row in rows]

    def patient(self, nhs_number: str = ALAN) -> str:
        return derived_id(self.record.id_key, "Patient", NHS_NUMBER, nhs_number)

    def as_patient(self, nhs_number: str = ALAN) -> Access:
        return Access(
            Agent("patient", user=f"Patient/{self.patient(nhs_number)}"),
            "patient",
            OwnRecord((self.patient(nhs_number),)),
            EVERYTHING,
        )

    def as_clinician(self) -> Access:
        agent = Agent("clinician", user="Practitioner/nadia")
        return Access(agent, "clinician", WholeStore(), EVERYTHING, bound_by_release=False)

    def found(self, access: Access, resource_type: str, *pairs: tuple[str, str]) -> list[Tree]:
        query = parse(resource_type, [*pairs, ("_count", "200")], "http://x/fhir")
        page = search(self.record, access, query, "").result(timeout=60)
        return [json.decode(one.body) for one in page.matches]

    def seen(self, resource_type: str = "Observation", nhs_number: str = ALAN) -> list[Tree]:
        """What the patient finds."""
        return self.found(self.as_patient(nhs_number), resource_type)

    def known(self, resource_type: str = "Observation", nhs_number: str = ALAN) -> list[Tree]:
        """What a clinician finds of the patient, held or not."""
        pairs = [] if resource_type == "Patient" else [("patient", self.patient(nhs_number))]
        return self.found(self.as_clinician(), resource_type, *pairs)

    def values(self, *, clinician: bool = False) -> list[str]:
        trees = self.known() if clinician else self.seen()
        return sorted(value_of(one) for one in trees)

    def versions(self, access: Access, tree: Tree) -> list[Tree]:
        kind, id_ = tree["resourceType"], tree["id"]
        try:
            history = self.record.history(access, kind, id_).result(timeout=60)
        except NotFound:
            return []
        return [json.decode(one.body) for one in history]

    def ledger(self) -> list[Tree]:
        """Every entry of the ledger, oldest first."""
        rows = self.record.select(select(audit_entry.c.body).order_by(audit_entry.c.seq))
        return [json.decode(bytes(row.body)) for row in rows]

    def change(self, tree: Tree, *, held: bool = False, **elements: Any) -> Stored:
        """Change a stored resource as the portal's own pages would: open now, or held."""
        id_ = tree["id"]
        owner = tree["subject"]["reference"].split("/")[1] if "subject" in tree else id_

        def piece(writer: Writer) -> Stored:
            changed = {**tree, **elements}
            release_at = None if held else writer.now
            return writer.file(changed, id_=id_, patient=owner, release_at=release_at).stored

        future = self.record.submit(OPERATOR, piece, buckets=[bucket_of(id_)])
        return future.result(timeout=60)


def value_of(tree: Tree) -> str:
    """Return an Observation's value as text, a comparator in front; `-` where it has none."""
    if "valueQuantity" in tree:
        quantity = tree["valueQuantity"]
        return f"{quantity.get('comparator', '')}{quantity['value']}"
    return str(tree.get("valueString", "-"))
