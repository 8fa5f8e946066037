"""`portal-fhir feed merge` and `unmerge`: a person decides, and says why."""

from collections.abc import Callable

import pytest

from tests.portal_api.cli.results import psa

Done = Callable[..., str]
Written = Callable[[str, str], str]


def merge(retired: str) -> str:
    return "\r".join(
        [
            "MSH|^~\\&|PAS|RXX|PORTAL|CMCA|20261124101400||ADT^A40^ADT_A39|MERGE|P|2.5.1",
            "EVN|A40|20261124101400",
            "PID|1||B7^^^RXX^MR||Example^Alan||19550301|M",
            f"MRG|{retired}",
            "",
        ]
    )


@pytest.mark.usefixtures("running")
def test_a_merge_waits_is_filed_and_taken_back(done: Done, written: Written) -> None:
    first = psa(1)
    assert "PID|1||9990000018^^^NHS^NH|" in first
    done("send", written("result.hl7", first))
    done("send", written("merge.hl7", merge("9990000018^^^NHS^NH")))
    assert "merge-not-" in done("errors")
    why = ("--reason", "Both were looked at.")
    assert "joins no records" in done("merge", "M1", *why, status=2)
    assert "No message has" in done("merge", "M9", *why, status=1)
    assert "Say why" in done("merge", "MERGE", "--reason", " ", status=2)
    filed = done("merge", "MERGE", *why)
    assert "message MERGE of feed loopback: filed" in filed
    assert "made: Patient/" in filed
    assert "id of their record" in done("unmerge", "A7", *why, status=2)
    parted = done("unmerge", "999 000 0018", *why)
    assert "Parted from Patient/" in parted
    assert "not joined" in done("unmerge", "9990000018", *why, status=2)
