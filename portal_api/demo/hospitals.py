"""Three fictional hospitals by the Mersey: what each calls itself, its codes, and its agreements.

Each has two feeds, told apart by MSH-3: a live one, and a backload one that files history without
notices. Their names, addresses and organisation codes belong to nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from adapters.hl7v2.coding_systems import system_uri
from adapters.hl7v2.dialect import Dialect
from adapters.intake.feeds import Feed
from portal_api.demo.assays import ASSAYS, LOINC, PROFILES
from portal_api.demo.staff import STAFF_AUTHORITY, STAFF_NUMBER

RECEIVING_APPLICATION, RECEIVING_FACILITY = "PORTAL", "MERSEY"
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Hospital:
    """One sender. *codes* holds its own test codes by the key of the test; empty: standard ones.

    *code_system* is what it calls its own code system in CWE.3.
    """

    key: str
    name: str
    ods: str
    version: str
    charset: str
    application: str
    phone: str
    code_system: str = "L"
    codes: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=Dialect)

    @property
    def history_application(self) -> str:
        """MSH-3 of its history."""
        return f"{self.application}-HISTORY"

    @property
    def patient_numbers(self) -> str:
        """The assigning authority of its own patient numbers."""
        return f"{self.ods}-PAS"


def feeds(hospital: Hospital) -> tuple[Feed, Feed]:
    """Return the live feed of *hospital*, and the one that backloads its history."""

    def feed(name: str, application: str, *, backload: bool) -> Feed:
        return Feed(
            name=name,
            sources=_LOOPBACK,
            sending_application=application,
            sending_facility=hospital.ods,
            receiving_application=RECEIVING_APPLICATION,
            receiving_facility=RECEIVING_FACILITY,
            processing_ids=frozenset({"P"}),
            backload=backload,
            contact=f"the {hospital.name} cancer helpline on {hospital.phone}",
            organization=hospital.name,
            dialect=hospital.dialect,
        )

    return (
        feed(hospital.key, hospital.application, backload=False),
        feed(f"{hospital.key}-history", hospital.history_application, backload=True),
    )


def code_map(hospital: Hospital) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """Yield each of the hospital's own codes, (system, code), with the LOINC coding that it means.

    HE4X is in no map: nobody has agreed on what it means.
    """
    for key, code in hospital.codes.items():
        assay = ASSAYS.get(key)
        if assay is not None and assay.loinc:
            system = system_uri(hospital.code_system, hospital.dialect.local_base)
            yield (
                (system, code),
                {"system": LOINC, "code": assay.loinc, "display": assay.name},
            )


def _dialect(ods: str, *, numbers_in_text: bool = False) -> Dialect:
    base = f"https://portal-fhir.example/{ods.lower()}"
    return Dialect(
        authority=ods,
        ods_codes=frozenset({ods}),
        identifier_systems={
            f"{ods}-PAS": f"{base}/patient-number",
            STAFF_AUTHORITY: STAFF_NUMBER,
        },
        local_base=f"{base}/codes",
        numbers_in_text=numbers_in_text,
    )


_NARROWS = Hospital(
    key="narrows",
    name="Mersey Narrows Hospital",
    ods="X1A01",
    version="2.3",
    charset="8859/1",
    application="NARROWSLAB",
    phone="0151 496 0101",
    codes=MappingProxyType({key: key for key in (*ASSAYS, *PROFILES)}),
    dialect=_dialect("X1A01"),
)
_HERONS = Hospital(
    key="herons",
    name="Heron Sands Infirmary",
    ods="X2B02",
    version="2.4",
    charset="",
    application="APEXLAB",
    phone="0151 496 0102",
    code_system="99HSI",
    codes=MappingProxyType(
        {
            "PSA": "TPSA",
            "CEA": "CEAS",
            "CA125": "C125",
            "HB": "HGB",
            "NEUT": "NEUTS",
            "PLT": "PLAT",
            "NA": "SOD",
            "K": "POT",
            "UREA": "URE",
            "CREA": "CRE",
            "EGFR": "GFRE",
            "BILI": "TBIL",
            "ALT": "ALTS",
            "ALP": "ALPS",
            "ALB": "ALBU",
            "HISTO": "HIST",
            "CT": "CTREP",
            "FBC": "FBC",
            "UE": "U+E",
            "LFT": "LFT",
        }
    ),
    dialect=_dialect("X2B02", numbers_in_text=True),
)
_TIDEWATER = Hospital(
    key="tidewater",
    name="Tidewater Cancer Centre",
    ods="X3C03",
    version="2.5.1",
    charset="UNICODE UTF-8",
    application="TIDELAB",
    phone="0151 496 0103",
    codes=MappingProxyType({"HE4": "HE4X"}),
    dialect=_dialect("X3C03"),
)
HOSPITALS: Mapping[str, Hospital] = MappingProxyType(
    {one.key: one for one in (_NARROWS, _HERONS, _TIDEWATER)}
)
"""The three, by key."""
