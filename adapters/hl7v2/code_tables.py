"""HL7 v2 tables as FHIR codes: what a laboratory writes, and what it means here.

Each table is data: a v2 code on the left, the FHIR code on the right. A code that is not in a
table has no meaning here, and nobody may guess one for it. Sources: HL7 v2.8.2 chapter 2C, and
the vocabulary sheets of the HL7 "Version 2 to FHIR" guide, with the gaps decided by us.
"""

from collections.abc import Mapping

THO = "http://terminology.hl7.org/CodeSystem"
"""The base of HL7's own code systems; table 0085 is `THO/v2-0085`."""

OBSERVATION_STATUS: Mapping[str, str] = {
    "A": "amended",
    "B": "final",
    "C": "corrected",
    "D": "entered-in-error",
    "F": "final",
    "I": "registered",
    "N": "unknown",
    "O": "registered",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "U": "final",
    "V": "final",
    "W": "entered-in-error",
    "X": "cancelled",
}
"""OBX-11, table 0085, to Observation.status."""

ABSENT_BY_STATUS: Mapping[str, str] = {
    "I": "temp-unknown",
    "N": "not-asked",
    "O": "temp-unknown",
    "X": "not-performed",
}
"""OBX-11 to the reason why there is no value (http://hl7.org/fhir/R4/valueset-data-absent-reason)."""

WITHDRAWN = frozenset({"D", "W"})
"""OBX-11 of a result taken back: its value is shown to nobody."""

STATUS_ONLY = frozenset({"U"})
"""OBX-11 of a result whose value is not sent again: only its status moves."""

UNVERIFIED = frozenset({"R"})
"""OBX-11 and OBR-25 of what nobody has verified: never released to a patient."""

REPORT_STATUS: Mapping[str, str] = {
    "A": "partial",
    "C": "corrected",
    "F": "final",
    "I": "registered",
    "M": "preliminary",
    "N": "registered",
    "O": "registered",
    "P": "preliminary",
    "R": "partial",
    "S": "registered",
    "X": "cancelled",
}
"""OBR-25, table 0123, to DiagnosticReport.status."""

GENDER: Mapping[str, str] = {
    "F": "female",
    "M": "male",
    "O": "other",
    "U": "unknown",
    "A": "other",
    "N": "other",
    "1": "male",
    "2": "female",
    "9": "other",
    "0": "unknown",
    "X": "unknown",
}
"""PID-8, table 0001, and the NHS Data Dictionary's digits, to Patient.gender."""

INTERPRETATION: Mapping[str, str] = {
    "<": "Off scale low",
    ">": "Off scale high",
    "A": "Abnormal",
    "AA": "Critical abnormal",
    "B": "Better",
    "CAR": "Carrier",
    "D": "Significant change down",
    "DET": "Detected",
    "E": "Equivocal",
    "EX": "outside threshold",
    "EXP": "Expected",
    "H": "High",
    "HH": "Critical high",
    "HU": "Significantly high",
    "I": "Intermediate",
    "IE": "Insufficient evidence",
    "IND": "Indeterminate",
    "L": "Low",
    "LL": "Critical low",
    "LU": "Significantly low",
    "MS": "moderately susceptible",
    "N": "Normal",
    "NCL": "No CLSI defined breakpoint",
    "ND": "Not detected",
    "NEG": "Negative",
    "NR": "Non-reactive",
    "NS": "Non-susceptible",
    "POS": "Positive",
    "R": "Resistant",
    "RR": "Reactive",
    "S": "Susceptible",
    "SDD": "Susceptible-dose dependent",
    "SYN-R": "Synergy - resistant",
    "SYN-S": "Synergy - susceptible",
    "U": "Significant change up",
    "UNE": "Unexpected",
    "VS": "very susceptible",
    "W": "Worse",
    "WR": "Weakly reactive",
}
"""OBX-8, table 0078, to THO/v3-ObservationInterpretation: same code, with its display."""

ORDER_STATUS: Mapping[str, str] = {
    "CA": "revoked",
    "CM": "completed",
    "DC": "revoked",
    "ER": "entered-in-error",
    "HD": "on-hold",
    "IP": "active",
    "RP": "revoked",
    "SC": "active",
}
"""ORC-5, table 0038, to ServiceRequest.status."""

ORDER_CONTROL: Mapping[str, str] = {
    **dict.fromkeys(("AF", "HD", "NW", "OK", "PR", "PY", "RL", "RO", "RQ"), "active"),
    **dict.fromkeys(("CA", "CR", "DC", "DF", "DR", "OC", "OD"), "revoked"),
    **dict.fromkeys(("HR", "OH"), "on-hold"),
    "FU": "completed",
}
"""ORC-1, table 0119, to ServiceRequest.status, for when ORC-5 says nothing."""

PRIORITY: Mapping[str, str] = {"S": "stat", "A": "asap", "R": "routine", "U": "urgent"}
"""OBR-5 and TQ1-9, table 0027 with the UK's U, to ServiceRequest.priority."""

