"""A portal with its pages over a real record: patients, nurses, an auditor and an operator."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
from argon2 import PasswordHasher
from sqlalchemy import select

from auth.login import local
from auth.login.local import Login
from auth.principal import Role
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.model import json
from fhir_server.model.ids import new_id
from fhir_server.model.validate import judge
from fhir_server.record import Notice
from fhir_server.store.tables import audit_entry
from portal_api import settings
from portal_api.app import build
from portal_api.opening import opened

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
PASSWORD = "correct horse"
FILING = Access(
    Agent("feed", user="feed:north", organization="Northgate Hospital", purpose="TREAT"),
    "filing",
    WholeStore(),
    {},
    bound_by_release=False,
)


def text_of(page) -> str:
    """The words of a page, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


@dataclass
class Hands:
    """A clock that a test turns."""

    instant: datetime = NOW

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, **spans: float) -> None:
        self.instant += timedelta(**spans)


class Browser:
    """Somebody's browser, at the application in this process: cookies, and forms as they stand."""

    def __init__(self, app) -> None:
        self._app, self.cookies = app, httpx.Cookies()

    def get(self, path, **options) -> httpx.Response:
        return self.send("GET", path, **options)

    def send(self, method, path, **options) -> httpx.Response:
        async def sending() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=("192.0.2.7", 443))
            async with httpx.AsyncClient(
                transport=transport, base_url="https://portal.example", cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies = client.cookies
                return answer

        return asyncio.run(sending())

    def fill(self, page, action, **fields) -> httpx.Response:
        """Send the form of *page* that goes to *action*, its hidden fields included."""
        forms = re.findall(r"<form\b.*?</form>", page.text, re.DOTALL)
        form = next(one for one in forms if f'action="{action}"' in one)
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        return self.send("POST", action, data=hidden | fields)

    def sign_in(self, login) -> httpx.Response:
        page = self.get("/sign-in")
        return self.fill(page, "/sign-in", login=login, password=PASSWORD)


@dataclass
class World:
    """The portal, its clock, and the ids of those who are in it."""

    portal: object
    app: object
    hands: Hands
    ids: dict[str, str] = field(default_factory=dict)

    def browser(self, login) -> Browser:
        browser = Browser(self.app)
        assert browser.sign_in(login).status_code == 303
        return browser

    def file(self, tree, patient="", *, release_at=..., notice=None) -> str:
        """File *tree* as a feed does; held where *release_at* is None or later."""
        bucket = int(patient[:3], 16) if patient else None
        id_ = tree.pop("id", None) or new_id(bucket)
        judged = judge(tree)

        def piece(writer):
            when = writer.now if release_at is ... else release_at
            stored = writer.file(judged, id_=id_, patient=patient or "", release_at=when).stored
            if notice:
                writer.notice(Notice(patient, id_, *notice))
            writer.audit("message-filed", patient=patient, entity=stored.reference)
            return id_

        return self.portal.record.submit(FILING, piece).result(timeout=10)

    def patient(self, name, nhs, login, *team) -> str:
        id_ = new_id()
        given, family = name.split()
        tree = {
            "resourceType": "Patient",
            "id": id_,
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": nhs}],
            "name": [{"family": family, "given": [given]}],
            "birthDate": "1955-03-04",
        }
        self.file(tree, id_)
        members = [{"member": {"reference": f"Practitioner/{self.ids[one]}"}} for one in team]
        care_team = {
            "resourceType": "CareTeam",
            "status": "active",
            "name": "Urology nurses",
            "subject": {"reference": f"Patient/{id_}"},
            "participant": members,
            "telecom": [{"system": "phone", "value": "0151 496 0101"}],
        }
        self.ids[f"{login} team"] = self.file(care_team, id_)
        self.ids[login] = id_
        self.login(login, Role.PATIENT, name, f"Patient/{id_}")
        return id_

    def nurse(self, name, login) -> None:
        family = name.split()[-1]
        tree = {"resourceType": "Practitioner", "name": [{"family": family, "prefix": ["Nurse"]}]}
        self.ids[login] = self.file(tree)
        person = f"Practitioner/{self.ids[login]}"
        self.login(login, Role.CLINICIAN, name, person, "Northgate Hospital")

    def login(self, login, role, name, person="", organization="") -> None:
        known = Login(login, role, name, person, organization)
        password = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        self.portal.record.submit(
            FILING, lambda writer: local.register(writer, known, password)
        ).result(timeout=10)

    def result(self, patient, number, days=0, **held) -> str:
        """File a PSA report of one value; return the report's id."""
        at = {"effectiveDateTime": (NOW - timedelta(days=days)).isoformat(timespec="seconds")}
        subject = {"subject": {"reference": f"Patient/{patient}"}}
        code = {
            "coding": [{"system": "http://loinc.org", "code": "2857-1"}],
            "text": "PSA",
        }
        performer = {"performer": [{"reference": f"Organization/{self.ids['laboratory']}"}]}
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "code": code,
            "valueQuantity": {"value": Decimal(number), "unit": "ug/L"},
            "referenceRange": [{"high": {"value": Decimal("6.5")}, "text": "<=6.5"}],
        }
        notice = held.pop("notice", None)
        measured = self.file(observation | subject | at | performer, patient, **held)
        report = {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": {"text": "PSA"},
            "issued": at["effectiveDateTime"],
            "result": [{"reference": f"Observation/{measured}"}],
        }
        return self.file(report | subject | at | performer, patient, notice=notice, **held)

    def entries(self, subtype) -> list[dict]:
        """The ledger's entries of one subtype, oldest first."""
        rows = self.portal.record.select(
            select(audit_entry.c.body)
            .where(audit_entry.c.subtype == subtype)
            .order_by(audit_entry.c.seq)
        )
        return [json.decode(bytes(row.body)) for row in rows]


def make_world(url, tmp_path) -> Iterator[World]:
    hands = Hands()
    chosen = settings.from_environment(
        {
            "PORTAL_DATABASE_URL": url,
            "PORTAL_DATA_DIR": str(tmp_path / "data"),
            "PORTAL_PUBLIC_URL": "https://portal.example",
        }
    )
    with opened(chosen, now=hands, durable=False) as portal:
        world = World(portal, build(portal), hands)
        world.ids["laboratory"] = world.file(
            {"resourceType": "Organization", "name": "Northgate laboratory"}
        )
        world.nurse("Priya Shah", "priya")
        world.nurse("Tessa Neal", "tessa")
        world.patient("Alan Ashworth", "9990000018", "alan", "priya")
        world.patient("Brian Booth", "9990000026", "brian", "priya")
        world.patient("John Neal", "9990000077", "john", "tessa")
        world.login("ada", Role.AUDITOR, "Ada Auditor", organization="Northgate Hospital")
        world.login("olu", Role.OPERATOR, "Olu Operator", organization="Northgate Hospital")
        yield world
