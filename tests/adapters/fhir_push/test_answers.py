"""What a sender is told where nothing could be kept, and the status that an answer has in HTTP."""

from typing import Any

import pytest

from adapters.fhir_push.answer_codes import code_of, status_of
from adapters.fhir_push.answers import Wording
from adapters.fhir_push.bundle import Head
from adapters.hl7v2.ack import BUSY, Fault
from adapters.intake.reading import Verdict
from fhir_server.errors import Unavailable
from fhir_server.model import json
from fhir_server.model.validate import judge
from tests.adapters.fhir_push.bundles import header, message, transaction
from tests.adapters.fhir_push.hospital import Hospital, said
from tests.adapters.fhir_push.test_hostile import NOW

MESSAGE = Head("message", "M1", "M1", {"eventCoding": header()["eventCoding"]}, entries=9)
TRANSACTION = Head("transaction", "T1", entries=8)


@pytest.mark.parametrize(
    ("head", "number", "code", "status", "told"),
    [
        (MESSAGE, BUSY, "busy", 503, "AE"),
        (MESSAGE, 101, "date-missing", 200, "AE"),
        (TRANSACTION, BUSY, "busy", 503, "AE"),
        (TRANSACTION, 101, "date-missing", 422, "AE"),
        (TRANSACTION, 205, "control-id-reused", 409, "AE"),
        (TRANSACTION, 102, "json-bad", 400, "AE"),
        (TRANSACTION, 200, "request-unsupported", 422, "AE"),
    ],
)
def test_each_fault_has_its_status(
    head: Head, number: int, code: str, status: int, told: str
) -> None:
    verdict = Verdict("AR", Fault(number, code, "Bundle", "Something is wrong."))
    (answer,) = Wording(head, "https://portal.example/fhir")(verdict, NOW, None)
    judge(answer)
    assert (status_of(answer), code_of(answer)) == (status, told)


@pytest.mark.parametrize("head", [MESSAGE, TRANSACTION])
def test_what_was_taken_is_answered_with_200(head: Head) -> None:
    (answer,) = Wording(head, "https://portal.example/fhir")(Verdict("AA"), NOW, None)
    judge(answer)
    assert (status_of(answer), code_of(answer)) == (200, "AA")


def test_an_acknowledgement_of_hl7_v2_is_no_answer_to_a_bundle() -> None:
    assert [code_of(one) for one in (b"MSH|^~\\&|\rMSA|AE|1\r", b"", b"{", b"{}")] == [""] * 4


def test_where_nothing_can_be_kept_the_sender_is_told_to_send_again(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = hospital.token()
    submit = hospital.portal.record.submit

    def refused(access: Any, piece: Any, **told: Any) -> Any:
        if access.agent.role == "feed":
            raise Unavailable.of("The disk is full.")
        return submit(access, piece, **told)

    monkeypatch.setattr(type(hospital.portal.record), "submit", staticmethod(refused))
    answer = hospital.post(message(), token=token)
    assert said(answer)[:3] == (503, "transient-error", "busy")
    assert answer.headers["retry-after"] == "5"
    outcome = json.decode(hospital.transact(transaction(), token=token).content)
    assert outcome["issue"][0]["code"] == "transient"
    monkeypatch.undo()
    assert hospital.rows() == []
    assert said(hospital.post(message()))[1] == "ok"
