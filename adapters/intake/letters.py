"""A letter into the record: held until somebody has signed it and it may be used, then told.

Runs inside a piece, so everything here commits together with the raw message and its answer, or
not at all. A later message about the same document number updates the same document; an older one
that arrives late is kept and not applied; nothing moves from one patient to another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.hl7v2.conversion import Key, resolve
from adapters.hl7v2.document_tables import IMAGING_TYPES, PATHOLOGY_TYPES, SENSITIVE_TYPES
from adapters.hl7v2.letter import Letter
from adapters.intake import claims, lineage, standing
from adapters.intake.beside import file_directory, file_person, ids_of, own_ids
from adapters.intake.buckets import of_person, require
from adapters.intake.claims import Number
from adapters.intake.feeds import Feed
from adapters.intake.identity import Identity, at_home, identify
from adapters.intake.letter_notes import tell_of_letter
from adapters.intake.merging import content_of
from adapters.intake.occasion import Occasion, Outcome, reference, worded
from adapters.intake.unclear import Unclear
from fhir_server.clock import micros
from fhir_server.model.ids import bucket_of
from fhir_server.model.validate import judge
from fhir_server.record import Notice, Record, Stored, Writer
from fhir_server.release import Category, Release, decide

Tree = dict[str, Any]

_SUPERSEDED = "superseded"
_HELD_TITLE = "A letter"
"""What a patient is told of a letter that waits: nothing of what it is about."""


def file(writer: Writer, letter: Letter, occasion: Occasion) -> Outcome:
    """File the document, and mark its parent where it replaces one.

    Raises Unclear where a human has to decide first, Undeclared where a bucket is not among the
    occasion's, and Invalid where a resource is not valid: then nothing may be kept of it.
    """
    identity = identify(writer, letter.person)
    documents = _documents(letter)
    identity = at_home(writer, identity, documents)
    elder = at_home(writer, identity, documents[1:]).patient
    patient = identity.patient
    homes = map(bucket_of, (patient, elder))
    require(occasion.buckets, *homes, *(one.bucket for one in documents))
    _refuse_another_patient(writer, letter, identity)
    made = file_person(writer, letter.person, identity)
    claims.hold(writer, documents[0], patient, identity.record)
    directory = (*letter.organizations, *letter.practitioners)
    ids = ids_of(writer.id_key, identity.subject, directory, ())
    ids |= own_ids(writer.id_key, patient, _own_keys(letter))
    ids |= own_ids(writer.id_key, elder, (letter.parent,) if letter.parent else ())
    made.extend(file_directory(writer, directory, ids, occasion))
    flags = [*identity.flags, *worded(letter.flags)]
    verdict = _verdict(writer, letter, patient, ids)
    if verdict.applied:
        references, raised = _file_document(writer, letter, ids, (identity, occasion))
        made.extend(references)
        flags.extend(raised)
    elif verdict.flag:
        flags.append(f"{verdict.flag} MSH.7")
    return Outcome(identity.subject, tuple(made), tuple(dict.fromkeys(flags)))


def buckets(record: Record, _feed: Feed, letter: Letter) -> Iterator[int]:
    """Yield the buckets that `file` will write in, as far as they can be told before."""
    yield from of_person(record, letter.person)
    yield from (number.bucket for number in _documents(letter))


def numbers(letter: Letter) -> Iterator[str]:
    """Yield the numbers by which a ward would ask for the message."""
    yield letter.number
    yield letter.parent_number
    yield from letter.placer_numbers
    yield from letter.filler_numbers


def _documents(letter: Letter) -> tuple[Number, ...]:
    """Return the numbers of the document and of its parent."""
    keys = (letter.document.key, letter.parent) if letter.parent else (letter.document.key,)
    return tuple(claims.of_document(key) for key in keys)


def _own_keys(letter: Letter) -> Iterator[Key]:
    """Yield the keys of what goes into the patient's record."""
    yield letter.document.key
    yield letter.provenance.key
    yield from letter.named()


def _refuse_another_patient(writer: Writer, letter: Letter, identity: Identity) -> None:
    for number, address in zip(_documents(letter), ("TXA.12", "TXA.13"), strict=False):
        if not set(identity.ids).issuperset(claims.holders(writer, number)):
            text = "This document number was filed for another person before."
            raise Unclear("AE", 205, "document-other-patient", address, text)


def _verdict(
    writer: Writer, letter: Letter, patient: str, ids: Mapping[Key, str]
) -> standing.Verdict:
    status = "entered-in-error" if letter.is_withdrawn else letter.doc_status
    at = micros(letter.version_at)
    return standing.judge(writer, patient, ids[letter.document.key], at, status)


