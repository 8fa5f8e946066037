"""One order's report into the record: held against its versions, merged, and released or held."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.hl7v2.conversion import Key, ReportGroup, resolve
from adapters.intake import claims, code_maps, lineage, standing
from adapters.intake.alerting import Told, tell_teams
from adapters.intake.buckets import require
from adapters.intake.feeds import Feed
from adapters.intake.holding import held_categories
from adapters.intake.identity import Identity
from adapters.intake.inbox import key_of
from adapters.intake.merging import TAKEN_BACK, Merged, content_of, merged
from adapters.intake.requests import request_after_result
from fhir_server.clock import micros
from fhir_server.earlier_values import CHANGED
from fhir_server.model.validate import judge
from fhir_server.record import Notice, Stored, Writer
from fhir_server.release import Category, Release, decide

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the groups of one message have in common."""

    feed: Feed
    identity: Identity
    control_id: str
    buckets: frozenset[int] | None
    document_withdrawn: bool
    """Whether a document of the message was taken back (OBX-11 D, W)."""
    refiled: bool = False
    """Whether the message was filed before, and what it says is known."""


def file_group(
    writer: Writer, group: ReportGroup, ids: Mapping[Key, str], setting: Setting
) -> tuple[list[str], list[str]]:
    """File one report with all that hangs on it; return references with versions, and flags.

    An older version, or one that takes a final result back to preliminary, changes nothing.
    """
    patient, report_id = setting.identity.patient, ids[group.report.key]
    number = claims.of_order(group)
    if number is not None:
        claims.hold(writer, number, patient, setting.identity.record)
    verdict = standing.judge(writer, patient, report_id, micros(group.version_at), group.status)
    if not verdict.applied:
        return [], [f"{verdict.flag} {verdict.address}"]
    known = _meanings(writer, group, setting)
    content = merged(writer, group, ids, known, document_withdrawn=setting.document_withdrawn)
    before = writer.current("DiagnosticReport", report_id)
    release = _released(writer, group, content, setting)
    if before is not None and (setting.refiled or not _differs(writer, content, ids)):
        # Sent again unchanged: what a clinician opened, or a date, stays; it can only open sooner.
        release = _sooner(release, before.release_at)
    told = _told(writer, group, ids, (before, content))
    made = _file_parts(writer, group, ids, (patient, release, content, told))
    _notify(writer, group, setting, (report_id, release, before))
    about = Told(report_id, key_of(group.ordered_as), setting.control_id)
    filed = ((ids[key], tree) for key, tree in content.trees.items())
    made.extend(_reference(one) for one in tell_teams(writer, about, filed))
    said = (setting.control_id, group.version_at, content.status)
    standing.stand(writer, patient, report_id, setting.feed.name, said)
    flags = [f"{verdict.flag} {verdict.address}"] if verdict.flag else []
    return made, [*flags, *content.flags]


def _meanings(writer: Writer, group: ReportGroup, setting: Setting) -> code_maps.CodeMap:
    """Return what the feed's map knows of the group's codes, and count those it does not know."""
    feed = setting.feed.name
    known = code_maps.for_feed(writer, feed, group.local_codes)
    unmapped = [one for one in group.local_codes if (one.system, one.code) not in known]
    if unmapped:
        require(setting.buckets, code_maps.work_list_bucket(feed))
        code_maps.count_unmapped(writer, feed, unmapped, setting.control_id)
    return known


def _released(writer: Writer, group: ReportGroup, content: Merged, setting: Setting) -> Release:
    """Return the policy's decision for the group; a backload counts from when it was issued."""
    categories = held_categories(writer, group, content, setting.identity)
    arrived = micros(group.version_at) if setting.feed.backload else writer.now
    return decide(categories, min(arrived, writer.now))


def _differs(writer: Writer, content: Merged, ids: Mapping[Key, str]) -> bool:
    return any(writer.differs(tree, ids[key]) for key, tree in content.trees.items())


def _sooner(release: Release, stands: int | None) -> Release:
    if stands is not None and release.release_at is not None and release.release_at < stands:
        return release
    return replace(release, release_at=stands)


def _told(
    writer: Writer,
    group: ReportGroup,
    ids: Mapping[Key, str],
    given: tuple[Stored | None, Merged],
) -> Tree:
    """Return the Provenance: of a report that stood, with its version and those of what changed.

    Of its results only those are named that are corrected or taken back.
    """
    before, content = given
    changes: list[lineage.Change] = []
    if before is not None:
        for key, tree in content.trees.items():
            is_report = key == group.report.key
            if is_report or tree["status"] in CHANGED:
                stood = before if is_report else writer.current("Observation", ids[key])
                changes += lineage.changed(writer, stood, tree)
    return lineage.told(writer, group.provenance, ids, changes, is_new=before is None)


def _file_parts(
    writer: Writer,
    group: ReportGroup,
    ids: Mapping[Key, str],
    given: tuple[str, Release, Merged, Tree],
) -> list[str]:
    patient, release, content, told = given
    made: list[str] = []
    held = release.held(writer.now)
    beside = [(one.key, judge(resolve(one.tree, ids))) for one in group.specimens]
    for asked in filter(None, (*group.further_requests, group.service_request)):
        request = request_after_result(writer, asked, ids, held=held)
        beside += [(asked.key, request)] if request is not None else []
    beside.append((group.provenance.key, told))
    for key, tree in beside:
        filed = writer.file(tree, id_=ids[key], patient=patient, release_at=release.release_at)
        made.append(_reference(filed.stored))
    for key, tree in content.trees.items():
        release_at = None if key in group.withdrawn else release.release_at
        filed = writer.file(tree, id_=ids[key], patient=patient, release_at=release_at)
        made.append(_reference(filed.stored))
    for stored in content.kept:
        made.extend(_held_as_long(writer, stored, release.release_at))
    return made


def _held_as_long(writer: Writer, stored: Stored, release_at: int | None) -> list[str]:
    """Hold a result that the message does not name for as long as its report, if that is longer."""
    if stored.release_at is None or (release_at is not None and release_at <= stored.release_at):
        return []
    if release_at is not None and release_at <= writer.now:
        return []
    filed = writer.file(
        content_of(stored), id_=stored.id, patient=stored.patient, release_at=release_at
    )
    return [_reference(filed.stored)]


def _reference(stored: Stored) -> str:
    return f"{stored.reference}/_history/{stored.version}"


def _notify(
    writer: Writer,
    group: ReportGroup,
    setting: Setting,
    stands: tuple[str, Release, Stored | None],
) -> None:
    """Keep a notice for the patient while the report is held, and take it back when it is not.

    Of a report that was open to them and is taken back, the notice says so.
    """
    report_id, release, before = stands
    is_taken_back = release.category is Category.WITHDRAWN
    if is_taken_back and before is not None and content_of(before)["status"] == TAKEN_BACK:
        return
    patient, now = setting.identity.patient, writer.now
    was_open = before is not None and before.release_at is not None and before.release_at <= now
    is_told = release.notice or (is_taken_back and was_open)
    if release.held(now) and is_told:
        if setting.feed.backload:
            return  # what is told already stays told
        writer.notice(
            Notice(
                patient=patient,
                report=report_id,
                title=key_of(group.ordered_as),
                category=release.category.value,
                opens=release.release_at,
                contact=setting.feed.contact,
            )
        )
    else:
        writer.withdraw_notice(patient, report_id)
