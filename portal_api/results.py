"""A patient's results as people read them: the list of reports, and one report with its course."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_server.clock import from_micros, micros
from portal_api import london
from portal_api.caller import Caller, Entry, find, find_all, names, read
from portal_api.documents import Document, documents_of
from portal_api.london import Moment, moment
from portal_api.plain_names import plain_name
from portal_api.readings import (
    OUTSIDE,
    Reading,
    Run,
    concept_text,
    laboratory_of,
    place,
    reading,
    runs,
    value_text,
)

Tree = dict[str, Any]
WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
_PAGE = 20


@dataclass(frozen=True, slots=True)
class Report:
    """One DiagnosticReport with its measurements."""

    id: str
    version: int
    patient: str
    title: str
    """In plain English where the test is known, else as the laboratory calls it."""
    given_title: str
    status: str
    taken: Moment | None
    issued: Moment | None
    laboratory: str
    readings: tuple[Reading, ...]
    conclusion: str
    documents: tuple[Document, ...]
    held: bool
    """Whether the patient can't see it yet."""
    opens: Moment | None
    """When a held report opens by itself, if it does."""

    @property
    def withdrawn(self) -> bool:
        """Whether the laboratory took it back: its values are not to be shown as results."""
        return self.status in WITHDRAWN


@dataclass(frozen=True, slots=True)
class Reports:
    """One page of reports, newest first; *next* is a sealed link, or empty."""

    reports: tuple[Report, ...]
    next: str


@dataclass(frozen=True, slots=True)
class InFull:
    """One report, and the course of each of its tests by `Reading.key`."""

    report: Report
    courses: dict[str, tuple[Run, ...]]


async def newest(caller: Caller, patient: str, page: str = "") -> Reports:
    """Return the reports of *patient* that the caller may see; *page* follows a link."""
    found = await find(
        caller,
        "DiagnosticReport",
        ("patient", patient),
        ("_sort", "-date"),
        ("_count", str(_PAGE)),
        ("_include", "DiagnosticReport:result"),
        ("_include", "DiagnosticReport:performer"),
        *((("_page", page),) if page else ()),
    )
    named, beside = found.named(), {one.stored.reference: one for one in found.included}
    now = micros(caller.record.clock())
    reports = tuple(_report(one, _results(one.tree, beside), named, now) for one in found.matches)
    return Reports(reports, found.next)


async def in_full(caller: Caller, report_id: str) -> InFull:
    """Return one report with the course of its tests. Raises NotFound unless it is the caller's."""
    report = await read(caller, "DiagnosticReport", report_id)
    patient = report.stored.patient
    ids = [reference.rpartition("/")[2] for reference in _result_references(report.tree)]
    measured: dict[str, Entry] = {}
    if ids:
        own = await find_all(caller, "Observation", ("patient", patient), ("_id", ",".join(ids)))
        measured = {one.stored.reference: one for one in own.matches}
    codes = sorted({code for one in measured.values() for code in _codes(one.tree)})
    courses: dict[str, list[Tree]] = {}
    named: dict[str, str] = {}
    if codes:
        course = await find_all(
            caller,
            "Observation",
            ("patient", patient),
            ("code", ",".join(codes)),
            ("_sort", "date"),
            ("_include", "Observation:performer"),
        )
        named = course.named()
        for one in course.matches:
            if one.tree["status"] not in WITHDRAWN:
                courses.setdefault(reading(one.tree, named).key, []).append(one.tree)
    named |= await _laboratories(caller, report.tree, named)
    now = micros(caller.record.clock())
    shown = _report(report, _results(report.tree, measured), named, now)
    return InFull(
        shown, {key: runs(reading(tree, named) for tree in trees) for key, trees in courses.items()}
    )


def summary(report: Report) -> str:
    """Return what a report says in one line: a value, or how many tests it has."""
    if report.withdrawn:
        return "Not done" if report.status == "cancelled" else "Taken back by the laboratory"
    if len(report.readings) == 1:
        only = report.readings[0]
        return value_text(only.quantity) if only.quantity else "A report in words"
    if not report.readings:
        return "A report in words"
    outside = sum(place(one) in OUTSIDE for one in report.readings)
    told = f", {outside} outside the usual range" if outside else ""
    return f"{len(report.readings)} tests{told}"


def value_of(one: Reading) -> str:
    """Return what a reading says in one line: its number and unit, else its words."""
    return value_text(one.quantity) if one.quantity else one.text


async def _laboratories(caller: Caller, tree: Tree, known: dict[str, str]) -> dict[str, str]:
    wanted = {performer.get("reference", "") for performer in tree.get("performer", ())}
    missing = [one for one in sorted(wanted - known.keys()) if one.startswith("Organization/")]
    return names([(await read(caller, *one.split("/"))).tree for one in missing])


def _results(tree: Tree, beside: dict[str, Entry]) -> list[Tree]:
    references = _result_references(tree)
    return [beside[reference].tree for reference in references if reference in beside]


def _result_references(tree: Tree) -> list[str]:
    return [one["reference"] for one in tree.get("result", ()) if "reference" in one]


def _codes(tree: Tree) -> list[str]:
    """Return the codes of an Observation as values of a search, escaped."""
    codings = tree.get("code", {}).get("coding", ())
    pairs = [(coding.get("system", ""), coding["code"]) for coding in codings if "code" in coding]
    return ["|".join(_escaped(part) for part in pair) for pair in pairs[:1]]


def _escaped(text: str) -> str:
    for sign in "\\|,$":
        text = text.replace(sign, f"\\{sign}")
    return text


def _report(entry: Entry, results: Iterable[Tree], named: dict[str, str], now: int) -> Report:
    tree, stored = entry.tree, entry.stored
    readings = tuple(reading(one, named) for one in results)
    opens, held = stored.release_at, stored.release_at is None or stored.release_at > now
    given = concept_text(tree.get("code", {}))
    taken = tree.get("effectiveDateTime") or tree.get("effectivePeriod", {}).get("start", "")
    return Report(
        id=stored.id,
        version=stored.version,
        patient=entry.patient,
        title=_title(tree, readings, given),
        given_title=given,
        status=tree["status"],
        taken=moment(taken),
        issued=moment(tree.get("issued", "")),
        laboratory=laboratory_of(tree, named) or next((one.laboratory for one in readings), ""),
        readings=readings,
        conclusion=tree.get("conclusion", ""),
        documents=documents_of(tree),
        held=held,
        opens=london.at(from_micros(opens)) if held and opens is not None else None,
    )


def _title(tree: Tree, readings: tuple[Reading, ...], given: str) -> str:
    codings = [
        (one.get("system", ""), one["code"])
        for one in tree.get("code", {}).get("coding", ())
        if "code" in one
    ]
    plain = plain_name(codings, given).name
    if len(readings) == 1 and plain == given:
        return readings[0].name.name or given
    return plain
