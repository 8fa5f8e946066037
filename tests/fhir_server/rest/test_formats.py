"""JSON in and JSON out: what is acceptable, what is not, and how that is said."""

import pytest
from starlette.requests import Request

from fhir_server.errors import Invalid, NotAcceptable, UnsupportedMedia
from fhir_server.rest.formats import FHIR_JSON, answer_type, parameters, require_sent_as

FHIR = "application/fhir+json"


def request(query: str = "", **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "GET", "query_string": query.encode(), "headers": sent}
    )


@pytest.mark.parametrize(
    "accept",
    [
        FHIR,
        "*/*",
        "",
        "application/*",
        "application/fhir+json; fhirVersion=4.0",
        "application/fhir+xml;q=0.9, application/fhir+json;q=0.1",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "APPLICATION/FHIR+JSON",
        "application/json, application/fhir+json",
    ],
)
def test_whoever_accepts_json_gets_fhir_json(accept: str) -> None:
    assert answer_type(request(accept=accept) if accept else request()) == FHIR_JSON


@pytest.mark.parametrize("accept", ["application/json", "text/json", "text/json;q=0.3, text/html"])
def test_whoever_names_a_generic_type_alone_gets_it_by_its_name(accept: str) -> None:
    assert answer_type(request(accept=accept)) == f"{accept.partition(';')[0]}; charset=utf-8"


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+xml",
        "text/html",
        "application/fhir+ndjson",
        "application/fhir+json;q=0",
        "application/fhir+json; q=0.000, application/xml",
        "application/fhir+json; fhirVersion=3.0",
        "nonsense",
        ";;;,,,",
    ],
)
def test_whoever_accepts_no_json_of_r4_is_told_so(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        answer_type(request(accept=accept))


@pytest.mark.parametrize("wanted", ["json", "application/json", "application/fhir%2Bjson",
                                    "application/fhir+json", "text/json"])  # fmt: skip
def test_the_format_in_the_address_overrules_accept(wanted: str) -> None:
    assert answer_type(request(f"_format={wanted}", accept="text/html")) == FHIR_JSON


@pytest.mark.parametrize("wanted", ["xml", "application/fhir+xml", "ttl", "*/*", "", "html"])
def test_another_format_in_the_address_is_not_acceptable(wanted: str) -> None:
    with pytest.raises(NotAcceptable) as refusal:
        answer_type(request(f"_format={wanted}", accept=FHIR))
    assert refusal.value.issues[0].expression == "_format"


def test_two_formats_in_the_address_are_one_too_many() -> None:
    with pytest.raises(Invalid):
        answer_type(request("_format=xml&_format=json"))


@pytest.mark.parametrize(
    "sent",
    [FHIR, "application/json", "application/fhir+json; charset=UTF-8", 'text/json; charset="utf-8"',
     "application/fhir+json; fhirVersion=4.0"],
)  # fmt: skip
def test_a_body_sent_as_json_in_utf_8_is_read(sent: str) -> None:
    require_sent_as(request(content_type=sent))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "application/fhir+xml"},
        {"content_type": "text/plain"},
        {"content_type": "application/fhir+json; charset=iso-8859-1"},
        {"content_type": "application/fhir+json; fhirVersion=5.0"},
        {"content_type": FHIR, "content_encoding": "gzip"},
        {"content_type": FHIR, "content_encoding": "br"},
    ],
)
def test_a_body_sent_as_anything_else_is_not_read(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMedia):
        require_sent_as(request(**headers))


def test_a_form_is_read_where_a_form_is_asked_for() -> None:
    form = "application/x-www-form-urlencoded"
    require_sent_as(request(content_type=form), form)
    with pytest.raises(UnsupportedMedia):
        require_sent_as(request(content_type=FHIR), form)


def test_parameters_that_are_known_are_returned_without_the_format() -> None:
    asked = request("_count=5&_format=json&_before=")
    assert parameters(asked, "_count", "_before") == {"_count": "5", "_before": ""}


@pytest.mark.parametrize(
    ("query", "expression"),
    [
        ("foo=1", "foo"),
        ("_count=1&_count=2", "_count"),
        ("%0Ax=1", ""),
        ("_elements=id", "_elements"),
    ],
)
def test_a_parameter_that_would_be_passed_over_is_refused(query: str, expression: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parameters(request(query), "_count")
    assert refusal.value.issues[0].expression == expression
