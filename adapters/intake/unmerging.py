"""Taking a merge back: two records again, by a person who says why."""

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_server import linking
from fhir_server.access import Access
from fhir_server.clock import from_micros, instant_text
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.model.validate import judge
from fhir_server.record import Asked, Record, Stored, Writer

_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Unmerged:
    """What became of a merge that was taken back.

    *written* are the references to the new versions. *filed_meanwhile* are the reports and letters
    that came for the survivor while both were one: whose they are is for a person to tell.
    """

    into: str
    written: tuple[str, ...]
    filed_meanwhile: tuple[str, ...]


def unmerge(record: Record, access: Access, patient: str, reason: str) -> Unmerged:
    """Take the record of *patient* (an id) out of the one into which it was merged.

    Raises Conflict where it was merged into none, Unavailable where nothing can be written.
    *access* is that of whoever asks, *reason* what they say.
    """
    asked = Asked("update", f"Patient/{patient}")
    buckets = frozenset({bucket_of(patient)})
    while True:
        locks = buckets

        def piece(writer: Writer, locks: frozenset[int] = locks) -> Unmerged | frozenset[int]:
            everyone = linking.whole(writer, patient)
            needed = frozenset(map(bucket_of, everyone))
            if not needed <= locks:
                return needed
            return _unmerged(writer, patient, everyone[0], reason)

        outcome = record.submit(access, piece, buckets=locks, asked=asked).result()
        if isinstance(outcome, Unmerged):
            return outcome
        buckets = locks | outcome


def _unmerged(writer: Writer, patient: str, into: str, reason: str) -> Unmerged:
    parted = linking.part(writer, patient, reason)
    above = [one for one in parted.written if one.type == "Patient" and one.id != patient]
    below = [one for one in parted.written if one not in above]
    told = [*_told(writer, patient, below), *_told(writer, into, above)]
    for one in (patient, into):
        writer.audit("update", patient=one, entity=f"Patient/{one}", reason=reason)
    written = tuple(_reference(one) for one in (*parted.written, *told))
    return Unmerged(into, written, parted.filed_meanwhile)


def _told(writer: Writer, patient: str, written: Sequence[Stored]) -> list[Stored]:
    """File, in the record of *patient*, by whom the records were parted."""
    agent = writer.access.agent
    name = agent.behind or agent.user or agent.role
    made = []
    for start in range(0, len(written), _TOGETHER):
        part = written[start : start + _TOGETHER]
        tree = {
            "resourceType": "Provenance",
            "target": [{"reference": _reference(one)} for one in part],
            "recorded": instant_text(from_micros(writer.now)),
            "activity": {"text": "a merge was taken back"},
            "agent": [
                {
                    "type": {"coding": [{"system": _PARTICIPANT, "code": "performer"}]},
                    "who": {"display": name},
                }
            ],
        }
        id_ = new_id(bucket_of(patient))
        filed = writer.file(judge(tree), id_=id_, patient=patient, release_at=writer.now)
        made.append(filed.stored)
    return made


def _reference(stored: Stored) -> str:
    return f"{stored.reference}/_history/{stored.version}"
