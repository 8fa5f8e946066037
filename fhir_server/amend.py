"""Create and update, as the FHIR interface and the portal's pages do them: one set of rules.

Whoever writes for a patient must see that patient; the release policy decides on results; a
message's sender and time are the server's. Feeds file through `Writer` with rules of their own.
"""

from concurrent.futures import Future
from typing import Any

from fhir_server import messages, release
from fhir_server.access import Access, Interaction, visible
from fhir_server.errors import Forbidden, NotFound, Unprocessable, VersionConflict
from fhir_server.model import json
from fhir_server.model.compartments import is_directory, patient_of
from fhir_server.model.ids import bucket_of, is_id, new_id
from fhir_server.model.validate import judge
from fhir_server.record import Asked, Record, Stored, Writer
from fhir_server.store import links, read
from fhir_server.store.tables import resource

Tree = dict[str, Any]

_RESULTS = frozenset({"DiagnosticReport", "Observation"})


def create(record: Record, access: Access, tree: Tree) -> "Future[Stored]":
    """File *tree* (judged before) under a new id.

    https://hl7.org/fhir/R4/http.html#create

    Raises Forbidden by the token alone; Unprocessable where the patient is not the caller's to
    write for, or does not exist, with one and the same answer.
    """
    resource_type = tree["resourceType"]
    asked = Asked("create", resource_type)
    id_ = new_id()
    if resource_type == "Patient":
        _owner(tree | {"id": id_})
    elif named := _owner(tree):
        id_ = new_id(bucket_of(named))

    def piece(writer: Writer) -> Stored:
        _permit(access, resource_type, Interaction.CREATE)
        patient = _patient(writer, tree, id_)
        content = tree
        if resource_type == "Communication":
            content = judge(messages.prepare(writer, tree, patient))
        stored = writer.file(
            content, id_=id_, patient=patient, release_at=_release_at(content, writer.now)
        ).stored
        writer.audit(
            "create", entity=f"{stored.reference}/_history/{stored.version}", patient=patient
        )
        return stored

    return record.submit(access, piece, buckets=[bucket_of(id_)], asked=asked)


def update(
    record: Record, access: Access, id_: str, tree: Tree, if_match: int | None
) -> "Future[Stored]":
    """Make *tree* (judged before) the next version, as held and as labelled as what it replaces.

    https://hl7.org/fhir/R4/http.html#update

    Raises NotFound for what the caller can't see (ids are the server's to give), VersionConflict
    where *if_match* is not the current version, Unprocessable where the patient would change.
    """
    resource_type = tree["resourceType"]
    tree = tree | {"id": id_}
    asked = Asked("update", f"{resource_type}/{id_}")

    def piece(writer: Writer) -> Stored:
        _permit(access, resource_type, Interaction.UPDATE)
        before = _seen(writer, resource_type, id_)
        if before is None:
            raise NotFound.of("There is no such resource, or it is not yours to see.")
        if if_match is not None and if_match != before.version:
            raise VersionConflict.of(
                "Somebody else changed it first: If-Match does not name the current version.",
                diagnostics="Read the resource again, and send its new ETag.",
            )
        if _owner(tree) != patient_of(json.decode(before.body)):
            raise Unprocessable.of(
                "A resource stays in the record of the patient for whom it was made.",
                expression=f"{resource_type}.subject",
            )
        content = tree
        if resource_type == "Communication":
            content = judge(messages.receipt(writer, before, tree))
        stored = writer.file(
            content,
            id_=id_,
            patient=before.patient,
            release_at=_no_sooner(_release_at(tree, writer.now), before.release_at),
            labels=before.labels,
        ).stored
        writer.audit(
            "update", entity=f"{stored.reference}/_history/{stored.version}", patient=before.patient
        )
        return stored

    buckets = [bucket_of(id_)] if is_id(id_) else []
    return record.submit(access, piece, buckets=buckets, asked=asked)


def _permit(access: Access, resource_type: str, interaction: Interaction) -> None:
    if not access.permits(resource_type, interaction):
        raise Forbidden.of(f"This token does not allow {interaction} on {resource_type}.")


def _owner(tree: Tree) -> str:
    patient = patient_of(tree)
    if not patient and not is_directory(tree["resourceType"]):
        raise Unprocessable.of(
            "It has to name the patient to whom it belongs.",
            expression=f"{tree['resourceType']}.subject",
        )
    if patient and not is_id(patient):
        raise _no_such_patient(tree["resourceType"])
    return patient


def _patient(writer: Writer, tree: Tree, id_: str) -> str:
    """Return the patient in whose record the new resource belongs, having seen that record."""
    if tree["resourceType"] == "Patient":
        return id_
    patient = _owner(tree)
    if patient and _seen(writer, "Patient", patient) is None:
        raise _no_such_patient(tree["resourceType"])
    if patient and links.survivor(writer.select, patient) != patient:
        raise _joined(tree["resourceType"])
    return patient


def _no_such_patient(resource_type: str) -> Unprocessable:
    return Unprocessable.of(
        "It names a patient who does not exist here, or is not yours to write for.",
        expression=f"{resource_type}.subject",
    )


def _joined(resource_type: str) -> Unprocessable:
    return Unprocessable.of(
        "It names a patient whose record was joined to another one.",
        expression=f"{resource_type}.subject",
        diagnostics="Read that Patient: its link says who stands in its place.",
        code="business-rule",
    )


def _seen(writer: Writer, resource_type: str, id_: str) -> Stored | None:
    if not is_id(id_):
        return None
    seen = visible(writer.access, resource_type, resource, writer.now)
    rows = writer.select(read.by_id(resource_type, id_, seen))
    return read.stored(rows[0]) if rows else None


def _release_at(tree: Tree, now: int) -> int | None:
    if tree["resourceType"] not in _RESULTS:
        return now
    return release.decide(release.categories(tree), now).release_at


def _no_sooner(decided: int | None, stands: int | None) -> int | None:
    """Return the later of two releases: what is held was held for more than the content tells."""
    return None if decided is None or stands is None else max(decided, stands)