NAME_USE: Mapping[str, str] = {
    "BAD": "old",
    "D": "usual",
    "L": "official",
    "M": "maiden",
    "MSK": "anonymous",
    "N": "nickname",
    "NAV": "temp",
    "NOUSE": "old",
    "R": "official",
    "S": "anonymous",
    "TEMP": "temp",
}
"""XPN.7, table 0200, to HumanName.use."""

ADDRESS_USE: Mapping[str, str] = {
    "B": "work",
    "BA": "old",
    "BI": "billing",
    "C": "temp",
    "H": "home",
    "O": "work",
}
"""XAD.7, table 0190, to Address.use."""

ADDRESS_TYPE: Mapping[str, str] = {"M": "postal", "SH": "postal"}
"""XAD.7, table 0190, to Address.type."""

TELECOM_USE: Mapping[str, str] = {"PRN": "home", "WPN": "work", "PRS": "mobile"}
"""XTN.2, table 0201, to ContactPoint.use."""

TELECOM_SYSTEM: Mapping[str, str] = {
    "BP": "pager",
    "CP": "phone",
    "FX": "fax",
    "INTERNET": "email",
    "MD": "other",
    "PH": "phone",
    "SAT": "other",
    "TDD": "other",
    "TTY": "other",
    "X.400": "email",
}
"""XTN.3, table 0202, in capitals, to ContactPoint.system."""

YES_NO: Mapping[str, bool] = {"Y": True, "N": False}
"""Table 0136."""

SPECIMEN_STATUS: Mapping[str, str] = {"Y": "available", "N": "unavailable"}
"""SPM-20 to Specimen.status."""

MARITAL_STATUS: Mapping[str, str] = {
    **dict.fromkeys("AE", "L"),
    **dict.fromkeys("GPR", "T"),
    "B": "U",
    "C": "C",
    "D": "D",
    "I": "I",
    "M": "M",
    "N": "A",
    "S": "S",
    "W": "W",
}
"""PID-16, table 0002, to THO/v3-MaritalStatus."""

MARITAL_NULL: Mapping[str, str] = {"U": "UNK", "O": "OTH", "T": "NAVU"}
"""PID-16, table 0002, to THO/v3-NullFlavor."""

RELATIONSHIP: Mapping[str, str] = {
    "BRO": "BRO",
    "CHD": "CHILD",
    "DOM": "SIGOTHR",
    "EXF": "EXT",
    "FCH": "CHLDFOST",
    "FND": "FRND",
    "FTH": "FTH",
    "GCH": "GRNDCHILD",
    "GRP": "GRPRN",
    "MTH": "MTH",
    "NCH": "NCHILD",
    "PAR": "PRN",
    "SCH": "STPCHLD",
    "SEL": "ONESELF",
    "SIB": "SIB",
    "SIS": "SIS",
    "SPO": "SPS",
}
"""NK1-3, table 0063, to THO/v3-RoleCode."""

CONTACT_ROLE: Mapping[str, str] = {"EMR": "E", "EMC": "C", "UNK": "U", "OTH": "O"}
"""NK1-3, table 0063, to THO/v2-0131, where that fits better than a family relation."""

SECURITY: Mapping[str, tuple[str, str]] = {
    "V": (f"{THO}/v3-Confidentiality", "V"),
    "R": (f"{THO}/v3-Confidentiality", "R"),
    "U": (f"{THO}/v2-0177", "U"),
    "UWM": (f"{THO}/v2-0177", "UWM"),
    "VIP": (f"{THO}/v2-0177", "VIP"),
    "EMP": (f"{THO}/v3-ActCode", "EMP"),
    "PSY": (f"{THO}/v3-ActCode", "PSY"),
    "AID": (f"{THO}/v3-ActCode", "HIV"),
    "HIV": (f"{THO}/v3-ActCode", "HIV"),
    "ETH": (f"{THO}/v3-ActCode", "ETHUD"),
}
"""ORC-28, table 0177, to a security label; PSY and HIV are codes of v3-ActCode."""

UNRESTRICTED = frozenset({"U", "N"})
"""ORC-28 that asks for no more care than usual; every other code waits for a clinician."""

IMAGING_SECTIONS = frozenset(
    {"CT", "CTH", "CUS", "IMG", "MRI", "NMR", "NMS", "OUS", "PET", "RAD", "RUS", "RX", "VUS", "XRC"}
)
"""OBR-24, table 0074 with common local ones, that name imaging."""

HISTOLOGY_SECTIONS = frozenset({"CP", "CY", "HIS", "HP", "SP"})
"""OBR-24, table 0074 with common local ones: cellular pathology, which may bring a diagnosis."""

RELEASE_WITHHELD = frozenset({"SWTH", "STBD"})
"""OBX-26, table 0909: the laboratory asks that a clinician decides."""

VERIFICATION_STATUS: Mapping[str, str] = {
    "01": "Number present and verified",
    "02": "Number present but not traced",
    "03": "Trace required",
    "04": "Trace attempted - No match or multiple match found",
    "05": "Trace needs to be resolved - (NHS number or patient detail conflict)",
    "06": "Trace in progress",
    "07": "Number not present and trace not required",
    "08": "Trace postponed (baby under six weeks old)",
}
"""PID-32 `NSTSnn` or `PDSnn`: NHS Data Dictionary, NHS number status indicator code."""
