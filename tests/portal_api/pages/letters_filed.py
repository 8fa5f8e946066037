"""Letters as a hospital's messages leave them in the record, for the tests of pages."""

from base64 import b64encode

PDF = b"%PDF-1.4\nA letter.\n%%EOF\n"
WORDS = b"Dear Alan\n\n  Dose   20 mg <b>twice</b>\n"


def attachment(body=WORDS, kind="text/plain; charset=utf-8", **also) -> dict:
    return {"contentType": kind, "data": b64encode(body).decode(), **also}


def filed(world, *attachments, login="alan", told=True, **also) -> str:
    """File a letter, with a note about it unless not *told*; return its id."""
    patient, held = world.ids[login], also.pop("held", {})
    tree = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "type": {"text": "Clinic letter"},
        "subject": {"reference": f"Patient/{patient}"},
        "date": "2026-11-23T12:00:00Z",
        "author": [{"display": "Dr Ngozi Okafor"}],
        "custodian": {"display": "Northgate Hospital"},
        "content": [{"attachment": one} for one in attachments or (attachment(),)],
    }
    given = {name: value for name, value in (tree | also).items() if value}
    id_ = world.file(given, patient, **held)
    note = {
        "resourceType": "Communication",
        "status": "completed",
        "category": [{"coding": [{"code": "notification"}]}],
        "subject": {"reference": f"Patient/{patient}"},
        "about": [{"reference": f"DocumentReference/{id_}"}],
        "payload": [{"contentString": "There is a new letter for you."}],
    }
    if told:
        world.file(note, patient, **held)
    return id_
