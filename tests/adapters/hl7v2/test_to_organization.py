"""Organisations: one for each code, a name where there is no code."""

from adapters.hl7v2.conversion import Link
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.to_organization import reference_to_producer, reference_to_xon
from tests.adapters.hl7v2.oru_messages import (
    MSH,
    OBR,
    OBX,
    ORC,
    PID,
    converted,
    field_of,
    part,
    surroundings,
)

ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


def sender(msh, dialect=None):
    conversion = converted(msh, PID, ORC, OBR, OBX, dialect=dialect or Dialect())
    who = conversion.groups[0].provenance.tree["agent"][0]["who"]
    return who, [made.tree for made in conversion.organizations]


def test_an_organisation_has_its_number_its_name_and_who_gave_the_number():
    context = surroundings()
    sent = part("Lab^L^^4^M10^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^11D")
    assert reference_to_xon(sent, context)["display"] == "Lab"
    assert list(context.organizations.values()) == [
        {
            "resourceType": "Organization",
            "identifier": [
                {
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit",
                            "valueString": "4",
                        }
                    ],
                    "type": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                                "code": "XX",
                            }
                        ]
                    },
                    "system": "urn:oid:2.16.840.1.113883.4.7",
                    "value": "11D",
                }
            ],
            "name": "Lab",
        }
    ]


def test_an_older_senders_number_stands_in_the_third_component():
    assert reference_to_xon(part("Surgery^^S1"), surroundings())["reference"] == Link(
        ("Organization", "NMH", "", "S1")
    )


def test_an_organisation_without_a_number_is_a_name():
    context = surroundings()
    assert reference_to_xon(part("Lab"), context) == {"display": "Lab"}
    assert reference_to_producer(part("^Lab"), context) == {"display": "Lab"}
    assert reference_to_xon(part(""), context) == reference_to_producer(part(""), context) == {}
    assert context.organizations == {}


def test_the_ods_code_of_a_known_organisation_is_shared_by_all_senders():
    dialect = Dialect(ods_codes=frozenset({"REN"}))
    named = reference_to_xon(part("Lab^^^^^^^^^REN"), surroundings(dialect))
    coded = reference_to_producer(part("REN^Lab^L"), surroundings(dialect, "EVH"))
    assert named["reference"] == coded["reference"] == Link(("Organization", ODS, "REN"))


def test_the_sender_is_the_facility_of_the_header():
    assert sender(MSH, Dialect(ods_codes=frozenset({"NMH"}))) == (
        {"reference": Link(("Organization", ODS, "NMH")), "display": "NMH"},
        [{"resourceType": "Organization", "identifier": [{"system": ODS, "value": "NMH"}]}],
    )
    assert sender(MSH)[1] == [{"resourceType": "Organization", "identifier": [{"value": "NMH"}]}]


def test_a_sender_that_names_no_facility_is_called_by_what_is_known_of_it():
    silent = field_of(MSH, 4, "")
    assert sender(silent) == ({"display": "LIMS"}, [])
    assert sender(silent, Dialect(authority="NMH"))[0] == {"display": "NMH"}
    assert sender(field_of(silent, 3, ""))[0] == {"display": "A sender that does not name itself"}
