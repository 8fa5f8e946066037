"""The answer to a Bundle: a message with a response, a transaction-response, or what is wrong.

Nothing in it tells what is known of the person: a Patient and the directory are answered alike,
whether they are new or not. https://hl7.org/fhir/R4/messageheader.html,
https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/operationoutcome.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from adapters.fhir_push.bundle import Head
from adapters.fhir_push.rules import DIRECTORY_TYPES
from adapters.hl7v2.ack import BUSY, Fault
from adapters.hl7v2.conversion import Key
from adapters.intake.occasion import Outcome
from adapters.intake.reading import Verdict
from fhir_server.clock import instant_text
from fhir_server.errors import Issue
from fhir_server.model import json

Tree = dict[str, Any]

FAULTS = "urn:portal-fhir:faults"
"""The system of the stable codes in an OperationOutcome."""
OPERATION = "$process-message"

_ISSUE_TYPES: Mapping[int, str] = MappingProxyType(
    {
        100: "structure",
        101: "required",
        102: "invalid",
        103: "code-invalid",
        200: "not-supported",
        202: "business-rule",
        204: "business-rule",
        205: "duplicate",
        BUSY: "transient",
    }
)
"""Numbers of table 0357 to https://hl7.org/fhir/R4/valueset-issue-type.html"""
_UNREADABLE = "json-bad"
_SHARED = DIRECTORY_TYPES | {"Patient"}
_KEPT = "It is kept with the message, and not filed by itself."
_LATER = "A later version is stored; this one is kept with the message."


@dataclass(frozen=True, slots=True)
class Wording:
    """How one Bundle is answered; called with what became of it, as `reading.Words` is.

    *base* is the address of the FHIR interface, *keys* are those of what each entry became, and
    *issues* all that is wrong where it is no valid FHIR.
    """

    head: Head
    base: str
    keys: Mapping[int, Key] | None = None
    issues: Sequence[Issue] = ()

    def __call__(
        self, verdict: Verdict, sent: datetime, outcome: Outcome | None
    ) -> tuple[bytes, ...]:
        """Return the answer's bytes."""
        wrong = _outcome(verdict.why, self.issues) if verdict.ack != "AA" else None
        if self.head.kind == "message" and self.head.message_id and self.head.event:
            return (json.encode(self._message(verdict, sent, wrong)),)
        return (json.encode(wrong or self._transaction(outcome)),)

    def _message(self, verdict: Verdict, sent: datetime, wrong: Tree | None) -> Tree:
        header_id, outcome_id = uuid4(), uuid4()
        code = "transient-error" if verdict.why.hl7_code == BUSY else "fatal-error"
        response: Tree = {"identifier": self.head.message_id, "code": code if wrong else "ok"}
        if wrong:
            response["details"] = {"reference": f"urn:uuid:{outcome_id}"}
        header: Tree = {
            "resourceType": "MessageHeader",
            "id": str(header_id),
            **(self.head.event or {}),
            "source": {"name": "Portal FHIR", "endpoint": f"{self.base}/{OPERATION}"},
            "response": response,
        }
        if self.head.endpoint:
            name = {"name": self.head.source} if self.head.source else {}
            header["destination"] = [{**name, "endpoint": self.head.endpoint}]
        entries = [_entry(header_id, header), *([_entry(outcome_id, wrong)] if wrong else [])]
        return {
            "resourceType": "Bundle",
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid4()}"},
            "type": "message",
            "timestamp": instant_text(sent),
            "entry": entries,
        }

    def _transaction(self, outcome: Outcome | None) -> Tree:
        made = tuple(self._responses(outcome))
        return {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [{"response": one} for one in made],
        }

    def _responses(self, outcome: Outcome | None) -> Iterator[Tree]:
        versions = dict(_versions(outcome)) if outcome is not None else {}
        for number in range(self.head.entries):
            key = (self.keys or {}).get(number)
            id_ = outcome.ids.get(key) if outcome is not None and key is not None else None
            if outcome is None or (key is not None and id_ is None):
                yield {"status": "202 Accepted"}
            elif key is None:
                yield {"status": "202 Accepted", "outcome": _informed(_KEPT)}
            elif key[0] in _SHARED:
                yield {"status": "200 OK", "location": f"{key[0]}/{id_}"}
            else:
                yield _filed(f"{key[0]}/{id_}", versions)


def _filed(reference: str, versions: Mapping[str, str]) -> Tree:
    version = versions.get(reference)
    if version is None:
        return {"status": "202 Accepted", "location": reference, "outcome": _informed(_LATER)}
    return {
        "status": "201 Created" if version == "1" else "200 OK",
        "location": f"{reference}/_history/{version}",
        "etag": f'W/"{version}"',
    }


def _versions(outcome: Outcome) -> Iterator[tuple[str, str]]:
    for one in outcome.made:
        reference, _, version = one.partition("/_history/")
        yield reference, version


def _entry(id_: UUID, resource: Tree) -> Tree:
    return {"fullUrl": f"urn:uuid:{id_}", "resource": resource}


def _outcome(fault: Fault, issues: Sequence[Issue]) -> Tree:
    """Return what is wrong as an OperationOutcome: each issue of a judgement, else the fault."""
    kind = _ISSUE_TYPES[fault.hl7_code] if fault.code != _UNREADABLE else "structure"
    found = issues or (Issue(kind, fault.text, fault.field),)
    coding = [{"system": FAULTS, "code": fault.code}]
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "fatal" if fault.hl7_code == BUSY else "error",
                "code": one.code,
                "details": {"coding": coding, "text": one.text},
            }
            | ({"diagnostics": one.diagnostics} if one.diagnostics else {})
            | ({"expression": [one.expression]} if one.expression else {})
            for one in found
        ],
    }


def _informed(text: str) -> Tree:
    issue = {"severity": "information", "code": "informational", "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
