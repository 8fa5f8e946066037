"""One conversion into the record: patient, directory, reports in the order of their versions.

Runs inside a piece, so everything here commits together with the raw message and its answer, or
not at all. A later message about the same filler number updates the same resources; an older one
that arrives late is kept and not applied; nothing moves from one patient to another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.hl7v2.conversion import PATIENT, Conversion, Key, PersonNamed, ReportGroup, resolve
from adapters.intake import claims, code_maps, standing
from adapters.intake.feeds import Feed
from adapters.intake.holding import held_categories
from adapters.intake.identity import Identity, Unclear, identify
from adapters.intake.merging import merged_observation, merged_report
from fhir_server.clock import micros
from fhir_server.model import json
from fhir_server.model.ids import bucket_of, derived_id
from fhir_server.model.validate import judge
from fhir_server.record import Notice, Writer
from fhir_server.release import Release, decide

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was made: references with versions, flags for a person, and the patient."""

    patient: str
    made: tuple[str, ...]
    flags: tuple[str, ...]


def file(writer: Writer, conversion: Conversion, feed: Feed, control_id: str) -> Outcome:
    """File all that *conversion* holds. Raises Unclear where a human has to decide first."""
    identity = identify(writer, conversion.person)
    patient = identity.patient
    for group in conversion.groups:
        _refuse_another_patient(writer, group, patient)
    made: list[str] = []
    if identity.stored is None:
        made.append(_new_patient(writer, conversion.person, patient))
    for authority, value in conversion.person.identifiers:
        claims.hold(writer, "person", authority, value, patient)
    ids = _ids(writer.id_key, conversion, patient)
    for one in (*conversion.organizations, *conversion.practitioners):
        tree = resolve(one.tree, ids)
        made.append(_file(writer, tree, ids[one.key], patient="", release_at=writer.now))
    flags = list(identity.flags)
    for group in conversion.groups:
        references, raised = _file_group(writer, group, ids, _Of(feed, identity, control_id))
        made.extend(references)
        flags.extend(raised)
    flags.extend(f"{flag.code} {flag.address}" for flag in conversion.flags)
    return Outcome(patient, tuple(made), tuple(flags))


@dataclass(frozen=True, slots=True)
class _Of:
    feed: Feed
    identity: Identity
    control_id: str


def _refuse_another_patient(writer: Writer, group: ReportGroup, patient: str) -> None:
    if not group.filler_number:
        return
    others = claims.holders(writer, "filler", group.authority, group.filler_number)
    if any(other != patient for other in others):
        raise Unclear(
            "AE",
            205,
            "order-other-patient",
            "OBR.3",
            "This filler number was filed for another person before.",
        )


def _new_patient(writer: Writer, person: PersonNamed, patient: str) -> str:
    return _file(writer, person.tree, patient, patient=patient, release_at=writer.now)


def _ids(id_key: bytes, conversion: Conversion, patient: str) -> dict[Key, str]:
    ids = {PATIENT: patient}
    for one in (*conversion.organizations, *conversion.practitioners):
        ids[one.key] = derived_id(id_key, *one.key)
    for group in conversion.groups:
        for one in group.all_made():
            ids[one.key] = derived_id(id_key, *one.key, bucket=bucket_of(patient))
        for key in group.status_only:
            ids[key] = derived_id(id_key, *key, bucket=bucket_of(patient))
    return ids


def _file(writer: Writer, tree: Tree, id_: str, *, patient: str, release_at: int | None) -> str:
    filed = writer.file(judge(tree), id_=id_, patient=patient, release_at=release_at)
    return _reference(filed.stored.reference, filed.stored.version)


def _reference(reference: str, version: int) -> str:
    return f"{reference}/_history/{version}"


