"""A Bundle taken apart for the operator: by entry and element, with the culprit marked."""

from adapters.fhir_push.anatomy import MOST_ENTRIES, anatomy
from fhir_server.model import json
from tests.adapters.fhir_push.bundles import changed, message


def test_a_bundle_is_taken_apart_by_entry_and_element() -> None:
    found = anatomy(json.encode(message()))
    assert [part.name for part in found.parts[:5]] == [
        *("", "MessageHeader", "Organization", "Organization", "Practitioner"),
    ]
    head, *_, result = found.parts
    assert [field.address for field in head.fields][:2] == [
        "Bundle.resourceType",
        "Bundle.identifier.system",
    ]
    values = {field.address: (field.name, field.values) for field in result.fields}
    assert values["Bundle.entry[8].resource.valueQuantity.value"] == (
        "valueQuantity.value",
        ("7.30",),
    )
    assert not any(part.blamed for part in found.parts)


def test_the_culprit_is_marked_and_shown_where_it_is_missing() -> None:
    raw = json.encode(changed(message(), "entry.8.resource.status", None))
    found = anatomy(raw, "Bundle.entry[8].resource.status")
    assert [part.address for part in found.parts if part.blamed] == ["Bundle.entry[8]"]
    (field,) = (one for one in found.parts[-1].fields if one.blamed)
    assert (field.address, field.values) == ("Bundle.entry[8].resource.status", ())
    whole = anatomy(raw, "Bundle.entry[8].resource.subject")
    assert [one.name for one in whole.parts[-1].fields if one.blamed] == [
        "subject.reference",
        "subject.display",
    ]
    head = anatomy(raw, "Bundle.identifier").parts[0]
    assert [one.name for one in head.fields if one.blamed] == [
        "identifier.system",
        "identifier.value",
    ]


def test_what_is_no_bundle_says_so_and_what_is_large_is_cut() -> None:
    assert anatomy(b'{"entry":').unread == "The JSON is malformed."
    assert anatomy(b"[]").unread == "It is no object."
    odd = anatomy(b'{"entry": [1, null, {"resource": {"resourceType": 1, "a": true}}]}')
    assert [part.name for part in odd.parts] == [""] * 4
    assert odd.parts[3].fields[1].values == ("true",)
    many = anatomy(json.encode({"entry": [{"resource": {"text": "x" * 600}}] * 300}))
    assert (len(many.parts), many.more) == (MOST_ENTRIES + 1, 100)
    assert many.parts[1].fields[0].values[0].endswith("x… (600 characters)")
