"""One order as ORU^R01, the way its hospital writes it: three versions, three dialects. Pure.

HL7 v2 chapter 4 (ORC), chapter 7 (OBR, OBX, SPM). Mersey Narrows sends 2.3 in
ISO 8859-1 with structured numerics and its own number first; Heron Sands 2.4 with values as text
and reports as lines; Tidewater 2.5.1 with specimens, standard codes and documents.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from portal_api.demo.assays import (
    ASSAYS,
    Assay,
    Measured,
    Profile,
    flag_of,
    range_text,
    usual_range,
)
from portal_api.demo.frames import msh, pid, requester
from portal_api.demo.hospitals import HOSPITALS, Hospital
from portal_api.demo.orders import Order, Person
from portal_api.demo.wire import (
    components,
    escaped,
    message,
    segment,
    to_the_minute,
    to_the_second,
)


@dataclass(frozen=True, slots=True)
class _Page:
    """What one message is made from."""

    order: Order
    hospital: Hospital

    @property
    def person(self) -> Person:
        """Whose results they are."""
        return self.order.person


def oru(order: Order) -> bytes:
    """Return the message that reports *order*, as the person's hospital sends it."""
    page = _Page(order, HOSPITALS[order.person.hospital])
    return message(_WRITERS[page.hospital.version](page), page.hospital.charset)


def _narrows(page: _Page) -> Iterator[str]:
    """Yield the segments of version 2.3: local number first, SN, no MSH-9.3."""
    yield _header(page, "ORU^R01")
    yield _person(page)
    yield from _order(page, {15: components("BLD")})
    for place, measured in enumerate(page.order.results, 1):
        value = components(measured.comparator, measured.number)
        if measured.comparator or measured.assay.unit:
            yield _result(page, place, measured, ("SN", value))
        else:
            yield _result(page, place, measured, ("ST", escaped(measured.value)))
    yield from _lines(page, "FT")


def _herons(page: _Page) -> Iterator[str]:
    """Yield the segments of version 2.4: the value as text, a report as its lines."""
    yield _header(page, "ORU^R01^ORU_R01")
    yield _person(page)
    yield from _order(page, {})
    for place, measured in enumerate(page.order.results, 1):
        yield _result(page, place, measured, ("ST", escaped(measured.value)))
    yield from _lines(page, "TX")


def _tidewater(page: _Page) -> Iterator[str]:
    """Yield the segments of version 2.5.1: SPM, standard codes, a document as ED."""
    order = page.order
    yield _header(page, "ORU^R01^ORU_R01")
    yield _person(page)
    yield from _order(page, {})
    place = 0
    for measured in order.results:
        place += 1
        exact = not measured.comparator
        value = (
            ("NM", measured.number) if exact else ("SN", f"{measured.comparator}^{measured.number}")
        )
        yield _result(page, place, measured, value)
    for line in _lines(page, "FT"):
        place += 1
        yield line
    if order.document:
        sent = components("", "application", "pdf", "Base64", b64encode(order.document).decode())
        document = Measured(ASSAYS["CT"], "", "")
        yield _result(page, place + 1, document, ("ED", sent))
    if order.profile.section != "RAD":
        yield _specimen(page)


def _header(page: _Page, message_type: str) -> str:
    order = page.order
    return msh(page.hospital, message_type, order.control_id, order.issued, live=order.live)


def _person(page: _Page) -> str:
    return pid(page.person, page.hospital, page.order.identity or page.person.born)


def _order(page: _Page, more: Mapping[int, str]) -> Iterator[str]:
    order, profile = page.order, page.order.profile
    asked_by = requester(page.person)
    taken, issued = to_the_minute(order.taken), to_the_second(order.issued)
    yield segment("ORC", {1: "RE", 2: order.placer, 3: order.filler, 12: asked_by})
    fields = {
        1: "1",
        2: order.placer,
        3: order.filler,
        4: ordered(page.hospital, profile),
        7: taken,
        14: taken,
        16: asked_by,
        22: issued,
        24: profile.section,
        25: order.status,
    }
    yield segment("OBR", fields | dict(more))


def ordered(hospital: Hospital, profile: Profile) -> str:
    """Return what was ordered (OBR-4), as *hospital* codes it."""
    own = hospital.codes.get(profile.key)
    if own:
        return components(own, profile.name, hospital.code_system)
    if profile.snomed:
        return components(profile.snomed, profile.name, "SCT")
    return _tested(hospital, ASSAYS[profile.assays[0]])


def _tested(hospital: Hospital, assay: Assay) -> str:
    own = hospital.codes.get(assay.key)
    if own:
        return components(own, assay.name, hospital.code_system)
    return components(assay.loinc, assay.name, "LN")


def _result(page: _Page, place: int, measured: Measured, sent: tuple[str, str]) -> str:
    assay, order = measured.assay, page.order
    age = page.person.age_on(order.taken.date())
    low, high = usual_range(assay, page.person.sex, age)
    kind, value = sent
    fields = {
        1: str(place),
        2: kind,
        3: _tested(page.hospital, assay),
        5: value,
        6: escaped(assay.unit),
        7: range_text(low, high),
        8: flag_of(measured, low, high),
        11: order.status,
        14: to_the_minute(order.taken),
    }
    return segment("OBX", fields | _laboratory(page.hospital))


def _laboratory(hospital: Hospital) -> dict[int, str]:
    """Return who did the test: OBX-15 in the older versions, OBX-23 (XON) since 2.5.1."""
    if hospital.version == "2.5.1":
        named = components(hospital.name, "", "", "", "", "", "", "", "", hospital.ods)
        return {23: named}
    return {15: components(hospital.ods, hospital.name, "L")}


def _lines(page: _Page, kind: str) -> Iterator[str]:
    """Yield a report in words: one OBX a line where the type is TX, else one with line breaks."""
    lines = page.order.lines
    measured = Measured(ASSAYS[page.order.profile.assays[0]], "", "")
    together = [escaped(line) for line in lines] if kind == "TX" else [escaped("\n".join(lines))]
    for place, text in enumerate(together if lines else [], 1):
        yield _result(page, place, measured, (kind, text))


def _specimen(page: _Page) -> str:
    serum = components("119364003", "Serum specimen", "SCT")
    whole = components("119297000", "Blood specimen", "SCT")
    tissue = components("119376003", "Tissue specimen", "SCT")
    kind = {"HM": whole, "SP": tissue}.get(page.order.profile.section, serum)
    name = components(f"{page.order.filler}-S1")
    return segment(
        "SPM",
        {
            1: "1",
            2: f"{name}&{page.hospital.ods}^{name}&{page.hospital.ods}",
            4: kind,
            17: to_the_minute(page.order.taken),
            18: to_the_minute(page.order.taken),
        },
    )


_WRITERS: Mapping[str, Callable[[_Page], Iterator[str]]] = MappingProxyType(
    {"2.3": _narrows, "2.4": _herons, "2.5.1": _tidewater}
)
