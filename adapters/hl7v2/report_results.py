"""The results of one report as they are made, and what a release policy will ask of each.

Which of them no patient may be shown without a clinician, which were taken back, which move their
status alone, which codes nobody but the sender knows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.hl7v2.attachments import Attached, encapsulated, pointed
from adapters.hl7v2.code_tables import RELEASE_WITHHELD, STATUS_ONLY, UNVERIFIED, WITHDRAWN
from adapters.hl7v2.codeable_concepts import codeable_concept, words
from adapters.hl7v2.coding_systems import STANDARD
from adapters.hl7v2.composite import each, first, value
from adapters.hl7v2.context import Context
from adapters.hl7v2.conversion import Key, LocalCode, Made, Tree
from adapters.hl7v2.groups import Result
from adapters.hl7v2.obr_to_report import Issued
from adapters.hl7v2.obx_to_observation import Setting, observation, status_of
from adapters.hl7v2.obx_value import unit_as_sent
from adapters.hl7v2.order import Order
from adapters.hl7v2.results import Line, documents, lines

_ASKED = frozenset({"QST", "SCI"})  # OBX-29: question, supporting clinical information
_NOT_ASKED = frozenset({"N"})


@dataclass(slots=True)
class Gathered:
    """The results of one report as they are made, with what is to be said of them."""

    observations: list[Made] = field(default_factory=list)
    links: list[Key] = field(default_factory=list)
    answers: list[Key] = field(default_factory=list)
    """What was asked about the patient with the order: for the request, not the report."""
    withdrawn: list[Key] = field(default_factory=list)
    status_only: list[Key] = field(default_factory=list)
    unreleasable: list[tuple[Key, str]] = field(default_factory=list)
    holds: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    release_codes: list[str] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)


def take_results(
    results: Sequence[Result],
    gathered: Gathered,
    order: Order,
    setting: Setting,
    context: Context,
    *,
    of_specimen: str = "",
) -> None:
    """Add the Observations of *results* to *gathered*.

    *of_specimen* numbers the specimen which they describe, and parts their keys from those of the
    report's own results.
    """
    found, conflict = lines(results, order, context)
    if conflict:
        gathered.holds.append("obx-conflict")
    for line in found:
        key = order.key_of("Observation", *([of_specimen] if of_specimen else []), *line.key)
        is_answer = value(line.obx, 29) in _ASKED
        if not of_specimen:
            (gathered.answers if is_answer else gathered.links).append(key)
        sent, status = status_of(line.obx, context)
        gathered.statuses.append(status)
        _note_release(line, key, sent, gathered)
        if sent in STATUS_ONLY and not line.obx.field(5):
            gathered.status_only.append(key)
            continue
        if sent in WITHDRAWN:
            gathered.withdrawn.append(key)
        gathered.observations.append(Made(key, observation(line, setting, context)))


def _note_release(line: Line, key: Key, sent: str, gathered: Gathered) -> None:
    """Note what of one result no patient may be shown without a clinician, and why."""
    obx = line.obx
    if sent in UNVERIFIED:
        gathered.unreleasable.append((key, "unverified"))
    if sent in _NOT_ASKED:
        gathered.unreleasable.append((key, "not-asked"))
    if len(obx.fields) <= 13:
        return
    if value(obx, 13):
        gathered.unreleasable.append((key, "access-checks"))
    for asked in each(obx, 26):
        gathered.release_codes.append(asked[1])
        if asked[1] in RELEASE_WITHHELD:
            gathered.unreleasable.append((key, "laboratory-withholds"))


def take_documents(
    results: Sequence[Result], gathered: Gathered, when: Issued, context: Context
) -> None:
    """Add the documents among *results* to *gathered*; those taken back are left out, flagged."""
    for result in documents(results):
        obx = result.obx
        sent, status = status_of(obx, context)
        gathered.statuses.append(status)
        if sent in WITHDRAWN:
            context.flag("document-withdrawn", obx.address())
            continue
        if not obx.field(5):
            context.flag("document-empty", obx.address(5))
            continue
        title = words(codeable_concept(first(obx, 3), context))
        read = pointed if result.kind == "RP" else encapsulated
        attached = read(obx, context, title, when.text)
        if attached is None:
            continue
        gathered.attached.append(attached)
        if attached.document.hold:
            gathered.holds.append(attached.document.hold)


def is_free_text(observations: Sequence[Made]) -> bool:
    """Tell whether every value of a report is a text; a report without values is none."""
    valued = [made.tree for made in observations if "dataAbsentReason" not in made.tree]
    return bool(valued) and all("valueString" in tree for tree in valued)


def local_codes(observations: Sequence[Made]) -> tuple[LocalCode, ...]:
    """Return the tests that are in no standard system, each once, with the unit it came in."""
    found: dict[LocalCode, None] = {}
    for made in observations:
        code = made.tree["code"]
        codings = code.get("coding", ())
        is_known = any(coding.get("system") in STANDARD for coding in codings)
        if is_known or made.tree["status"] == "entered-in-error":
            continue
        coding = codings[0] if codings else {}
        local = LocalCode(
            coding.get("system", ""), coding.get("code", ""), words(code), unit_as_sent(made.tree)
        )
        found[local] = None
    return tuple(found)


def laboratories(observations: Iterable[Made]) -> list[Tree]:
    """Return references to the organisations that did the tests, each once."""
    found: list[Tree] = []
    for made in observations:
        for performer in made.tree.get("performer", ()):
            link = performer.get("reference")
            is_laboratory = link is None or link.key[0] == "Organization"
            if is_laboratory and performer not in found:
                found.append(performer)
    return found
