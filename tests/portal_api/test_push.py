"""`POST /hl7v2`: who may push as which feed, what is answered, and that it is the same message."""

import gzip
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import select

from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.header import glimpse
from adapters.intake import registry
from adapters.intake.batches import receive
from adapters.intake.feeds import Feed
from adapters.intake.http_push import MOST_AT_ONCE
from adapters.intake.listener import Answers
from adapters.intake.reception import busy
from adapters.intake.tables import inbox
from auth import tokens
from auth.principal import Role
from auth.tokens import Holder
from fhir_server.clock import now
from fhir_server.record import Writer
from fhir_server.store.tables import audit_entry
from portal_api.portal import Portal
from tests.world import ALAN, OPERATOR, psa

HL7 = {"Content-Type": "application/hl7-v2"}
PUSH = "system/hl7v2.write"
MERSEY = Feed(
    "mersey",
    sending_application="LIMS",
    sending_facility="RXX",
    receiving_application="PORTAL",
    receiving_facility="CMCA",
    clients=("mersey-push",),
    frame_limit=100_000,
    dialect=Dialect(batches=True),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A served portal that has agreed with one hospital, and ways to push to it."""

    portal: Portal
    address: str

    def token(
        self, scope: str = PUSH, client: str = "mersey-push", role: Role = Role.CLIENT
    ) -> str:
        holder = Holder(role, client)

        def piece(writer: Writer) -> str:
            return tokens.issue_for_operator(writer, holder, scope)

        return self.portal.record.submit(OPERATOR, piece).result(timeout=10)

    def push(self, body: bytes, headers: dict[str, str] = HL7, token: str = "") -> httpx.Response:
        bearer = {"Authorization": f"Bearer {token or self.token()}"}
        return httpx.post(self.address, content=body, headers=headers | bearer, timeout=30)

    def rows(self) -> list[tuple[str, str, int]]:
        found = self.portal.record.select(select(inbox).order_by(inbox.c.received))
        return [(row.feed, row.fate, row.copies) for row in found]

    def ledger(self) -> list[tuple[str, str, str, str]]:
        """Subtype, outcome, entity and application of each entry, without those of tokens."""
        rows = self.portal.record.select(select(audit_entry).order_by(audit_entry.c.seq))
        return [
            (row.subtype, row.outcome, row.entity, row.client)
            for row in rows
            if row.subtype != "feed-changed"
        ]


@pytest.fixture
def engine_name() -> str:
    """One engine will do: nothing here is the database's."""
    return "sqlite"


@pytest.fixture
def line(portal: Portal, served: str) -> Iterator[Line]:
    portal.record.submit(OPERATOR, lambda writer: registry.agree(writer, MERSEY)).result(10)
    portal.feeds.reread()
    return Line(portal, f"{served}/hl7v2")


def test_a_message_is_filed_and_its_acknowledgement_is_the_answer(line: Line) -> None:
    answer = line.push(psa(ALAN, "A1"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/hl7-v2")
    assert b"\rMSA|AA|A1\r" in answer.content
    assert line.rows() == [("mersey", "filed", 0)]


def test_the_same_message_by_either_way_is_the_same_message(line: Line) -> None:
    message = psa(ALAN, "A1")
    first = line.push(message)
    plain = Feed(
        **{name: getattr(MERSEY, name) for name in MERSEY.__slots__} | {"sources": ("::1",)}
    )
    (second,) = receive(line.portal.record, (plain,), message, "::1").result(timeout=30)
    third = line.push(message, {"Content-Type": "x-application/hl7-v2+er7; charset=utf-8"})
    assert first.content == second == third.content
    assert third.headers["content-type"] == "x-application/hl7-v2+er7"
    assert line.rows() == [("mersey", "filed", 2)]


def test_a_batch_is_answered_with_a_batch(line: Line) -> None:
    body = b"BHS|^~\\&|LIMS\r" + psa(ALAN, "A1") + psa(ALAN, "A2") + b"BTS|2\r"
    answer = line.push(body).content
    assert answer.startswith(b"BHS|")
    assert [answer.count(b"MSA|AA|%b\r" % name) for name in (b"A1", b"A2")] == [1, 1]
    assert answer.endswith(b"BTS|2\r")
    assert len(line.rows()) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"19550301", b"10660101"), b"MSA|AE|A1|"),
        ((b"|RXX|", b"|RYY|"), b"MSA|AR|A1|"),
        ((b"|P|2.5.1", b"|T|2.5.1"), b"MSA|AR|A1|"),
    ],
)
def test_what_is_wrong_with_a_message_is_said_in_its_acknowledgement(
    line: Line, change: tuple[bytes, bytes], code: bytes
) -> None:
    answer = line.push(psa(ALAN, "A1").replace(*change))
    assert answer.status_code == 200
    assert code in answer.content


