"""A search of the ledger is understood whole, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.audit.subtypes import SUBTYPES
from fhir_server.errors import Invalid, NotSupported
from fhir_server.search.audit_query import AUDIT_PARAMETERS, AuditQuery, Choice, parse_audit
from fhir_server.search.criteria import Prefix, Range
from fhir_server.search.dates import span
from fhir_server.search.wanted import SortKey, Wanted

A = "0aa" + "1" * 29
BASE = "https://portal.example/fhir"
REST = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"


@dataclass(frozen=True)
class Coding:
    type_system: str
    type_code: str
    system: str


CODINGS: Mapping[str, Coding] = {
    "read": Coding(REST, "rest", INTERACTION),
    "search-type": Coding(REST, "rest", INTERACTION),
    "sign-in": Coding("urn:dcm", "110114", "urn:own"),
}


def asked(text: str) -> AuditQuery:
    return parse_audit(parse_qsl(text, keep_blank_values=True), BASE, CODINGS)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        (f"patient={A}", Choice("patient", (A,))),
        (f"patient=Patient/{A},x", Choice("patient", (A,))),
        ("patient=https://elsewhere.example/Patient/x", Choice("patient", ())),
        (f"_id={A},x", Choice("id", (A,))),
        ("agent=Practitioner/p", Choice("agent", ("Practitioner/p",))),
        ("agent=feed:mersey", Choice("agent", ("feed:mersey",))),
        ("agent=p", Choice("agent", ("Organization/p", "Patient/p", "Practitioner/p", "p"))),
        ("agent:Practitioner=p", Choice("agent", ("Practitioner/p",))),
        ("entity=Observation/o", Choice("entity", ("Observation/o",))),
        ("outcome=4,8", Choice("outcome", ("4", "8"))),
        (
            "outcome=http://terminology.hl7.org/CodeSystem/audit-event-outcome|4",
            Choice("outcome", ("4",)),
        ),
        ("outcome=urn:other|4", Choice("outcome", ())),
        ("type=rest", Choice("subtype", ("read", "search-type"))),
        (f"type={REST}|rest", Choice("subtype", ("read", "search-type"))),
        (f"type={REST}|", Choice("subtype", ("read", "search-type"))),
        ("type=110114", Choice("subtype", ("sign-in",))),
        ("type=nonsense", Choice("subtype", ())),
        ("type=|rest", Choice("subtype", ())),
        ("subtype=read", Choice("subtype", ("read",))),
        (f"subtype={INTERACTION}|read", Choice("subtype", ("read",))),
        (f"subtype={INTERACTION}|sign-in", Choice("subtype", ())),
    ],
)
def test_each_parameter_chooses_values_of_a_column(text, choice):
    query = asked(text)
    assert query == AuditQuery((choice,), (), Wanted(), query.pairs)


@pytest.mark.parametrize("name", ["date", "_lastUpdated"])
def test_dates_are_when_it_was_recorded(name):
    query = asked(f"{name}=ge2026-03-29&{name}=lt2027&_sort=date&_count=5")
    assert query.recorded == (
        (Range(Prefix.GREATER_OR_EQUAL, *span("2026-03-29")),),
        (Range(Prefix.LESS, *span("2027")),),
    )
    assert query.wanted == Wanted(sort=SortKey.DATE, descending=False, count=5)
    assert query.canonical() == urlencode(
        sorted([(name, "ge2026-03-29"), (name, "lt2027"), ("_sort", "date"), ("_count", "5")])
    )
    assert query.resource_type == "AuditEvent"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("colour=x", Invalid), ("date=never", Invalid), ("patient=", Invalid),
        ("outcome=", Invalid),
        ("_count=x", Invalid), ("_include=AuditEvent:patient", Invalid), ("agent=a\x00", Invalid),
        ("agent:Device=x", Invalid), ("patient:Group=x", Invalid),
        ("outcome:not=0", NotSupported), ("patient.name=x", NotSupported),
        ("_sort=_id", NotSupported),
        ("_has:Provenance:target:agent=x", NotSupported), ("_filter=x", NotSupported),
        ("&".join(["outcome=0"] * 51), Invalid),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(text, kind):
    with pytest.raises(kind):
        asked(text)


def test_the_codings_of_the_ledger_itself_serve():
    query = parse_audit([("type", "rest"), ("subtype", "search-type")], BASE, SUBTYPES)
    rest, subtype = query.choices
    assert {"read", "search-type", "create"} <= set(rest.values)
    assert "sign-in" not in rest.values
    assert subtype == Choice("subtype", ("search-type",))


@given(
    st.lists(
        st.tuples(st.text() | st.sampled_from(sorted(AUDIT_PARAMETERS)), st.text()), max_size=4
    )
)
def test_any_parameters_are_understood_or_refused(pairs):
    try:
        query = parse_audit(pairs, BASE, CODINGS)
    except (Invalid, NotSupported) as refusal:
        assert all(issue.text for issue in refusal.issues)  # noqa: PT017
        return
    assert query.canonical().isascii()
