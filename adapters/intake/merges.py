"""Records that a hospital joins: by a feed with the right to it, and only where nothing disagrees.

Whose birth date or NHS number differs, and who may sign in to what would be retired, waits for a
person; so does a circle. A number that nobody was filed under yet is kept as the survivor's, so
that a result which comes under it later finds them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NoReturn

from adapters.hl7v2.conversion import PATIENT, Key, PersonNamed, resolve
from adapters.hl7v2.merge import Merge, Pair
from adapters.intake import claims, likeness
from adapters.intake.beside import file_directory, file_person, ids_of
from adapters.intake.buckets import of_person, require
from adapters.intake.feeds import Feed
from adapters.intake.identity import Identity, candidates, identify
from adapters.intake.merging import content_of
from adapters.intake.occasion import Occasion, Outcome, reference, worded
from adapters.intake.unclear import Unclear
from fhir_server import linking
from fhir_server.model.identifiers import NHS_NUMBER
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Record, Stored, Writer

Tree = dict[str, Any]

_TOGETHER = 500
"""Targets of one Provenance; what is more has another."""


def file(writer: Writer, content: Merge, occasion: Occasion) -> Outcome:
    """Join the records of each pair, and keep what was retired under who stays.

    Raises Unclear where a human has to decide first, Undeclared where a bucket is not among the
    occasion's: then nothing may be kept of it.
    """
    if content.by_hand:
        text = "Only a person takes a merge back, or a number from somebody."
        _wait("merge-by-hand", content.pairs[0].address, text)
    if not (occasion.feed.merges or occasion.decided):
        _wait("merge-not-agreed", "MSH.4", "This feed may not join records; a person has to.")
    written: list[Stored] = []
    flags: list[str] = []
    stays = ""
    for pair in content.pairs:
        identity, changed = _joined(writer, pair, content, occasion)
        written += changed
        flags += identity.flags
        stays = stays or identity.subject
    directory = (*content.organizations, *content.practitioners)
    ids = ids_of(writer.id_key, stays, directory, ())
    made = file_directory(writer, directory, ids, occasion)
    latest = {one.reference: one for one in written}
    told = _told(writer, content, list(latest.values()), ids)
    references = tuple(map(reference, latest.values()))
    all_flags = dict.fromkeys((*flags, *worded(content.flags)))
    return Outcome(stays, (*references, *told, *made), tuple(all_flags))


def buckets(record: Record, _feed: Feed, content: Merge) -> Iterator[int]:
    """Yield the buckets that `file` will write in, as far as they can be told before."""
    for pair in content.pairs:
        yield from of_person(record, pair.person)
        yield from of_person(record, pair.retired)


def numbers(_content: Merge) -> Iterable[str]:
    """Return nothing: such a message is asked for by its control id or by the person."""
    return ()


def _joined(
    writer: Writer, pair: Pair, content: Merge, occasion: Occasion
) -> tuple[Identity, list[Stored]]:
    """Join one pair; return who stays, and what was written."""
    identity = identify(writer, pair.person)
    prior = _prior(writer, pair)
    for one in (identity.patient, prior):
        if one:
            _hold_locks(writer, one, occasion)
    if prior and prior == identity.patient:
        _refuse_circle(writer, pair, prior)
        return identity, _renumbered(writer, pair, identity, content)
    if prior and identity.stored is None and content.renumbers and not pair.person.nhs_number:
        known = _content(writer, prior)
        flags = () if occasion.decided else _alike(pair, known, known)
        stays = Identity(prior, writer.current("Patient", prior), flags)
        return stays, _renumbered(writer, pair, stays, content)
    if identity.stored is None:
        file_person(writer, pair.person, identity)
        identity = replace(identity, stored=writer.current("Patient", identity.patient))
    if not prior and pair.retired.nhs_number is None:
        return identity, _renumbered(writer, pair, identity, content)
    flags = () if occasion.decided else _agreeing(writer, pair, identity, prior)
    prior = prior or _stub(writer, pair, occasion)
    reason = f"ADT^{content.event}: Patient/{prior} into Patient/{identity.patient}"
    written = linking.join(writer, prior, identity.patient, reason)
    for patient in (prior, identity.patient):
        writer.audit("update", patient=patient, entity=f"Patient/{patient}", reason="joined")
    _hold_numbers(writer, pair.retired, prior)
    _hold_numbers(writer, pair.person, identity.patient)
    joined = replace(identity, flags=(*identity.flags, *flags))
    return joined, list(written)


def _prior(writer: Writer, pair: Pair) -> str:
    """Return who bears the retired numbers today, or the empty text. Raises Unclear for several."""
    found = {linking.whole(writer, one)[0] for one in bearers(writer, pair.retired)}
    if len(found) > 1:
        text = "The retired numbers belong to more than one person."
        _wait("identity-unclear", pair.address, text)
    return next(iter(found), "")


def bearers(writer: Writer, person: PersonNamed) -> set[str]:
    """Return the ids under which somebody was filed with one of the numbers of *person*."""
    claimed = (one for number in claims.of_person(person) for one in claims.holders(writer, number))
    ids = (*candidates(writer.id_key, person), *claimed)
    return {one for one in ids if writer.current("Patient", one) is not None}


def _hold_locks(writer: Writer, patient: str, occasion: Occasion) -> None:
    require(occasion.buckets, *(bucket_of(one) for one in linking.whole(writer, patient)))


def _refuse_circle(writer: Writer, pair: Pair, survivor: str) -> None:
    """Raise Unclear where somebody is to stay who was retired in favour of the very other."""
    if survivor in bearers(writer, pair.person):
        return
    if survivor in bearers(writer, pair.retired):
        text = "Whoever is to stay was merged into the one who is to be retired."
        _wait("merge-circle", pair.address, text)


def _agreeing(writer: Writer, pair: Pair, identity: Identity, prior: str) -> tuple[str, ...]:
    """Return flags for what differs mildly between the two. Raises Unclear for what does not."""
    if pair.retired.nhs_number is not None:
        _wait("merge-conflict", pair.address, _SIGNS_IN)
    if not prior or identity.stored is None:
        return ()
    known, stays = _content(writer, prior), content_of(identity.stored)
    if _nhs_numbers(known):
        differ = _nhs_numbers(known) != _nhs_numbers(stays) and _nhs_numbers(stays)
        text = "The two have different NHS numbers." if differ else _SIGNS_IN
        _wait("merge-conflict", pair.address, text)
    return _alike(pair, known, stays)


def _alike(pair: Pair, known: Tree, stays: Tree) -> tuple[str, ...]:
    """Return flags where who *stays* differs mildly from who is *known*. Raises Unclear."""
    try:
        return likeness.differences(known, _filled(pair.person, stays))
    except Unclear as unclear:
        _wait("merge-conflict", unclear.address, "The two records do not agree on who it is.")


_SIGNS_IN = "A record with an NHS number is retired only by a person: somebody may sign in to it."


def _nhs_numbers(known: Tree) -> set[str]:
    return {
        one["value"]
        for one in known.get("identifier", ())
        if one.get("system") == NHS_NUMBER and one.get("use") != "old"
    }


def _filled(person: PersonNamed, known: Tree) -> PersonNamed:
    """Return *person* with what the message leaves out as it is known."""
    name: Tree = next(iter(known.get("name", ())), {})
    return replace(
        person,
        birth_date=person.birth_date or known.get("birthDate", ""),
        family=person.family or name.get("family", ""),
        given=person.given or next(iter(name.get("given", ())), ""),
        gender=person.gender or known.get("gender", ""),
    )


def _content(writer: Writer, patient: str) -> Tree:
    stored = writer.current("Patient", patient)
    return content_of(stored) if stored is not None else {}


def _stub(writer: Writer, pair: Pair, occasion: Occasion) -> str:
    """File a retired person who is not known here, so that what comes for them finds who stays."""
    patient = candidates(writer.id_key, pair.retired)[0]
    require(occasion.buckets, bucket_of(patient))
    writer.file(judge(pair.retired.tree), id_=patient, patient=patient, release_at=writer.now)
    return patient


def _renumbered(writer: Writer, pair: Pair, identity: Identity, content: Merge) -> list[Stored]:
    """Keep the retired numbers as old ones of somebody who stays, and theirs beside them.

    A number that is changed back counts again.
    """
    _hold_numbers(writer, pair.retired, identity.patient)
    _hold_numbers(writer, pair.person, identity.patient)
    known = _content(writer, identity.patient)
    retired = {_number(one): one for one in pair.retired.tree.get("identifier", ())}
    named = [*known.get("identifier", ()), *pair.person.tree.get("identifier", ())]
    if pair.retired.nhs_number is None:
        retired = {key: one for key, one in retired.items() if key[0] != NHS_NUMBER}
    numbers: dict[tuple[str, ...], Tree] = {}
    for one in named:
        numbers.setdefault(_number(one), one)
    if content.renumbers:
        numbers |= {_number(one): one for one in pair.person.tree.get("identifier", ())}
    numbers |= {key: {**numbers.get(key, one), "use": "old"} for key, one in retired.items()}
    tree = judge(known | {"identifier": list(numbers.values())})
    before = writer.current("Patient", identity.patient)
    filed = writer.file(
        tree,
        id_=identity.patient,
        patient=identity.patient,
        release_at=writer.now,
        labels=before.labels if before else 0,
        reason="numbers were retired",
    )
    return [filed.stored] if filed.change != "unchanged" else []


def _number(identifier: Tree) -> tuple[str, ...]:
    assigner = identifier.get("assigner", {}).get("display", "")
    return identifier.get("system", ""), assigner, identifier.get("value", "")


def _hold_numbers(writer: Writer, person: PersonNamed, patient: str) -> None:
    record = linking.whole(writer, patient)
    for number in claims.of_person(person):
        claims.hold(writer, number, patient, record)


def _told(
    writer: Writer, content: Merge, written: list[Stored], ids: dict[Key, str]
) -> Iterator[str]:
    """File where this comes from; yield the references."""
    for start in range(0, len(written), _TOGETHER):
        part = written[start : start + _TOGETHER]
        tree = resolve(content.provenance.tree, ids) | {
            "target": [{"reference": reference(one)} for one in part]
        }
        key = (*content.provenance.key, str(start))
        home = ids[PATIENT]
        id_ = derived_id(writer.id_key, *key, bucket=bucket_of(home))
        filed = writer.file(judge(tree), id_=id_, patient=home, release_at=writer.now)
        yield reference(filed.stored)


def _wait(code: str, address: str, text: str) -> NoReturn:
    raise Unclear(None, 204, code, address, text)