def test_who_asks_for_no_answer_gets_none(line: Line) -> None:
    answer = line.push(psa(ALAN, "A1").replace(b"|P|2.5.1", b"|P|2.5.1|||NE|NE"))
    assert (answer.status_code, answer.content) == (204, b"")
    assert line.rows() == [("mersey", "filed", 0)]


@pytest.mark.parametrize(
    ("scope", "client", "role"),
    [
        ("system/*.cruds", "mersey-push", Role.CLIENT),
        (PUSH, "another", Role.CLIENT),
        (PUSH, "mersey-push", Role.CLINICIAN),
        (PUSH, "mersey-push", Role.OPERATOR),
        ("system/*.rs", "another", Role.CLIENT),
    ],
)
def test_a_token_without_the_scope_or_of_an_application_that_no_feed_names_is_forbidden(
    line: Line, scope: str, client: str, role: Role
) -> None:
    answer = line.push(psa(ALAN, "A1"), token=line.token(scope, client, role))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
    assert line.rows() == []
    assert line.ledger() == [("message-refused", "4", "", client)]


def test_without_a_token_that_holds_nothing_is_read(line: Line) -> None:
    answers = [
        httpx.post(line.address, content=psa(ALAN, "A1"), headers=HL7),
        line.push(psa(ALAN, "A1"), token="x" * 43),
        httpx.post(f"{line.address}?access_token={line.token()}", content=b"MSH", headers=HL7),
    ]
    assert [one.status_code for one in answers] == [401] * 3
    assert all(one.json()["resourceType"] == "OperationOutcome" for one in answers)
    assert line.ledger() == [("message-refused", "4", "", "")] * 3


def test_a_feed_that_has_ended_is_not_pushed_to(line: Line) -> None:
    ended = line.portal.record.submit(OPERATOR, lambda writer: registry.end(writer, "mersey"))
    assert ended.result(10)
    line.portal.feeds.reread()
    assert line.push(psa(ALAN, "A1")).status_code == 403


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"MSH|", {"Content-Type": "application/json"}, 415),
        (b"MSH|", {"Content-Type": "text/plain"}, 415),
        (b"MSH|", {}, 415),
        (gzip.compress(b"MSH|", mtime=0), HL7 | {"Content-Encoding": "gzip"}, 415),
        (b"", HL7, 400),
        (b"\r\n", HL7, 400),
        (b"X" * 100_001, HL7, 413),
    ],
)
def test_what_can_not_be_a_message_of_this_feed_is_refused_as_http(
    line: Line, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = line.push(body, headers)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert line.rows() == []
    assert line.ledger()[-1] == ("message-refused", "4", "", "mersey-push")


def test_a_body_without_an_end_meets_the_limit(line: Line) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"X" * 10_000

    bearer = {"Authorization": f"Bearer {line.token()}"}
    try:
        answer = httpx.post(line.address, content=endless(), headers=HL7 | bearer, timeout=30)
    except httpx.HTTPError:
        answer = None  # the connection was closed while it was still sending
    assert answer is None or answer.status_code == 413
    assert line.portal.tally.counts["frame-too-large"] == 1
    assert line.portal.tally.held == 0


def test_with_too_much_on_its_way_a_sender_is_told_to_come_again(line: Line) -> None:
    line.portal.tally.pushes = MOST_AT_ONCE
    answer = line.push(psa(ALAN, "A1"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    line.portal.tally.pushes = 0
    assert line.push(psa(ALAN, "A1")).status_code == 200


def test_where_nothing_could_be_kept_the_sender_is_told_to_send_again(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(_record: object, _feeds: object, raw: bytes, _peer: str) -> "Future[Answers]":
        answered: Future[Answers] = Future()
        answered.set_result(busy(glimpse(raw), now()))
        return answered

    token = line.token()
    monkeypatch.setattr("adapters.intake.http_push.batches.receive", taken)
    assert line.push(psa(ALAN, "A1"), token=token).status_code == 503


def test_the_ledger_says_which_application_pushed_and_what_became_of_it(line: Line) -> None:
    line.push(psa(ALAN, "A1"))
    entries = line.ledger()
    assert [one[0] for one in entries] == ["request", "message-filed"]
    assert entries[0][1:] == ("0", "feed:mersey", "mersey-push")


def test_nothing_of_a_message_is_in_the_log(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.push(psa(ALAN, "A1").replace(b"19550301", b"10660101"))
    assert ALAN not in caplog.text
