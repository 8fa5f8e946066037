"""An appointment into the record: when and where, as the latest message says.

Runs inside a piece, so everything here commits together with the raw message and its answer, or
not at all. A later message about the same number updates the same appointment; an older one that
arrives late is kept and not applied; nothing moves from one patient to another.
"""

from collections.abc import Iterator, Mapping

from adapters.hl7v2.appointment import Booking
from adapters.hl7v2.conversion import Key, resolve
from adapters.intake import claims, lineage, standing
from adapters.intake.beside import file_directory, file_person, ids_of, own_ids
from adapters.intake.buckets import of_person, require
from adapters.intake.claims import Number
from adapters.intake.feeds import Feed
from adapters.intake.identity import Identity, at_home, identify
from adapters.intake.numbered import Tree, content_with_tags, known_id, with_identifiers
from adapters.intake.occasion import Occasion, Outcome, reference, worded
from adapters.intake.unclear import Unclear
from fhir_server.clock import micros
from fhir_server.model.ids import bucket_of
from fhir_server.model.validate import judge
from fhir_server.record import Record, Writer
from fhir_server.release import Category, decide

_TIME = frozenset({"start", "_start", "end", "_end", "minutesDuration"})


def file(writer: Writer, booking: Booking, occasion: Occasion) -> Outcome:
    """File the appointment.

    Raises Unclear where a human has to decide first, Undeclared where a bucket is not among the
    occasion's, and Invalid where a resource is not valid: then nothing may be kept of it.
    """
    identity = identify(writer, booking.person)
    identity = at_home(writer, identity, _numbers(booking))
    patient = identity.patient
    held = list(_numbers(booking))
    require(occasion.buckets, bucket_of(patient), *(number.bucket for number in held))
    for number in held:
        _refuse_another_patient(writer, number, booking, identity)
    made = file_person(writer, booking.person, identity)
    for number in held:
        claims.hold(writer, number, patient, identity.record)
    directory = (*booking.organizations, *booking.practitioners)
    own = (booking.appointment.key, booking.provenance.key)
    ids = ids_of(writer.id_key, identity.subject, directory, ())
    ids |= own_ids(writer.id_key, patient, own)
    key = booking.appointment.key
    ids[key] = known_id(writer, key, booking.placer_number, patient)
    made.extend(file_directory(writer, directory, ids, occasion))
    flags = [*identity.flags, *worded(booking.flags)]
    at = micros(booking.version_at)
    verdict = standing.judge(writer, patient, ids[key], at, booking.status)
    if verdict.applied:
        made.extend(_file_appointment(writer, booking, ids, (identity, occasion)))
    else:
        flags.append(f"{verdict.flag} MSH.7")
    return Outcome(identity.subject, tuple(made), tuple(dict.fromkeys(flags)))


def buckets(record: Record, _feed: Feed, booking: Booking) -> Iterator[int]:
    """Yield the buckets that `file` will write in, as far as they can be told before."""
    yield from of_person(record, booking.person)
    yield from (number.bucket for number in _numbers(booking))


def numbers(booking: Booking) -> Iterator[str]:
    """Yield the numbers by which a clinic would ask for the message."""
    yield booking.filler_number
    yield booking.placer_number


def _numbers(booking: Booking) -> Iterator[Number]:
    """Yield both numbers of an appointment; they live apart, as two systems give them out."""
    for kind, number in (("filler", booking.filler_number), ("placer", booking.placer_number)):
        if number:
            yield claims.number_of("appointment", booking.authority, f"{kind}^{number}")


def _refuse_another_patient(
    writer: Writer, number: Number, booking: Booking, identity: Identity
) -> None:
    if not set(identity.ids).issuperset(claims.holders(writer, number)):
        address = "SCH.2" if booking.filler_number else "SCH.1"
        text = "This appointment number was filed for another person before."
        raise Unclear("AE", 205, "appointment-other-patient", address, text)


def _file_appointment(
    writer: Writer, booking: Booking, ids: Mapping[Key, str], given: tuple[Identity, Occasion]
) -> list[str]:
    identity, occasion = given
    patient, id_ = identity.patient, ids[booking.appointment.key]
    before = writer.current("Appointment", id_)
    known = content_with_tags(before) if before is not None else {}
    tree = judge(_merged(booking, resolve(booking.appointment.tree, ids), known))
    waits = bool(booking.holds) or identity.held
    categories = frozenset({Category.SENSITIVE} if waits else ())
    release_at = decide(categories, writer.now).release_at
    if before is not None and release_at is not None and not writer.differs(tree, id_):
        # Sent again unchanged: what a person held stays held.
        release_at = before.release_at
    changes = lineage.changed(writer, before, tree)
    told = lineage.told(writer, booking.provenance, ids, changes, is_new=before is None)
    filed = [
        writer.file(content, id_=one, patient=patient, release_at=release_at).stored
        for content, one in ((tree, id_), (told, ids[booking.provenance.key]))
    ]
    said = (occasion.control_id, booking.version_at, booking.status)
    standing.stand(writer, patient, id_, occasion.feed.name, said)
    return [reference(one) for one in filed]


def _merged(booking: Booking, tree: Tree, known: Tree) -> Tree:
    """Return the appointment with what the message leaves out as it was, its time among that."""
    timed = booking.is_timed or not known
    kept = {name: part for name, part in known.items() if not timed or name not in _TIME}
    said = {name: part for name, part in tree.items() if timed or name not in _TIME}
    return kept | with_identifiers(said, known)
