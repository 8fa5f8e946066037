"""Whatever stands in whichever fields: refused with the field to blame, or valid resources."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.hl7v2.conversion import PATIENT, Conversion, resolve
from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.kinds import convert
from fhir_server.model.ids import derived_id
from fhir_server.model.validate import judge
from tests.adapters.hl7v2.full_message import FULL, ORDER, message

PIECES = (
    *("A", "B", "1", "2", ".", "<", ">", "-", "^", "&", "~", "\\", "X", "F", '"', '""', "'", " "),
    *("é", "٣", "²", "\x00", "\u2028", "\ufeff", "/", ":", "+0100", "^^", "&&", "x10", "10^9/L"),
    *("20260803", "202608031405", "9990000018", "NHS", "GMC", "L", "SCT", "LN", "UCUM", "HL70078"),
    *("ISO", "2.16.1", "\\.br\\", "\\X00\\", "Base64", "07700", "@x.y", "<5", "5.10", "U", "W"),
)
TYPES = (
    *("NM", "SN", "ST", "TX", "FT", "CE", "CWE", "DT", "TS", "TM", "DR", "NR", "ED", "RP", "NA"),
    *("IS", "ID", "EI", "XX"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
# The type of message and the version are the reader's and the door's.
PLACES = st.sampled_from(
    [
        f"{name}-{number}"
        for name in ORDER
        for number in range(3 if name == "MSH" else 1, max(FULL[name]) + 3)
        if (name, number) not in {("MSH", 9), ("MSH", 12)}
    ]
)


def outcome(raw: bytes) -> Conversion | Refused:
    try:
        return convert(read(raw), STANDARD)
    except Refused as refused:
        return refused


@given(st.dictionaries(PLACES, TEXTS, max_size=8), st.sampled_from(TYPES))
@example({"SPM-6": "EDTA\\.br\\ x"}, "NM")
@example({"OBX-30": "&&", "OBX-4": "\\.br\\"}, "NM")
@example({"OBR-46": "&NHS", "OBR-32": "\\.br\\", "OBR-13": "~"}, "NM")
@example({"PID-25": "9990000018", "PID-26": " "}, "NM")
@example({"OBR-7": "202608031405", "OBR-8": "202608031404"}, "NM")
def test_any_content_is_refused_with_a_field_or_becomes_valid_resources(change, kind):
    result = outcome(message(change | {"OBX-2": kind}))
    if isinstance(result, Refused):
        assert (bool(result.code), bool(result.field)) == (True, True)
        return
    made = list(result.all_made())
    unsent = [key for group in result.groups for key in group.status_only]
    ids = {key: derived_id(b"k", *key) for key in (PATIENT, *(m.key for m in made), *unsent)}
    assert len(ids) == len(made) + len(unsent) + 1
    for key, tree in ((PATIENT, result.person.tree), *((m.key, m.tree) for m in made)):
        judge({**resolve(tree, ids), "id": ids[key]}, tree["resourceType"])


@pytest.mark.parametrize("name", ORDER[1:])
def test_a_message_without_one_kind_of_segment_is_an_answer_too(name):
    result = outcome(message({name: ""}))
    assert isinstance(result, Refused) == (name in {"PID", "OBR"})
