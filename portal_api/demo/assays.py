"""The tests of the demonstration's laboratories: names, units and ranges as printed in the UK.

Plausible values for a demonstration, not advice; the portal itself ships no limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

LOINC = "http://loinc.org"
SNOMED_CT = "http://snomed.info/sct"


@dataclass(frozen=True, slots=True)
class Assay:
    """One test. *low* and *high* are the usual range as printed, empty for an open side.

    *loinc* is empty for a test that no standard code is agreed for.
    """

    key: str
    name: str
    loinc: str
    unit: str
    low: str = ""
    high: str = ""
    section: str = "CH"
    """OBR-24, table 0074."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is ordered: one test, or several under one name."""

    key: str
    name: str
    assays: tuple[str, ...]
    snomed: str = ""
    section: str = "CH"


@dataclass(frozen=True, slots=True)
class Measured:
    """One value as the laboratory writes it (`7.3`, `<0.01`, `>90`), and its flag.

    *flag* None leaves it to the usual range, as a laboratory's analyser does.
    """

    assay: Assay
    value: str
    flag: str | None = None

    @property
    def comparator(self) -> str:
        """`<`, `>`, or empty."""
        return self.value[:1] if self.value[:1] in {"<", ">"} else ""

    @property
    def number(self) -> str:
        """The digits without the comparator."""
        return self.value.lstrip("<>")


_ALL = (
    Assay("PSA", "Prostate specific antigen", "2857-1", "ug/L", "0", "6.5"),
    Assay("CEA", "Carcinoembryonic antigen", "2039-6", "ug/L", "", "5"),
    Assay("CA125", "CA 125", "10334-1", "kU/L", "", "35"),
    Assay("HE4", "HE4 (method X)", "", "pmol/L"),
    Assay("HB", "Haemoglobin", "718-7", "g/L", "130", "170", "HM"),
    Assay("NEUT", "Neutrophils", "751-8", "10*9/L", "2.0", "7.5", "HM"),
    Assay("PLT", "Platelets", "777-3", "10*9/L", "150", "400", "HM"),
    Assay("NA", "Sodium", "2951-2", "mmol/L", "133", "146"),
    Assay("K", "Potassium", "2823-3", "mmol/L", "3.5", "5.3"),
    Assay("UREA", "Urea", "22664-7", "mmol/L", "2.5", "7.8"),
    Assay("CREA", "Creatinine", "14682-9", "umol/L", "59", "104"),
    Assay("EGFR", "eGFR", "62238-1", "mL/min/1.73m2"),
    Assay("BILI", "Bilirubin", "14631-6", "umol/L", "", "21"),
    Assay("ALT", "Alanine aminotransferase", "1742-6", "U/L", "", "50"),
    Assay("ALP", "Alkaline phosphatase", "6768-6", "U/L", "30", "130"),
    Assay("ALB", "Albumin", "1751-7", "g/L", "35", "50"),
    Assay("HISTO", "Histology report", "11526-1", "", section="SP"),
    Assay("CT", "CT report", "18748-4", "", section="RAD"),
)
ASSAYS: Mapping[str, Assay] = MappingProxyType({one.key: one for one in _ALL})
"""Every test by its key in the demonstration."""

_PROFILES = (
    Profile("PSA", "Prostate specific antigen", ("PSA",), "63476009"),
    Profile("CEA", "Carcinoembryonic antigen", ("CEA",)),
    Profile("CA125", "CA 125", ("CA125",)),
    Profile("HE4", "HE4 (method X)", ("HE4",)),
    Profile("FBC", "Full blood count", ("HB", "NEUT", "PLT"), "26604007", "HM"),
    Profile("UE", "Urea and electrolytes", ("NA", "K", "UREA", "CREA", "EGFR"), "252167001"),
    Profile("LFT", "Liver function tests", ("BILI", "ALT", "ALP", "ALB"), "26958001"),
    Profile("HISTO", "Histology", ("HISTO",), section="SP"),
    Profile("CT", "CT scan", ("CT",), "77477000", section="RAD"),
)
PROFILES: Mapping[str, Profile] = MappingProxyType({one.key: one for one in _PROFILES})
"""Everything that can be ordered, by its key."""

_PSA_BY_AGE = ((70, "6.5"), (60, "4.5"), (0, "3.5"))


def usual_range(assay: Assay, sex: str, age: int) -> tuple[str, str]:
    """Return the range that the laboratory prints for a person of *sex* (`M`, `F`) and *age*."""
    if assay.key == "PSA":
        return "0", next(high for years, high in _PSA_BY_AGE if age >= years)
    if assay.key == "HB" and sex == "F":
        return "120", "150"
    return assay.low, assay.high


def range_text(low: str, high: str) -> str:
    """Return a range as it is printed: `0-6.5`, `<5`, or nothing."""
    if low and high:
        return f"{low}-{high}"
    return f"<{high}" if high else f">{low}" if low else ""


def flag_of(measured: Measured, low: str, high: str) -> str:
    """Return OBX-8 (table 0078): the laboratory's own flag, else by the range; `N` within it."""
    if measured.flag is not None:
        return measured.flag
    if not measured.number or not (low or high):
        return ""
    value = Decimal(measured.number)
    if high and value > Decimal(high) and measured.comparator != "<":
        return "H"
    if low and value < Decimal(low) and measured.comparator != ">":
        return "LL" if value < Decimal(low) / 2 else "L"
    return "N"
