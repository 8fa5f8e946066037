"""Why a group's results may have to wait: what the message, the feed and the clinician say."""

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from adapters.hl7v2.coding_systems import STANDARD
from adapters.hl7v2.conversion import ReportGroup
from adapters.intake.identity import Identity
from adapters.intake.merging import Merged
from adapters.intake.tables import contact_first
from fhir_server.model.ids import bucket_of
from fhir_server.record import Writer
from fhir_server.release import Category


def held_categories(
    writer: Writer, group: ReportGroup, content: Merged, identity: Identity
) -> frozenset[Category]:
    """Return the categories that decide on the release of *group* and of every result in it.

    The strictest of them holds the whole group, so that no result opens before its report.
    *content* is the group as it will be filed, with the codes that the feed's map knows.
    """
    said = {
        Category.UNVERIFIED: group.is_unverified,
        Category.SENSITIVE: bool(
            group.security or group.unreleasable or group.holds or identity.held
        ),
        Category.PRELIMINARY: content.is_unsettled if content.goes_back else group.is_preliminary,
        Category.HISTOLOGY: group.is_histology,
        Category.IMAGING: group.is_imaging,
        Category.UNMAPPED: _is_unmapped(content),
        Category.CONTACT_FIRST: _contact_first(writer, content, identity.ids),
        Category.WITHDRAWN: content.all_withdrawn or content.document_withdrawn,
    }
    return frozenset(category for category, applies in said.items() if applies)


def _is_unmapped(content: Merged) -> bool:
    """Tell whether a result has no code that everybody knows."""
    return any(
        not STANDARD & {coding.get("system") for coding in tree["code"].get("coding", ())}
        for tree in content.results
        if tree["status"] != "entered-in-error"
    )


_MARKED = select(contact_first.c.code).where(
    *(contact_first.c[name] == bindparam(name) for name in ("bucket", "patient"))
)


def _contact_first(writer: Writer, content: Merged, record: Iterable[str]) -> bool:
    places = ({"bucket": bucket_of(one), "patient": one} for one in record)
    wanted = {row.code for place in places for row in writer.select(_MARKED, place)}
    return bool(wanted) and not wanted.isdisjoint(_codes(content))


def _codes(content: Merged) -> set[str]:
    """Return every code under which the group's tests go, the laboratory's own among them."""
    return {
        coding.get("code", "")
        for tree in content.trees.values()
        for coding in tree.get("code", {}).get("coding", ())
    }