def _file_document(
    writer: Writer, letter: Letter, ids: Mapping[Key, str], given: tuple[Identity, Occasion]
) -> tuple[list[str], list[str]]:
    """File the document with all that hangs on it; return references with versions, and flags."""
    identity, occasion = given
    patient, id_ = identity.patient, ids[letter.document.key]
    before = writer.current("DocumentReference", id_)
    flags = _replace_parent(writer, letter, ids, given)
    tree = _merged(letter, resolve(letter.document.tree, ids), before, unseen=bool(flags))
    release = _released(writer, letter, tree, before, given)
    if before is not None and not writer.differs(tree, id_):
        # Sent again unchanged: what a clinician opened stays open.
        release = _sooner(release, before.release_at)
    changes = lineage.changed(writer, before, tree)
    provenance = lineage.told(writer, letter.provenance, ids, changes, is_new=before is None)
    filed = writer.file(tree, id_=id_, patient=patient, release_at=release.release_at).stored
    told = writer.file(
        provenance,
        id_=ids[letter.provenance.key],
        patient=patient,
        release_at=release.release_at,
    ).stored
    made = [reference(filed), reference(told)]
    made += tell_of_letter(writer, filed, tree, backload=occasion.feed.backload)
    _keep_notice(writer, release, id_, given)
    if letter.is_withdrawn and before is None:
        flags.append("cancel-unseen TXA.12")
    status = "entered-in-error" if letter.is_withdrawn else letter.doc_status
    said = (occasion.control_id, letter.version_at, status)
    standing.stand(writer, patient, id_, occasion.feed.name, said)
    return made, flags


def _merged(letter: Letter, tree: Tree, before: Stored | None, *, unseen: bool) -> Tree:
    """Return the document as it is to be filed: what did not come along stays as it was."""
    known = content_of(before) if before is not None else {}
    if not letter.has_content and not letter.is_withdrawn and "content" in known:
        tree["content"] = known["content"]
    kept = [one for one in known.get("relatesTo", ()) if "relatesTo" not in tree]
    if kept:
        tree["relatesTo"] = kept
    if unseen:
        # The parent is not here: it is named by its number alone.
        tree["relatesTo"] = [
            one | {"target": {"identifier": one["target"]["identifier"]}}
            for one in tree["relatesTo"]
        ]
    return judge(tree)


def _replace_parent(
    writer: Writer, letter: Letter, ids: Mapping[Key, str], given: tuple[Identity, Occasion]
) -> list[str]:
    """Mark a replaced document as superseded; return a flag where the parent is not here.

    A parent that comes later than its replacement is older than what stands, and is not applied.
    """
    if not letter.parent:
        return []
    identity, occasion = given
    parent_id = ids[letter.parent]
    parent = writer.current("DocumentReference", parent_id)
    patient = parent.patient if parent is not None else identity.patient
    if letter.relation == "replaces" and not letter.is_withdrawn:
        said = (occasion.control_id, letter.version_at, _SUPERSEDED)
        standing.stand(writer, patient, parent_id, occasion.feed.name, said)
        if parent is not None and content_of(parent)["status"] == "current":
            writer.file(
                judge(content_of(parent) | {"status": _SUPERSEDED}),
                id_=parent_id,
                patient=patient,
                release_at=parent.release_at,
                labels=parent.labels,
                reason="replaced by a later document",
            )
    return [] if parent is not None else ["parent-unseen TXA.13"]


def _released(
    writer: Writer,
    letter: Letter,
    tree: Tree,
    before: Stored | None,
    given: tuple[Identity, Occasion],
) -> Release:
    identity, occasion = given
    readable = any({"data", "url"} & one["attachment"].keys() for one in tree["content"])
    said = {
        Category.UNVERIFIED: not (
            readable and letter.doc_status == "final" and letter.is_available
        ),
        Category.SENSITIVE: bool(letter.holds or identity.held)
        or letter.type_code in SENSITIVE_TYPES,
        Category.HISTOLOGY: letter.type_code in PATHOLOGY_TYPES,
        Category.IMAGING: letter.type_code in IMAGING_TYPES,
        Category.WITHDRAWN: letter.is_withdrawn,
    }
    categories = frozenset(category for category, applies in said.items() if applies)
    arrived = micros(letter.version_at) if occasion.feed.backload else writer.now
    release = decide(categories, min(arrived, writer.now))
    if tree["status"] == _SUPERSEDED and before is not None:
        # What the patient could read stays, marked as replaced; what was held is not opened by it.
        return replace(release, release_at=before.release_at)
    return release


def _sooner(release: Release, stands: int | None) -> Release:
    if stands is not None and release.release_at is not None and release.release_at < stands:
        return release
    return replace(release, release_at=stands)


def _keep_notice(
    writer: Writer, release: Release, id_: str, given: tuple[Identity, Occasion]
) -> None:
    """Keep a notice for the patient while a letter waits by date, and take it back when open."""
    identity, occasion = given
    feed = occasion.feed
    if not (release.held(writer.now) and release.notice):
        writer.withdraw_notice(identity.patient, id_)
        return
    if feed.backload:
        return  # what is told already stays told
    writer.notice(
        Notice(
            patient=identity.patient,
            report=id_,
            title=_HELD_TITLE,
            category=release.category.value,
            opens=release.release_at,
            contact=feed.contact,
        )
    )
