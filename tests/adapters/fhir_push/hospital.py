"""A hospital that posts Bundles to a served portal, and everybody who looks at what came of it."""

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from adapters.intake.feeds import Feed
from adapters.intake.tables import inbox
from auth import tokens
from auth.principal import Role
from auth.tokens import Holder
from fhir_server.model import json
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import derived_id
from fhir_server.record import Writer
from fhir_server.store.tables import audit_entry
from portal_api.portal import Portal
from tests.adapters.fhir_push.bundles import ALAN
from tests.world import OPERATOR

Tree = dict[str, Any]

PUSH = "system/hl7v2.write"
FHIR = {"Content-Type": "application/fhir+json"}
MERSEY = Feed(
    "mersey",
    sending_application="LIMS",
    sending_facility="RXX",
    receiving_application="PORTAL",
    receiving_facility="CMCA",
    clients=("mersey-push",),
    contact="the helpline",
)


@dataclass(frozen=True, slots=True)
class Hospital:
    """A served portal that has agreed with one hospital, and ways to post to it and to look."""

    portal: Portal
    base: str
    client: httpx.Client

    def token(
        self,
        scope: str = PUSH,
        client: str = "mersey-push",
        role: Role = Role.CLIENT,
        patient: str = "",
    ) -> str:
        person = f"Patient/{patient}" if patient else ""
        holder = Holder(role, client, person=person, patient=patient)

        def piece(writer: Writer) -> str:
            return tokens.issue_for_operator(writer, holder, scope)

        return self.portal.record.submit(OPERATOR, piece).result(timeout=10)

    def post(
        self,
        content: Tree | bytes,
        path: str = "/$process-message",
        token: str = "",
        headers: dict[str, str] = FHIR,
    ) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.encode(content)
        bearer = {"Authorization": f"Bearer {token or self.token()}"}
        return self.client.post(f"{self.base}{path}", content=body, headers=headers | bearer)

    def transact(self, content: Tree | bytes, **sent: Any) -> httpx.Response:
        return self.post(content, path="", **sent)

    def patient(self, nhs_number: str = ALAN) -> str:
        return derived_id(self.portal.record.id_key, "Patient", NHS_NUMBER, nhs_number)

    def seen(self, resource_type: str = "Observation", nhs_number: str = ALAN) -> list[Tree]:
        """What the patient's app finds."""
        patient = self.patient(nhs_number)
        token = self.token("patient/*.rs", "app", Role.PATIENT, patient)
        return self._found(resource_type, token)

    def known(self, resource_type: str = "Observation") -> list[Tree]:
        """What is stored, held or not, as an application of the hospital's own system finds it."""
        return self._found(resource_type, self.token("system/*.rs", "census"))

    def _found(self, resource_type: str, token: str) -> list[Tree]:
        answer = self.client.get(
            f"{self.base}/{resource_type}", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200, answer.text
        return [one["resource"] for one in json.decode(answer.content).get("entry", [])]

    def values(self) -> list[str]:
        """The values that the patient's app shows."""
        return sorted(str(one.get("valueQuantity", {}).get("value", "-")) for one in self.seen())

    def rows(self) -> list[tuple[str, ...]]:
        """Feed, control id, type, fate, code and address of each message, oldest first."""
        found = self.portal.record.select(select(inbox).order_by(inbox.c.received))
        return [
            (row.feed, row.control_id, row.message_type, row.fate, row.code, row.address)
            for row in found
        ]

    def row(self, control_id: str) -> Any:
        (row,) = self.portal.record.select(select(inbox).where(inbox.c.control_id == control_id))
        return row

    def fate(self, control_id: str = "M1") -> tuple[str, str, str]:
        row = self.row(control_id)
        return row.fate, row.code, row.address

    def flags(self, control_id: str = "M1") -> list[str]:
        return list(filter(None, self.row(control_id).flags.split("\n")))

    def ledger(self) -> list[tuple[str, str, str, str]]:
        """Subtype, outcome, entity and application of each entry."""
        rows = self.portal.record.select(select(audit_entry).order_by(audit_entry.c.seq))
        return [
            (row.subtype, row.outcome, row.entity, row.client)
            for row in rows
            if row.subtype != "feed-changed"
        ]


def said(answer: httpx.Response) -> tuple[int, str, str, str]:
    """Return status, response code, stable code and FHIRPath of an answer to a message."""
    tree = json.decode(answer.content)
    if tree["resourceType"] == "OperationOutcome":
        return answer.status_code, "", *_issue(tree)
    response = tree["entry"][0]["resource"]["response"]
    wrong = tree["entry"][1]["resource"] if len(tree["entry"]) > 1 else None
    return answer.status_code, response["code"], *(_issue(wrong) if wrong else ("", ""))


def _issue(tree: Tree) -> tuple[str, str]:
    issue = tree["issue"][0]
    coding = issue["details"].get("coding", [{"code": issue["code"]}])
    return coding[0]["code"], issue.get("expression", [""])[0]
