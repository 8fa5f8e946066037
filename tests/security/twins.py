"""Two portals that are alike to the byte, but for what somebody in one of them may not see.

Both begin as copies of one database, with the same keys; their clocks stand still together; and
what is random falls alike in both, for everyone but the stranger. So every difference between two
answers was made by what must make none.
"""

import asyncio
import random
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.intake.feeds import LOOPBACK
from adapters.intake.reception import receive
from auth import sessions, tokens
from auth.login import local
from auth.login.local import Login
from auth.principal import Role
from auth.tokens import Holder
from fhir_server.access import Access, Agent, WholeStore
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Writer
from portal_api.app import build
from portal_api.opening import opened
from portal_api.portal import Portal
from portal_api.settings import Address, Settings
from tests.security.papers import booking, letter, order

Tree = dict[str, Any]
Shown = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers and body of an answer."""

A, B, C = "9990000018", "9990000026", "9990000034"
BASE = "http://portal.test"
SEED = Access(Agent("operator", user="os:test"), "seed", WholeStore(), {})
_DAWN = datetime(2026, 11, 24, 9, tzinfo=UTC)


class Dice:
    """What is random, in throws of their own for each actor in each portal."""

    def __init__(self) -> None:
        self._throws: dict[tuple[str, str], random.Random] = {}
        self.hand = ("", "")

    def token_bytes(self, size: int = 32) -> bytes:
        """Return the next bytes of whoever throws now."""
        _, actor = self.hand
        return self._throws.setdefault(self.hand, random.Random(actor)).randbytes(size)

    def token_hex(self, size: int = 32) -> str:
        """Return the same as hexadecimal digits."""
        return self.token_bytes(size).hex()

    def token_urlsafe(self, size: int = 32) -> str:
        """Return the same as base64url."""
        return urlsafe_b64encode(self.token_bytes(size)).rstrip(b"=").decode()

    def patch(self, patched: pytest.MonkeyPatch) -> None:
        """Throw these dice wherever the program asks for something random."""
        for name in ("token_bytes", "token_hex", "token_urlsafe"):
            patched.setattr(secrets, name, getattr(self, name))


@dataclass(slots=True)
class Clock:
    """A clock that both portals read, and that goes on only when it is told to."""

    instant: datetime = _DAWN

    def __call__(self) -> datetime:
        return self.instant

    def go_on(self, **span: float) -> None:
        """Let time pass."""
        self.instant += timedelta(**span)


@dataclass(frozen=True, slots=True)
class Twin:
    """One of the two portals."""

    name: str
    portal: Portal
    client: httpx.AsyncClient
    dice: Dice

    def by(self, actor: str) -> None:
        """Say who acts from now on."""
        self.dice.hand = (self.name, actor)

    def patient(self, nhs_number: str) -> str:
        """Return the id that this person has in both portals."""
        return derived_id(self.portal.record.id_key, "Patient", NHS_NUMBER, nhs_number)

    def send(self, raw: bytes) -> None:
        """File a hospital's message."""
        answers = receive(self.portal.record, (LOOPBACK,), raw, "127.0.0.1").result(30)
        assert b"MSA|AA" in answers[0], answers[0]

    def write(self, piece: Callable[[Writer], Any]) -> Any:
        """Run *piece* as whoever runs the machine."""
        return self.portal.record.submit(SEED, piece).result(30)

    def put(self, tree: Tree, id_: str, patient: str, release_at: int | None = 0) -> None:
        """File *tree* as it is, whatever rule stands against it."""
        judged = judge(tree)

        def piece(writer: Writer) -> None:
            writer.file(judged, id_=id_, patient=patient, release_at=release_at)

        self.write(piece)


@dataclass(frozen=True, slots=True)
class Twins:
    """Both portals; what is asked is asked of both, and the answers are given side by side."""

    alone: Twin
    beside: Twin
    clock: Clock
    runner: asyncio.Runner
    keys: dict[str, str] = field(default_factory=dict)
    """Asker to token, or for `page` to the cookie; the same in both."""

    @property
    def both(self) -> tuple[Twin, Twin]:
        """The one without the stranger first."""
        return self.alone, self.beside

    def ask(self, asker: str, method: str, path: str, **sent: Any) -> tuple[Shown, Shown]:
        """Return both answers, whole, to the same request at the same instant."""
        self.clock.go_on(milliseconds=10)
        name = "Cookie" if asker == "page" else "Authorization"
        headers = {name: self.keys[asker]} | sent.pop("headers", {})
        alone, beside = (
            self.runner.run(_asked(twin, asker, (method, path, headers, sent)))
            for twin in self.both
        )
        return alone, beside


async def _asked(twin: Twin, asker: str, wanted: tuple[str, str, dict[str, str], Any]) -> Shown:
    method, path, headers, sent = wanted
    twin.by(asker)
    response = await twin.client.request(method, path, headers=headers, **sent)
    return response.status_code, response.headers.raw, response.content


@contextmanager
def twins(urls: Sequence[str], folder: Path) -> Iterator[Twins]:
    """Open both portals, on two copies of one database."""
    clock, dice = Clock(), Dice()
    with pytest.MonkeyPatch.context() as patched, asyncio.Runner() as runner:
        dice.patch(patched)
        with _twin("alone", urls[0], folder, (clock, dice)) as alone:
            with _twin("beside", urls[1], folder, (clock, dice)) as beside:
                yield Twins(alone, beside, clock, runner)
            runner.run(beside.client.aclose())
        runner.run(alone.client.aclose())


