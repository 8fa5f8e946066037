"""Who stays and whose numbers are retired: pair by pair, whole, and never oneself."""

import pytest

from adapters.hl7v2 import merge_to_pairs
from adapters.hl7v2.dialect import STANDARD
from adapters.hl7v2.er7 import Refused, read
from adapters.hl7v2.kinds import convert
from adapters.hl7v2.merge import Merge
from fhir_server.model.identifiers import NhsNumber

MSH = r"MSH|^~\&|PAS|NMH|PORTAL|PFH|20261124101500||ADT^A40^ADT_A39|M1|P|2.4"
EVN = "EVN|A40|20261124101400"
PID = "PID|1||9990000018^^^NHS^NH~B7^^^NMH^MR||Ashdown^Alan||19550302|M"
MRG = "MRG|A7^^^NMH^MR||||||Ashdowne^Al"


def converted(*segments: str) -> Merge:
    content = convert(read("\r".join(segments or (MSH, EVN, PID, MRG)).encode()), STANDARD)
    assert isinstance(content, Merge)
    return content


def refused(*segments: str) -> tuple[str, str, int]:
    with pytest.raises(Refused) as caught:
        converted(*segments)
    return caught.value.code, caught.value.field, caught.value.hl7_code


@pytest.mark.parametrize(
    ("event", "renumbers"), [(event, event == "A47") for event in merge_to_pairs.MERGES]
)
def test_a_pair_names_who_stays_and_the_retired_numbers(event: str, renumbers: bool) -> None:
    content = converted(MSH.replace("A40", event), EVN, PID, "PD1||||1", MRG, "PV1|1|I")
    (pair,) = content.pairs
    assert (content.event, content.renumbers, content.by_hand) == (event, renumbers, False)
    assert (pair.person.nhs_number, pair.person.identifiers) == (
        *(NhsNumber.parse("9990000018"), (("NMH", "B7"),)),
    )
    assert (pair.retired.nhs_number, pair.retired.identifiers) == (None, (("NMH", "A7"),))
    assert pair.retired.tree["name"] == [{"family": "Ashdowne", "given": ["Al"]}]
    assert (pair.address, content.person) == ("MRG[1].1", pair.person)
    raw = "kept raw: a merge changes nobody's details"
    link, told = "filed in Patient.link", "filed in Provenance"
    assert list(content.accounted.values()) == [told, told, link, raw, link, raw]


def test_who_is_parted_from_whom_is_read_for_a_person() -> None:
    unlink = MSH.replace("A40", "A37"), EVN, PID, "PID|2||A7^^^NMH^MR||Bell^Bea||19600102|F"
    content = converted(*unlink)
    (pair,) = content.pairs
    assert (content.by_hand, pair.address) == (True, "PID[2].3")
    assert (pair.person.identifiers, pair.retired.identifiers) == (
        *((("NMH", "B7"),), (("NMH", "A7"),)),
    )
    assert refused(*unlink[:3]) == ("message-empty", "PID", 100)


def test_a_number_that_goes_to_somebody_else_is_read_for_a_person() -> None:
    content = converted(MSH.replace("A40", "A43"), EVN, PID, MRG)
    assert (content.by_hand, content.pairs[0].retired.identifiers) == (True, (("NMH", "A7"),))


def test_records_that_are_linked_and_stay_two_are_not_taken() -> None:
    link = MSH.replace("A40", "A24"), EVN, PID, "PID|2||A7^^^NMH^MR||Bell^Bea||19600102|F"
    assert refused(*link) == ("type-unsupported", "MSH.9", 201)


def test_several_pairs_stand_by_themselves() -> None:
    other = "PID|2||C7^^^NMH^MR||Bell^Bea||19600102|F"
    content = converted(MSH, EVN, PID, MRG, other, "MRG|D7^^^NMH^MR")
    assert [(pair.person.identifiers, pair.retired.identifiers) for pair in content.pairs] == [
        ((("NMH", "B7"),), (("NMH", "A7"),)),
        ((("NMH", "C7"),), (("NMH", "D7"),)),
    ]


@pytest.mark.parametrize("listed", ["A7^^^NMH^MR~B7^^^NMH^MR", "9990000018^^^NHS^NH~A7^^^NMH^MR"])
def test_a_retired_number_that_is_listed_still_is_retired(listed: str) -> None:
    (pair,) = converted(MSH, EVN, f"PID|1||{listed}||Ashdown^Alan||19550302|M", MRG).pairs
    assert ("NMH", "A7") not in pair.person.identifiers


def test_a_shared_nhs_number_retires_nobody_by_it() -> None:
    (pair,) = converted(MSH, EVN, PID, "MRG|A7^^^NMH^MR~999 000 0018^^^NHS^NH").pairs
    assert (pair.retired.nhs_number, pair.retired.identifiers) == (None, (("NMH", "A7"),))


@pytest.mark.parametrize(
    "numbers",
    [("9990000018^^^NHS^NH", "9990000018^^^NHS^NH"), ("A7^^^NMH^MR", "A7^^^NMH^MR")],
)
def test_nobody_is_merged_into_themselves(numbers: tuple[str, str]) -> None:
    pid = f"PID|1||{numbers[0]}||Ashdown^Alan||19550302|M"
    assert refused(MSH, EVN, pid, f"MRG|{numbers[1]}") == ("merge-itself", "MRG[1].1", 204)


@pytest.mark.parametrize(
    ("segments", "fault"),
    [
        ((MSH, EVN), ("merge-empty", "MRG", 100)),
        ((MSH, EVN, PID), ("merge-empty", "MRG", 100)),
        ((MSH, EVN, PID, PID.replace("1", "2", 1), MRG), ("merge-empty", "PID[2]", 100)),
        ((MSH, EVN, PID, MRG, PID), ("merge-empty", "MRG", 100)),
        ((MSH, EVN, MRG, PID), ("segment-order", "MRG[1]", 100)),
        ((MSH, EVN, PID, MRG, MRG), ("segment-order", "MRG[2]", 100)),
        ((MSH, EVN, PID, "MRG|"), ("identity-missing", "MRG[1].4", 101)),
        ((MSH, EVN, PID, "MRG|A7"), ("identity-unclear", "MRG[1].1", 204)),
        ((MSH, EVN, PID, "MRG|9990000019^^^NHS^NH"), ("nhs-number-bad", "MRG[1].1", 102)),
    ],
)
def test_a_pair_that_is_not_whole_is_refused_with_its_field(
    segments: tuple[str, ...], fault: tuple[str, str, int]
) -> None:
    assert refused(*segments) == fault


def test_the_oldest_versions_name_the_retired_number_in_mrg_4() -> None:
    (pair,) = converted(MSH, EVN, PID, "MRG||||A7^^^NMH^MR").pairs
    assert pair.retired.identifiers == (("NMH", "A7"),)
