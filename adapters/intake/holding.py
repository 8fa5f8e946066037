"""Why a group's results may have to wait: what the message, the feed and the clinician say."""

from sqlalchemy import select

from adapters.hl7v2.conversion import ReportGroup
from adapters.intake.code_maps import CodeMap
from adapters.intake.feeds import Feed
from adapters.intake.identity import Identity
from adapters.intake.tables import contact_first
from fhir_server.model.ids import bucket_of
from fhir_server.record import Writer
from fhir_server.release import Category


def held_categories(
    writer: Writer, group: ReportGroup, feed: Feed, identity: Identity, known: CodeMap
) -> frozenset[Category]:
    """Return the categories that decide on the release of *group* and of every result in it.

    The strictest of them holds the whole group, so that no result opens before its report.
    """
    unmapped = any((local.system, local.code) not in known for local in group.local_codes)
    said = {
        Category.UNVERIFIED: group.is_unverified,
        Category.SENSITIVE: bool(
            group.security or group.unreleasable or group.holds or identity.held
        ),
    }
    if not feed.backload:
        said |= {
            Category.PRELIMINARY: group.is_preliminary,
            Category.HISTOLOGY: group.is_histology,
            Category.IMAGING: group.is_imaging,
            Category.UNMAPPED: unmapped,
            Category.CONTACT_FIRST: _contact_first(writer, group, identity.patient),
        }
    categories = {category for category, applies in said.items() if applies}
    if group.observations and len(group.withdrawn) == len(group.observations):
        categories.add(Category.WITHDRAWN)
    return frozenset(categories)


def _contact_first(writer: Writer, group: ReportGroup, patient: str) -> bool:
    table = contact_first.c
    rows = writer.select(
        select(table.code).where(table.bucket == bucket_of(patient), table.patient == patient)
    )
    wanted = {row.code for row in rows}
    return bool(wanted) and not wanted.isdisjoint(_codes(group))


def _codes(group: ReportGroup) -> set[str]:
    """Return every code under which the group's tests go, the laboratory's own among them."""
    return {
        coding.get("code", "")
        for made in (group.report, *group.observations)
        for coding in made.tree.get("code", {}).get("coding", ())
    }