def _file_group(
    writer: Writer, group: ReportGroup, ids: Mapping[Key, str], of: _Of
) -> tuple[list[str], list[str]]:
    patient, report_id = of.identity.patient, ids[group.report.key]
    if group.filler_number:
        claims.hold(writer, "filler", group.authority, group.filler_number, patient)
    verdict = standing.judge(writer, patient, report_id, micros(group.version_at), group.status)
    if not verdict.applied:
        return [], [f"{verdict.flag} OBR.22"]
    known = code_maps.for_feed(writer, of.feed.name, group.local_codes)
    code_maps.count_unmapped(
        writer,
        of.feed.name,
        [local for local in group.local_codes if (local.system, local.code) not in known],
    )
    results = _results(writer, group, ids, known)
    before = writer.current("DiagnosticReport", report_id)
    release = decide(held_categories(writer, group, of.feed, of.identity, known), writer.now)
    if not any(writer.differs(tree, ids[key]) for key, tree in results.items()) and before:
        # Sent again unchanged: what a clinician opened, or a date, stays; it can only open sooner.
        release = _sooner(release, before.release_at)
    made = _file_parts(writer, group, ids, (patient, release, results))
    _tell(writer, group, of, (report_id, release))
    standing.stand(writer, patient, report_id, of.feed.name, (of.control_id, group))
    return made, [f"{verdict.flag} OBR.25"] if verdict.flag else []


def _results(
    writer: Writer, group: ReportGroup, ids: Mapping[Key, str], known: code_maps.CodeMap
) -> dict[Key, Tree]:
    """Return the report and its results as they are to be filed, judged, by key."""
    before = writer.current("DiagnosticReport", ids[group.report.key])
    report = code_maps.applied(resolve(group.report.tree, ids), known)
    trees = {group.report.key: merged_report(report, json.decode(before.body) if before else None)}
    for one in group.observations:
        trees[one.key] = code_maps.applied(resolve(one.tree, ids), known)
    return {key: judge(tree) for key, tree in trees.items()}


def _sooner(release: Release, stands: int | None) -> Release:
    if stands is None or (release.release_at is not None and release.release_at < stands):
        return release
    return replace(release, release_at=stands)


def _file_parts(
    writer: Writer,
    group: ReportGroup,
    ids: Mapping[Key, str],
    given: tuple[str, Release, Mapping[Key, Tree]],
) -> list[str]:
    patient, release, results = given
    made: list[str] = []
    for one in (*group.specimens, group.service_request, group.provenance):
        tree = resolve(one.tree, ids)
        made.append(
            _file(writer, tree, ids[one.key], patient=patient, release_at=release.release_at)
        )
    for key, tree in results.items():
        release_at = None if key in group.withdrawn else release.release_at
        stored = writer.file(tree, id_=ids[key], patient=patient, release_at=release_at).stored
        made.append(_reference(stored.reference, stored.version))
    made.extend(
        _finalised(writer, ids[key], patient, release.release_at) for key in group.status_only
    )
    return made


def _finalised(writer: Writer, id_: str, patient: str, release_at: int | None) -> str:
    """Give a stored Observation the status *final* with the value that it has (OBX-11 U)."""
    before = writer.current("Observation", id_)
    if before is None:
        raise Unclear(
            "AE", 204, "value-missing", "OBX.11", "Status U names a result that was never sent."
        )
    tree = judge(merged_observation(json.decode(before.body)))
    stored = writer.file(tree, id_=id_, patient=patient, release_at=release_at).stored
    return _reference(stored.reference, stored.version)


def _tell(writer: Writer, group: ReportGroup, of: _Of, decided: tuple[str, Release]) -> None:
    """Keep a notice for the patient while the report is held, and take it back when it is not."""
    report_id, release = decided
    if release.held(writer.now) and release.notice and not of.feed.backload:
        writer.notice(
            Notice(
                patient=of.identity.patient,
                report=report_id,
                title=group.ordered_as,
                category=release.category.value,
                opens=release.release_at,
                contact=of.feed.contact,
            )
        )
    else:
        writer.withdraw_notice(of.identity.patient, report_id)
