"""What a test is called in plain English, what it is for, and what its unit means: data.

Found by LOINC code first, then by the name that the laboratory used. A test that is not here
keeps the laboratory's own name: a plain name is never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

LOINC = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class PlainName:
    """A test's name for a reader of 9 to 11 years, and a sentence on what it shows."""

    name: str
    meaning: str = ""
    """One or two short sentences; empty where nothing was written for this test."""
    after_treatment: bool = False
    """True where the usual range says nothing once a cancer has been treated."""


@dataclass(frozen=True, slots=True)
class _Test:
    loinc: tuple[str, ...]
    aliases: tuple[str, ...]
    plain: PlainName


def _test(loinc: str, aliases: str, name: str, meaning: str, *, marker: bool = False) -> _Test:
    return _Test(tuple(loinc.split()), tuple(aliases.split("|")), PlainName(name, meaning, marker))


TESTS: tuple[_Test, ...] = (
    _test(
        "22637-3 11526-1 22634-0",
        "histology|histology report|histopathology|biopsy",
        "Tissue test (histology)",
        "A specialist looks at a small piece of tissue through a microscope.",
    ),
    _test(
        "",
        "ct|ct report|ct scan|computed tomography",
        "CT scan report",
        "A CT scan takes detailed pictures of the inside of the body.",
    ),
    _test(
        "24325-3",
        "liver function tests|liver function test|lft|lfts",
        "Liver tests",
        "These tests show how well the liver is working.",
    ),
    _test(
        "2857-1 35741-8 19195-7",
        "psa|prostate specific antigen|prostate-specific antigen|total psa|psa total",
        "Prostate blood test (PSA)",
        "PSA is a protein made by the prostate. Your team looks at how it changes over time.",
        marker=True,
    ),
    _test(
        "2039-6",
        "cea|carcinoembryonic antigen|carcino-embryonic antigen",
        "Bowel cancer marker (CEA)",
        "CEA is a protein in the blood. It can go up with some cancers, and for other reasons.",
        marker=True,
    ),
    _test(
        "10334-1",
        "ca 125|ca125|ca-125|cancer antigen 125",
        "Ovarian cancer marker (CA 125)",
        "CA 125 is a protein in the blood. It can go up with some cancers, and for other reasons. "
        "It may go up for a while after an operation.",
        marker=True,
    ),
    _test(
        "718-7",
        "haemoglobin|hemoglobin|hb|hgb",
        "Red blood test (haemoglobin)",
        "Haemoglobin carries oxygen round your body. A low level can make you feel tired.",
    ),
    _test(
        "751-8 26499-4",
        "neutrophils|neutrophil count|neut",
        "Infection-fighting cells (neutrophils)",
        "Neutrophils are white blood cells that fight infection. Treatment can lower them.",
    ),
    _test(
        "6690-2",
        "white cell count|white blood cells|wbc|wcc|leucocytes",
        "White blood cells",
        "White blood cells fight infection. Treatment can lower them.",
    ),
    _test(
        "731-0",
        "lymphocytes|lymphocyte count",
        "White blood cells called lymphocytes",
        "Lymphocytes are white blood cells that help to fight infection.",
    ),
    _test(
        "777-3",
        "platelets|platelet count|plt",
        "Clotting cells (platelets)",
        "Platelets help your blood to clot. Treatment can lower them.",
    ),
    _test(
        "2951-2",
        "sodium|na",
        "Salt in the blood (sodium)",
        "Sodium shows how much water and salt is in your body.",
    ),
    _test(
        "2823-3",
        "potassium|k",
        "Potassium",
        "Potassium helps your heart and muscles to work.",
    ),
    _test(
        "3094-0 22664-7",
        "urea",
        "Kidney test (urea)",
        "Urea is a waste product that your kidneys clear.",
    ),
    _test(
        "2160-0 14682-9",
        "creatinine|serum creatinine",
        "Kidney test (creatinine)",
        "Creatinine is a waste product that your kidneys clear.",
    ),
    _test(
        "33914-3 62238-1 98979-8",
        "egfr|estimated gfr|gfr",
        "How well your kidneys work (eGFR)",
        "This is worked out from your creatinine. A higher number is better.",
    ),
    _test(
        "1975-2 14631-6",
        "bilirubin|total bilirubin",
        "Liver test (bilirubin)",
        "Bilirubin comes from old blood cells. Your liver clears it.",
    ),
    _test(
        "1742-6",
        "alt|alanine aminotransferase|alanine transaminase",
        "Liver test (ALT)",
        "ALT goes up when the liver is irritated. Some medicines can do this.",
    ),
    _test(
        "6768-6",
        "alp|alkaline phosphatase",
        "Liver and bone test (ALP)",
        "ALP is made in the liver and the bones.",
    ),
    _test(
        "1751-7",
        "albumin|serum albumin",
        "Protein in the blood (albumin)",
        "Albumin is a protein that is made by your liver.",
    ),
    _test(
        "1988-5",
        "crp|c-reactive protein|c reactive protein",
        "Inflammation test (CRP)",
        "CRP goes up when there is an infection or swelling in the body.",
    ),
)

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "ug/L": "micrograms in a litre of blood",
        "µg/L": "micrograms in a litre of blood",
        "ng/mL": "nanograms in a millilitre of blood",
        "g/L": "grams in a litre of blood",
        "mmol/L": "millimoles in a litre of blood",
        "umol/L": "micromoles in a litre of blood",
        "pmol/L": "picomoles in a litre of blood",
        "kU/L": "thousand units in a litre of blood",
        "U/L": "units in a litre of blood",
        "10*9/L": "billion cells in a litre of blood",
        "10^9/L": "billion cells in a litre of blood",
        "mL/min/1.73m2": "millilitres a minute, for a body of usual size",
        "mg/L": "milligrams in a litre of blood",
    }
)
"""What a unit stands for, by the unit as laboratories write it."""


def plain_name(codings: Iterable[tuple[str, str]], given: str) -> PlainName:
    """Return the plain name of a test.

    *codings* are (system, code) pairs; *given* is the name that the laboratory used, which
    stands where the test is not known here.
    """
    for system, code in codings:
        if system == LOINC:
            for test in TESTS:
                if code in test.loinc:
                    return test.plain
    folded = " ".join(given.casefold().split())
    for test in TESTS:
        if folded in test.aliases:
            return test.plain
    return PlainName(given)
