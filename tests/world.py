"""A served portal with people in it: results released and held, and tokens for everyone."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from sqlalchemy import func, select

from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from auth import tokens
from auth.principal import Role
from auth.tokens import Holder
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import bucket_of, derived_id, new_id
from fhir_server.record import Record, Writer
from fhir_server.store.tables import audit_entry
from portal_api.portal import Portal

Tree = dict[str, Any]
ALAN, BRIAN = "9990000018", "9990000026"
NURSE, STRANGER = new_id(), new_id()
OPERATOR = Access(Agent("operator", user="os:test"), "seed", WholeStore(), {})


def psa(nhs_number: str, filler: str, value: str = "7.3", section: str = "CH") -> bytes:
    """Return a PSA result; section SP makes it histology, which is held."""
    code = "2857-1^PSA^LN"
    return "\r".join(
        [
            f"MSH|^~\\&|LIMS|RXX|PORTAL|CMCA|20261124091500||ORU^R01^ORU_R01|{filler}|P|2.5.1",
            f"PID|1||{nhs_number}^^^NHS^NH||Example^Person||19550301|M",
            f"ORC|RE|O{filler}|{filler}|||||||||C1234567^Smith^Jo",
            f"OBR|1|O{filler}|{filler}|{code}|||20261124083000|||||||||||||||20261124091500||{section}|F",
            f"OBX|1|NM|{code}||{value}|ug/L|0-6.5|H|||F|||20261124083000",
            "",
        ]
    ).encode()


@dataclass(frozen=True, slots=True)
class World:
    """The served portal, its people, and ways to ask it."""

    portal: Portal
    base: str
    client: httpx.Client
    alan: str
    brian: str
    nurse: str
    stranger: str

    def file(self, raw: bytes) -> None:
        _file(self.portal.record, raw)

    def entries(self) -> int:
        """Return how many entries the ledger has."""
        statement = select(func.count()).select_from(audit_entry)
        return int(self.portal.record.select(statement)[0][0])

    def newest(self, count: int = 1) -> list[Any]:
        """Return the newest rows of the ledger, the newest first."""
        statement = select(audit_entry).order_by(audit_entry.c.seq.desc()).limit(count)
        return list(self.portal.record.select(statement))

    def raw(self, request: bytes) -> bytes:
        """Send bytes that no client would send; return what comes until the server hangs up."""
        host, _, port = self.base.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer

    def token(self, role: Role, person: str, scope: str, patient: str = "") -> str:
        holder = Holder(role, "test-app", person=person, patient=patient)

        def piece(writer: Writer) -> str:
            return tokens.issue_for_operator(writer, holder, scope)

        return self.portal.record.submit(OPERATOR, piece).result(timeout=10)

    def as_patient(self, patient: str, scope: str = "patient/*.cruds") -> "Asker":
        return Asker(self, self.token(Role.PATIENT, f"Patient/{patient}", scope, patient))

    def as_clinician(self, practitioner: str, scope: str = "user/*.cruds") -> "Asker":
        return Asker(self, self.token(Role.CLINICIAN, f"Practitioner/{practitioner}", scope))

    def as_auditor(self) -> "Asker":
        return Asker(self, self.token(Role.AUDITOR, "login:auditor", "user/*.rs"))

    def as_client(self, scope: str = "system/*.cruds") -> "Asker":
        return Asker(self, self.token(Role.CLIENT, "", scope))


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody with a token."""

    world: World
    token: str

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | sent.pop("headers", {})
        address = f"{self.world.base}/fhir/{path}"
        return self.world.client.request(method, address, headers=headers, **sent)

    def get(self, path: str, **sent: Any) -> httpx.Response:
        return self.ask("GET", path, **sent)

    def post(self, path: str, tree: Tree) -> httpx.Response:
        return self.ask("POST", path, json=tree)

    def put(self, path: str, tree: Tree, **sent: Any) -> httpx.Response:
        return self.ask("PUT", path, json=tree, **sent)

    def ids(self, path: str) -> list[str]:
        return [one["resource"]["id"] for one in self.get(path).json().get("entry", [])]


def shown(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """Return all of an answer but the request id, the date, and a Bundle's instant."""
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in {"x-request-id", "date"}
    }
    body = response.content
    start = body.find(b'"meta":{"lastUpdated":"') if b'"searchset"' in body else -1
    if start >= 0:
        body = body[:start] + body[body.index(b"}", start) :]
    return response.status_code, headers, body


def people(record: Record) -> None:
    """File Alan and Brian with results, a nurse who cares for both, and a clinician of neither."""
    for number, filler in ((ALAN, "A1"), (ALAN, "A2"), (BRIAN, "B1"), (BRIAN, "B2")):
        _file(record, psa(number, filler))
    _file(record, psa(ALAN, "AH", section="SP"))
    _file(record, psa(BRIAN, "BH", section="SP"))

    def piece(writer: Writer) -> None:
        for practitioner, family in ((NURSE, "Nurse"), (STRANGER, "Stranger")):
            tree = {"resourceType": "Practitioner", "active": True, "name": [{"family": family}]}
            writer.file(tree, id_=practitioner, patient="", release_at=writer.now)
        for number in (ALAN, BRIAN):
            patient = derived_id(record.id_key, "Patient", NHS_NUMBER, number)
            team = {
                "resourceType": "CareTeam",
                "status": "active",
                "name": "Prostate nurses",
                "subject": {"reference": f"Patient/{patient}"},
                "participant": [{"member": {"reference": f"Practitioner/{NURSE}"}}],
            }
            id_ = new_id(bucket_of(patient))
            writer.file(team, id_=id_, patient=patient, release_at=writer.now)

    record.submit(OPERATOR, piece).result(timeout=10)


@contextmanager
def around(portal: Portal, served: str) -> Iterator[World]:
    """Give the world of a served portal with `people` in its database."""
    key = portal.record.id_key
    alan, brian = (derived_id(key, "Patient", NHS_NUMBER, one) for one in (ALAN, BRIAN))
    with httpx.Client(timeout=30, verify=_trusted()) as client:
        yield World(portal, served, client, alan, brian, NURSE, STRANGER)


def _file(record: Record, raw: bytes) -> None:
    answers = receive(record, (LOOPBACK,), raw, "127.0.0.1").result(timeout=30)
    assert b"MSA|AA" in answers[0]


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates that a client trusts, which take longer to read than a request."""
    return httpx.create_ssl_context()
