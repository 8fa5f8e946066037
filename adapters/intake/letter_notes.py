"""The Communication that tells a patient of a letter: there when the letter is, and not before.

It says that there is a letter and nothing of what is in it. Once told, its time stays; a letter
that is held again, or taken back, takes its note along.
https://hl7.org/fhir/R4/communication.html
"""

from typing import Any

from adapters.hl7v2.code_tables import THO
from adapters.intake.merging import content_of
from adapters.intake.occasion import reference
from fhir_server.clock import from_micros, instant_text
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Stored, Writer

Tree = dict[str, Any]

_TEXT = "There is a new letter for you. You can read it under Letters."
_CATEGORY = {"coding": [{"system": f"{THO}/communication-category", "code": "notification"}]}


def tell_of_letter(
    writer: Writer, letter: Stored, tree: Tree, *, backload: bool = False
) -> list[str]:
    """File the note about *letter*, whose content is *tree*; return what was made.

    None is made of a letter that waits without a date, nor of one that a backload brings.
    """
    bucket = bucket_of(letter.patient)
    note = derived_id(writer.id_key, "Communication", letter.reference, bucket=bucket)
    before = writer.current("Communication", note)
    if before is None and (letter.release_at is None or backload):
        return []
    is_told = before is not None and (before.release_at or writer.now + 1) <= writer.now
    if before is not None and (is_told or letter.release_at is None):
        told = content_of(before)
    else:
        told = _note(writer, letter, tree)
    withdrawn = tree["status"] == "entered-in-error"
    told["status"] = "entered-in-error" if withdrawn else "completed"
    filed = writer.file(
        judge(told), id_=note, patient=letter.patient, release_at=letter.release_at
    ).stored
    return [reference(filed)]


def _note(writer: Writer, letter: Stored, tree: Tree) -> Tree:
    patient = {"reference": f"Patient/{letter.patient}"}
    opens = max(letter.release_at or writer.now, writer.now)
    note: Tree = {
        "resourceType": "Communication",
        "status": "completed",
        "category": [_CATEGORY],
        "subject": patient,
        "about": [{"reference": letter.reference}],
        "sent": instant_text(from_micros(opens)),
        "recipient": [patient],
        "payload": [{"contentString": _TEXT}],
    }
    if "custodian" in tree:
        note["sender"] = tree["custodian"]
    return note