@contextmanager
def _twin(name: str, url: str, folder: Path, shared: tuple[Clock, Dice]) -> Iterator[Twin]:
    clock, dice = shared
    nowhere = Address("127.0.0.1", 1)
    settings = Settings(url, nowhere, nowhere, BASE, folder / name)
    with opened(settings, now=clock, durable=False) as portal:
        transport = httpx.ASGITransport(build(portal))
        client = httpx.AsyncClient(transport=transport, base_url=BASE, timeout=30)
        yield Twin(name, portal, client, dice)


def result(nhs_number: str, filler: str, **said: str) -> bytes:
    """Return a PSA result; *said* may change its value, status, section, code, name and sender."""
    values = {
        "value": "7.3", "status": "F", "section": "CH", "code": "2857-1^PSA^LN",
        "sender": "RXX", "issued": "20261124084500",
    } | said  # fmt: skip
    head = f"LIMS|{values['sender']}|PORTAL|CMCA|{values['issued']}||ORU^R01^ORU_R01"
    order, last = f"O{filler}|{filler}", f"{values['section']}|{values['status']}"
    when = "20261124083000"
    return "\r".join(
        [
            f"MSH|^~\\&|{head}|{values['sender']}{filler}{values['status']}|P|2.5.1",
            f"PID|1||{nhs_number}^^^NHS^NH||Example^Person||19550301|M",
            f"ORC|RE|{order}|||||||||C1234567^Smith^Jo",
            f"OBR|1|{order}|{values['code']}|||{when}|||||||||||||||{values['issued']}||{last}",
            f"SPM|1|S{filler}^S{filler}||BLD^Blood^HL70487|||||||||||||{when}",
            f"OBX|1|NM|{values['code']}||{values['value']}|ug/L|0-6.5|H|||{values['status']}|||{when}",
            "",
        ]
    ).encode()


def settle(both: Twins, stranger: Callable[[Twin, int], None]) -> None:
    """Fill both portals step by step, and let *stranger* act between the steps in one of them."""
    steps = (_others, _first, _second, _staff)
    for number, step in enumerate(steps):
        both.clock.go_on(minutes=1)
        for twin in both.both:
            twin.by("seed")
            step(twin)
        both.clock.go_on(minutes=1)
        both.beside.by("stranger")
        stranger(both.beside, number)
    for twin in both.both:
        twin.by("keys")
        both.keys.update(_keys(twin))


def _others(twin: Twin) -> None:
    """Somebody else, by whom the hospitals and their doctors are known in both portals."""
    twin.send(result(C, "C1"))
    twin.send(result(C, "C1", sender="RYY"))


def _first(twin: Twin) -> None:
    twin.send(result(A, "N1"))
    twin.send(result(A, "N2", code="718-7^Haemoglobin^LN", value="132"))
    twin.send(letter(A, "D1"))
    twin.send(order(A, "OW1"))
    twin.send(booking(A, "B1"))


def _second(twin: Twin) -> None:
    twin.send(result(A, "N3", value="6.1"))
    twin.send(result(A, "N1", value="7.20", status="C", issued="20261124085500"))


NURSE, THEIRS = "0aa" + "1" * 29, "0aa" + "2" * 29


def _staff(twin: Twin) -> None:
    patient = twin.patient(A)
    for id_, family in ((NURSE, "Nurse"), (THEIRS, "Theirs")):
        tree = {"resourceType": "Practitioner", "active": True, "name": [{"family": family}]}
        twin.put(tree, id_, "")
    twin.put(team(patient, NURSE), f"{bucket_of(patient):03x}" + "3" * 29, patient)
    twin.put(message(patient, patient), f"{bucket_of(patient):03x}" + "4" * 29, patient)


def team(patient: str, *practitioners: str) -> Tree:
    """Return a care team of *patient*."""
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "name": "Prostate nurses",
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [{"member": {"reference": f"Practitioner/{one}"}} for one in practitioners],
    }


def message(subject: str, sender: str, **more: Any) -> Tree:
    """Return a message about *subject*, from the patient *sender*."""
    return {
        "resourceType": "Communication",
        "status": "in-progress",
        "subject": {"reference": f"Patient/{subject}"},
        "sent": "2026-11-24T09:00:00Z",
        "sender": {"reference": f"Patient/{sender}"},
        "payload": [{"contentString": "My temperature is 38.2"}],
        **more,
    }


def _keys(twin: Twin) -> dict[str, str]:
    patient = twin.patient(A)

    def piece(writer: Writer) -> dict[str, str]:
        own = Holder(Role.PATIENT, "test-app", person=f"Patient/{patient}", patient=patient)
        nurse = Holder(Role.CLINICIAN, "test-app", person=f"Practitioner/{NURSE}")
        local.register(writer, Login("a", Role.PATIENT, "A Example", f"Patient/{patient}"), "x")
        local.register(writer, Login("n", Role.CLINICIAN, "N Nurse", f"Practitioner/{NURSE}"), "x")
        issued = tokens.issue_for_operator
        return {
            "patient": f"Bearer {issued(writer, own, 'patient/*.cruds')}",
            "nurse": f"Bearer {issued(writer, nurse, 'user/*.cruds')}",
            "page": f"portal-session={sessions.begin(writer, 'a')}",
        }

    return dict(twin.write(piece))
