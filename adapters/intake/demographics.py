"""Who somebody is, into the record: a known Patient changes only by a feed with the right to it.

Who is meant is decided as for results: number and birth date have to agree, and another birth date
or another NHS number waits for a person. What is older than what stands is kept and not applied.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import bindparam, delete, insert, select

from adapters.hl7v2.adt_fields import Effect
from adapters.hl7v2.conversion import resolve
from adapters.hl7v2.demographics import Demographics
from adapters.intake import claims, details
from adapters.intake.beside import file_directory, file_person, ids_of
from adapters.intake.buckets import of_person, require
from adapters.intake.feeds import Feed
from adapters.intake.identity import Identity, identify
from adapters.intake.merging import content_of
from adapters.intake.occasion import Occasion, Outcome, reference, worded
from adapters.intake.tables import person_standing
from fhir_server.clock import micros
from fhir_server.model.ids import bucket_of
from fhir_server.model.validate import judge
from fhir_server.record import Record, Stored, Writer

Tree = dict[str, Any]

_EXPECTED = "identity-differs"
"""What a flag on a name or a sex begins with that is not the one known: here it is the news."""


def file(writer: Writer, content: Demographics, occasion: Occasion) -> Outcome:
    """File who *content* names, or change what is known of them.

    Raises Unclear where a human has to decide who is meant, Undeclared where a bucket is not among
    the occasion's, and Invalid where the Patient would not be valid.
    """
    if content.effect is Effect.CANCELS:
        return Outcome("", (), worded(content.flags))
    if content.person.identity_unknown:
        return Outcome("", (), ("person-unknown PID.31", *worded(content.flags)))
    identity = identify(writer, content.person)
    if identity.stored is None and content.effect is Effect.UPDATES:
        return Outcome("", (), ("person-unknown PID.3", *worded(content.flags)))
    require(occasion.buckets, bucket_of(identity.patient))
    if identity.stored is None:
        made, flags = _kept(writer, content, identity, occasion), identity.flags
    else:
        made, flags = _changed(writer, content, identity, occasion)
    return Outcome(identity.patient, made, tuple(dict.fromkeys((*flags, *worded(content.flags)))))


def buckets(record: Record, _feed: Feed, content: Demographics) -> Iterator[int]:
    """Yield the buckets that `file` will write in, as far as they can be told before."""
    return of_person(record, content.person)


def numbers(_content: Demographics) -> Iterable[str]:
    """Return nothing: such a message is asked for by its control id or by the person."""
    return ()


def _kept(
    writer: Writer, content: Demographics, identity: Identity, occasion: Occasion
) -> tuple[str, ...]:
    """File somebody who is new here; return what was made."""
    ids = _ids(writer, content, identity.patient)
    made = file_directory(writer, _directory(content), ids, occasion)
    made[:0] = file_person(writer, content.person, identity)
    return (*made, _told(writer, content, identity.patient, occasion))


def _changed(
    writer: Writer, content: Demographics, identity: Identity, occasion: Occasion
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Change somebody who is known; return what was made, and flags."""
    known = identity.stored
    if known is None:
        raise AssertionError("who is changed is stored")
    if not occasion.feed.demographics:
        return (), (*identity.flags, "demographics-not-agreed MSH.4")
    if _stands_since(writer, identity.patient) > micros(content.said_at):
        return (), ("version-older EVN.2",)
    ids = _ids(writer, content, identity.patient)
    sent = resolve(content.person.tree, ids)
    tree, flags = details.changed(content_of(known), sent, content)
    made = file_directory(writer, _directory(content), ids, occasion)
    filed = _filed(writer, known, judge(tree), content)
    for number in claims.of_person(content.person):
        claims.hold(writer, number, identity.patient, identity.record)
    told = [_told(writer, content, identity.patient, occasion)]
    news = (one for one in identity.flags if not one.startswith(_EXPECTED))
    return (reference(filed), *made, *told), (*news, *flags)


def _filed(writer: Writer, known: Stored, tree: Tree, content: Demographics) -> Stored:
    return writer.file(
        tree,
        id_=known.id,
        patient=known.patient,
        release_at=writer.now,
        labels=known.labels,
        reason=f"ADT^{content.event}",
    ).stored


def _told(writer: Writer, content: Demographics, patient: str, occasion: Occasion) -> str:
    """File where this comes from, and note since when it stands."""
    ids = _ids(writer, content, patient)
    one = content.provenance
    tree = judge(resolve(one.tree, ids))
    stored = writer.file(tree, id_=ids[one.key], patient=patient, release_at=writer.now).stored
    place = {"bucket": bucket_of(patient), "patient": patient}
    writer.execute(_FORGET, place)
    said = {"said_at": micros(content.said_at), "feed": occasion.feed.name}
    writer.execute(insert(person_standing), place | said | {"event": content.event})
    return reference(stored)


def _ids(writer: Writer, content: Demographics, patient: str) -> dict[tuple[str, ...], str]:
    return ids_of(writer.id_key, patient, _directory(content), (content.provenance.key,))


def _directory(content: Demographics) -> tuple[Any, ...]:
    return (*content.organizations, *content.practitioners)


_HERE = tuple(person_standing.c[name] == bindparam(name) for name in ("bucket", "patient"))
_STANDING = select(person_standing.c.said_at).where(*_HERE)
_FORGET = delete(person_standing).where(*_HERE)


def _stands_since(writer: Writer, patient: str) -> int:
    rows = writer.select(_STANDING, {"bucket": bucket_of(patient), "patient": patient})
    return int(rows[0].said_at) if rows else 0
