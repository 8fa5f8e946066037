"""Orders into the record: what was asked for, and how far it is, in the order of the messages.

Runs inside a piece, so everything here commits together with the raw message and its answer, or
not at all. An older message that arrives late is kept and not applied; a request that a result has
answered is not opened again; nothing moves from one patient to another.
"""

from collections.abc import Iterator, Mapping

from adapters.hl7v2.conversion import Key, resolve
from adapters.hl7v2.orders import OrderGroup, Orders
from adapters.intake import claims, lineage, standing
from adapters.intake.beside import file_directory, file_person, ids_of, own_ids
from adapters.intake.buckets import of_person, require
from adapters.intake.claims import Number
from adapters.intake.feeds import Feed
from adapters.intake.identity import Identity, at_home, identify
from adapters.intake.numbered import Tree, content_with_tags, known_id, with_identifiers
from adapters.intake.occasion import Occasion, Outcome, reference, worded
from adapters.intake.placing import at_its_places
from adapters.intake.requests import is_answered
from adapters.intake.unclear import Unclear
from fhir_server.clock import micros
from fhir_server.model.ids import bucket_of
from fhir_server.model.validate import judge
from fhir_server.record import Record, Stored, Writer
from fhir_server.release import Category, decide


def file(writer: Writer, orders: Orders, occasion: Occasion) -> Outcome:
    """File every order of the message.

    Raises Unclear where a human has to decide first, Undeclared where a bucket is not among the
    occasion's, and Invalid where a resource is not valid: then nothing may be kept of it.
    """
    return at_its_places(orders.places, lambda: _filed(writer, orders, occasion))


def _filed(writer: Writer, orders: Orders, occasion: Occasion) -> Outcome:
    identity = identify(writer, orders.person)
    homes = [at_home(writer, identity, _numbers(group)) for group in orders.groups]
    require(occasion.buckets, *(bucket_of(one.patient) for one in (identity, *homes)))
    for group, home in zip(orders.groups, homes, strict=True):
        numbers = tuple(_numbers(group))
        require(occasion.buckets, *(number.bucket for number in numbers))
        for number in numbers:
            _refuse_another_patient(writer, number, home)
            claims.hold(writer, number, home.patient, home.record)
    made = file_person(writer, orders.person, identity)
    directory = (*orders.organizations, *orders.practitioners)
    ids = ids_of(writer.id_key, identity.subject, directory, ())
    made.extend(file_directory(writer, directory, ids, occasion))
    flags = [*identity.flags, *worded(orders.flags)]
    for group, home in zip(orders.groups, homes, strict=True):
        ids |= own_ids(writer.id_key, home.patient, (one.key for one in group.all_made()))
        key = group.service_request.key
        ids[key] = known_id(writer, key, group.placer_number, home.patient)
        references, flag = _file_order(writer, group, ids, (home, occasion))
        made.extend(references)
        flags.extend(filter(None, (flag,)))
    return Outcome(identity.subject, tuple(made), tuple(dict.fromkeys(flags)), ids)


def buckets(record: Record, _feed: Feed, orders: Orders) -> Iterator[int]:
    """Yield the buckets that `file` will write in, as far as they can be told before."""
    yield from of_person(record, orders.person)
    yield from (number.bucket for group in orders.groups for number in _numbers(group))


def numbers(orders: Orders) -> Iterator[str]:
    """Yield the numbers by which a laboratory or a ward would ask for the message."""
    for group in orders.groups:
        yield group.filler_number
        yield group.placer_number


def _numbers(group: OrderGroup) -> Iterator[Number]:
    """Yield both numbers of an order: a result may name either."""
    if group.filler_number:
        yield claims.number_of("filler", group.authority, group.filler_number)
    if group.placer_number:
        yield claims.number_of("placer", group.authority, group.placer_number)


def _refuse_another_patient(writer: Writer, number: Number, home: Identity) -> None:
    if not set(home.ids).issuperset(claims.holders(writer, number)):
        address = "OBR.3" if number.kind == "filler" else "OBR.2"
        text = "This order number was filed for another person before."
        raise Unclear("AE", 205, "order-other-patient", address, text)


def _file_order(
    writer: Writer, group: OrderGroup, ids: Mapping[Key, str], given: tuple[Identity, Occasion]
) -> tuple[list[str], str]:
    """File one order; return references with versions, and a flag, empty where all is in order."""
    identity, occasion = given
    patient, id_ = identity.patient, ids[group.service_request.key]
    before = writer.current("ServiceRequest", id_)
    verdict = standing.judge(writer, patient, id_, micros(group.version_at), group.status)
    if not verdict.applied:
        return [], f"{verdict.flag} MSH.7"
    known = content_with_tags(before) if before is not None else {}
    if known and is_answered(known) and group.status != "entered-in-error":
        return [], "" if group.status == "completed" else "order-answered ORC.1"
    tree = judge(_merged(group, resolve(group.service_request.tree, ids), known))
    release_at = _release_at(writer, group, before, given)
    changes = lineage.changed(writer, before, tree)
    told = lineage.told(writer, group.provenance, ids, changes, is_new=before is None)
    beside = [(one.key, judge(resolve(one.tree, ids))) for one in group.specimens]
    made = []
    for key, content in (*beside, (group.provenance.key, told)):
        filed = writer.file(content, id_=ids[key], patient=patient, release_at=release_at)
        made.append(reference(filed.stored))
    filed = writer.file(tree, id_=id_, patient=patient, release_at=release_at)
    said = (occasion.control_id, group.version_at, group.status)
    standing.stand(writer, patient, id_, occasion.feed.name, said)
    return [*made, reference(filed.stored)], ""


def _merged(group: OrderGroup, tree: Tree, known: Tree) -> Tree:
    """Return the request with what the message leaves out as it was; its status among that."""
    if known and not group.status:
        tree["status"] = known["status"]
    tree = with_identifiers(tree, known)
    specimens = [one for one in known.get("specimen", ()) if one not in tree.get("specimen", ())]
    if specimens:
        tree["specimen"] = [*tree.get("specimen", ()), *specimens]
    return known | tree


def _release_at(
    writer: Writer, group: OrderGroup, before: Stored | None, given: tuple[Identity, Occasion]
) -> int | None:
    """Return when the patient may see the request: at once, unless a label or the person waits.

    What is held with its result, or was held by a person, is not opened by an order message.
    """
    identity, occasion = given
    waits = bool(group.holds) or identity.held
    arrived = micros(group.version_at) if occasion.feed.backload else writer.now
    categories = frozenset({Category.SENSITIVE} if waits else ())
    decided = decide(categories, min(arrived, writer.now)).release_at
    if before is None or decided is None:
        return decided
    return before.release_at
