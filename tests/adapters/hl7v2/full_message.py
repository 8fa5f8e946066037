"""A result message in which every field that we map is valued, and any of them can be changed."""

PERSON_AT_WORK = "G1^Okafor^Ngozi^^^Dr^^^GMC"
PLACE = "Oncology^^^^^^^^^ONC"

FULL: dict[str, dict[int, str]] = {
    "MSH": {
        3: "LIMS",
        4: "NMH",
        7: "20260803140507",
        9: "ORU^R01",
        10: "M1",
        12: "2.8",
        17: "GBR",
        22: "NMH Trust^^^^^^^^^NMHT",
        26: "R",
        27: "R",
    },
    "PID": {
        1: "1",
        2: "X1^^^OLD",
        3: "9990000018^^^NHS^NH",
        4: "X2^^^ALT",
        5: "Ashdown^Alan",
        6: "Hill",
        7: "19550302",
        8: "M",
        9: "Dawn^Al",
        11: "1 High St^^Town",
        12: "County",
        13: "01632960001",
        14: "01632960002",
        15: "CY",
        16: "M",
        17: "CHR",
        19: "S9",
        20: "D5",
        22: "A",
        23: "Northmere",
        24: "Y",
        25: "2",
        26: "GBR",
        28: "GBR",
        29: "20260701",
        30: "Y",
        39: "GBR",
        40: "07700900123",
    },
    "PD1": {3: "Surgery^^S1", 4: PERSON_AT_WORK, 6: "BL", 14: "St Mary"},
    "NK1": {
        2: "Ashdown^Mary",
        3: "SPO",
        4: "2 High St^^Town",
        5: "01632960003",
        6: "01632960004",
        7: "N",
        8: "20200101",
        9: "20300101",
        13: "Carers^^C1",
        15: "F",
        40: "07700900124",
    },
    "PV1": {2: "O", 19: "V1^^^NMH^VN"},
    "ORC": {
        1: "NW",
        2: "P1",
        3: "F1",
        4: "G1",
        7: "1^^^^^S",
        9: "20260802",
        10: "G2^Entered^By^^^Dr^^^GMC",
        11: "G3^Verified^By^^^Dr^^^GMC",
        12: PERSON_AT_WORK,
        14: "01632960005",
        16: "RSN^Reason^L",
        17: "Enterers^^^^^^^^^E1",
        19: "G4^Acted^By^^^Dr^^^GMC",
        21: PLACE,
        22: "3 High St^^Town",
        23: "01632960006",
        24: "4 High St^^Town",
        28: "R",
        29: "WARD",
        33: "A1^^^ALT",
        38: "FG1",
    },
    "TQ1": {7: "20260804", 9: ""},
    "OBR": {
        2: "P1",
        3: "F1",
        4: "PSA^PSA^L",
        5: "",
        6: "",
        7: "202608031000",
        8: "202608031010",
        9: "5^mL",
        10: PERSON_AT_WORK,
        11: "G",
        13: "Hormones",
        14: "202608031100",
        15: "BLD",
        16: "G5^Ordered^By^^^Dr^^^GMC",
        17: "01632960007",
        22: "20260803140500",
        24: "CH",
        25: "F",
        27: "1^^^^^S",
        29: "P0^F0",
        31: "RSN^Why^L",
        32: "G6&Read&By",
        34: "G7&Made&By",
        35: "G8&Typed&By",
        39: "C^Comment^L",
        46: "I1^Info^L",
        47: "I2^Info^L",
        53: "A2^^^ALT",
    },
    "OBX": {
        2: "NM",
        3: "PSA^PSA^L",
        4: "1",
        5: "7.30",
        6: "ug/L",
        7: "<4",
        8: "H",
        10: "A",
        11: "F",
        14: "202608031005",
        15: "LAB^Laboratory^L",
        16: "G9^Saw^By^^^Dr^^^GMC",
        17: "M^Method^L",
        18: "D1",
        19: "202608031300",
        20: "ARM^Arm^L",
        21: "R1",
        23: "Lab^^^^^^^^^L1",
        24: "5 High St^^Town",
        25: "G10^Led^By^^^Dr^^^GMC",
        29: "QST",
        30: "S^Structure^L",
        33: "S2",
    },
    "NTE": {3: "Comment", 5: PERSON_AT_WORK, 6: "202608031200"},
    "SPM": {
        2: "SP1^S1",
        3: "SP0^S0",
        4: "BLD",
        6: "EDTA",
        7: "VENIP",
        8: "ARM^Arm^L",
        12: "6^mL",
        14: "Comment",
        17: "202608030955",
        18: "202608031055",
        20: "Y",
        21: "EX",
        24: "HEM",
        27: "TUBE^Tube^L",
        30: "AC1",
        31: "OT1",
        32: "SH1",
    },
}
ORDER = ("MSH", "PID", "PD1", "NK1", "PV1", "ORC", "OBR", "TQ1", "OBX", "NTE", "SPM")

PERSON: dict[str, dict[int, str]] = {
    "MSH": FULL["MSH"] | {9: "ADT^A31"},
    "EVN": {2: "202608031400", 4: "01", 5: PERSON_AT_WORK, 6: "202608031300", 7: "NMH"},
    "PID": FULL["PID"] | {33: "202608031200", 34: "NMH"},
    "PD1": FULL["PD1"],
    "NK1": FULL["NK1"],
    "PV1": FULL["PV1"],
    "ROL": {
        1: "R1",
        2: "UP",
        3: "PP",
        4: "G11^Practises^By^^^Dr^^^GMC",
        5: "20200101",
        6: "20300101",
        11: "6 High St^^Town",
        12: "01632960008",
    },
}
LETTER: dict[str, dict[int, str]] = {
    "MSH": FULL["MSH"] | {9: "MDM^T02"},
    "EVN": {2: "202608031400"},
    "PID": FULL["PID"],
    "PV1": FULL["PV1"],
    "TXA": {
        2: "CN^Clinic letter^L",
        3: "TX",
        6: "202608031200",
        8: "202608031300",
        9: "G12^Wrote^By^^^Dr^^^GMC",
        10: "G13^Signed^By^^^Dr^^^GMC",
        12: "D1^NMH",
        13: "D0^NMH",
        16: "letter.txt",
        17: "AU",
        18: "R",
        19: "AV",
        25: "Your visit",
    },
    "OBX": {2: "FT", 3: "L^Letter^L", 5: "Dear Alan", 11: "F"},
    "NTE": {3: "Comment", 9: "C^Code^L"},
}
KINDS = {"result": FULL, "person": PERSON, "letter": LETTER}


def message(change: dict[str, str], kind: str = "result") -> bytes:
    """The full message of its *kind* with fields (`OBR-7`) set, and segments (`SPM`) left out."""
    segments = {name: dict(fields) for name, fields in KINDS[kind].items()}
    lines = []
    for place, value in change.items():
        name, _, number = place.partition("-")
        if number:
            if name in segments:
                segments[name][int(number)] = value
        elif name in segments:
            del segments[name]
    for name in ORDER if kind == "result" else tuple(segments):
        if name not in segments:
            continue
        fields = segments[name]
        first = 3 if name == "MSH" else 1
        texts = [fields.get(number, "") for number in range(first, max(fields) + 1)]
        lines.append("|".join([r"MSH|^~\&" if name == "MSH" else name, *texts]))
    if "SPM again" in change:
        lines.append("SPM|2|^S2||BLD")
    return "\r".join(lines).encode()
