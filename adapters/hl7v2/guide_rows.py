"""The rows of the HL7 "Version 2 to FHIR" guide that have a target, for segments that come here.

Field numbers alone, by sheet: `PID[Patient]` maps fields of PID to a Patient. Of the guide at
https://github.com/HL7/v2-to-fhir, commit 8c9b414 (2025-10-01). Immunisations and medication are
left out: no message that is taken here holds them.
"""

from collections.abc import Mapping
from types import MappingProxyType

_SHEETS: Mapping[str, str] = MappingProxyType(
    {
        "AIG[Appointment]": "3 4 8 9 11",
        "AIL[Appointment]": "3 6 7 9",
        "AIP[Appointment]": "3 4 6 7 9 12",
        "AIS[Appointment]": "3 4 5 7 10",
        "AIS[ServiceRequest]": "3 4 5 7 11 12",
        "EVN[Provenance]": "2 4 5 6 7",
        "MRG[Account]": "3",
        "MSH[Bundle]": "7 10",
        "MSH[Encounter]": "9",
        "MSH[MessageHeader]": "3 4 5 6 8 9 11 17 19 22 23 24 25 26 27",
        "MSH[Provenance-Operator]": "4 22",
        "MSH[Provenance-Source]": "3 4 7 9 22",
        "NK1[Patient]": "2 3 4 5 6 7 8 9 13 15 30 31 32 40 41",
        "NK1[RelatedPerson]": "2 3 4 5 6 7 8 9 12 15 16 20 30 31 32 33 37 40 41",
        "NTE[Appointment-Comment]": "3 4 5 6 9",
        "NTE[DocumentReference]": "3 9",
        "NTE[Observation]": "3 5 6",
        "NTE[ServiceRequest]": "3 5 6",
        "OBR[DiagnosticReport]": "2 3 4 7 8 22 24 25 32 34 35",
        "OBR[ServiceRequest]": "2 3 4 5 6 11 13 16 17 27 29 31 46 47 53",
        "OBR[Specimen]": "2 7 8 9 10 13 14 15 39",
        "OBX[DocumentReference]": "5",
        "OBX[Observation-Component]": "3 4 5 6 7 8 10 11 14 16 17 18 19 20 21 23 24 25 29 30 33",
        "OBX[Observation]": "3 4 5 6 7 8 10 11 14 15 16 17 18 19 20 21 23 24 25 29 30 33",
        "ORC[DiagnosticReport]": "2 3 4 16 28",
        "ORC[Provenance]": "1 9 10 11 12 17 18 19 21 22 23 24 28",
        "ORC[ServiceRequest]": "1 2 3 4 5 7 9 12 14 16 21 22 23 24 28 29 33 38",
        "PD1[Observation-LivingWill]": "7",
        "PD1[Patient]": "3 4 6 14",
        "PID[Account]": "18",
        "PID[Appointment]": "2 3 4",
        "PID[Patient]": (
            "2 3 4 5 6 7 8 9 11 12 13 14 15 16 17 19 20 21 23 24 25 26 28 29 30 35 36 39 40"
        ),
        "PID[Provenance-Patient]": "33 34",
        "PRT[CareTeam]": "4 5 6 8 11 12 14 15",
        "PRT[Device]": "10 16 17 18 19 20 21 22",
        "PRT[Observation-Location]": "9 14",
        "PRT[Patient-GeneralPractitioner-PractitionerRole]": "2 4 5 8 9 11 12 14 15 24",
        "PRT[Patient-GeneralPractitioner-Practitioner]": "5",
        "PRT[PractitionerRole]": "4 5 6 7 8 9 11 12 14 15 23 24",
        "PRT[RelatedPerson]": "4 5 11 12 14 15 23 24",
        "PV1[Basic-EncounterHistory]": "11 43",
        "PV1[Coverage]": "20",
        "PV1[Encounter]": (
            "2 3 4 5 6 7 8 9 10 11 13 14 15 16 17 19 36 37 38 40 42 44 45 50 52 53 54"
        ),
        "PV1[Patient]": "16",
        "PV2[Encounter]": "1 3 8 9 11 12 13 22 25 38",
        "ROL[CareTeam]": "3 4 5 6 8 9 10 12 14",
        "ROL[Encounter-PractitionerRole]": "1 3 4 5 6 11 12 13 14",
        "ROL[Patient-GeneralPractitioner]": "1 3 4 5 6 11 12 13 14",
        "ROL[RelatedPerson]": "1 3 4 5 6 11 12",
        "SCH[Appointment]": "1 2 7 8 9 11 12 16 20 25 26 27",
        "SCH[Provenance]": "20",
        "SCH[ServiceRequest]": "6 25 26 27",
        "SFT[Device]": "1 2 3 4 5 6",
        "SFT[MessageHeader]": "2 3",
        "SPM[Specimen]": "2 3 4 6 7 8 12 14 17 18 20 24 27 30 31 32",
        "TQ1[ServiceRequest]": "2 3 4 5 6 7 8 9 11 13 14",
        "TXA[DocumentReference]": "2 3 6 9 10 12 16 17 18 19 25",
    }
)

ROWS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {sheet: tuple(map(int, fields.split())) for sheet, fields in _SHEETS.items()}
)
"""Sheet to the numbers of the fields of its segment that the guide maps in it."""


def segment_of(sheet: str) -> str:
    """Return the segment that a sheet maps."""
    return sheet.partition("[")[0]


def target_of(sheet: str) -> str:
    """Return what a sheet maps to: a resource, perhaps with a part of it."""
    return sheet.partition("[")[2].removesuffix("]")
