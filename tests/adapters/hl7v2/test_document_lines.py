"""Documents that came in lines: whole again, and nothing else taken for a part of them."""

import re
from base64 import b64encode

from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.hl7v2.document_lines import rejoined
from adapters.hl7v2.er7 import read

MAY_BE_A_SEGMENT = re.compile("Z[A-Z0-9]{3}")
HEAD = "OBX|1|ED|LETTER^Letter^L||^AP^PDF^Base64^"


def whole(*lines: str) -> list[str]:
    return list(rejoined(lines, "|"))


@given(st.binary(max_size=2000), st.sampled_from([8, 64, 76]), st.sampled_from(["||||||F", ""]))
def test_a_document_is_the_same_however_its_lines_were_cut(
    content: bytes, width: int, rest: str
) -> None:
    sent = b64encode(content).decode()
    parts = [sent[start : start + width] for start in range(0, len(sent), width)] or [""]
    assume(not MAY_BE_A_SEGMENT.fullmatch(parts[-1]))
    lines = [HEAD + parts[0], *parts[1:]]
    lines[-1] += rest
    assert whole("OBR|1", *lines, "OBR|2") == ["OBR|1", HEAD + sent + rest, "OBR|2"]


def test_a_segment_after_an_unfinished_document_is_one() -> None:
    open_one = f"{HEAD}QUJD"
    assert whole(open_one, "OBR|2|x", "ZDS|x") == [open_one, "OBR|2|x", "ZDS|x"]


def test_what_follows_a_finished_result_is_no_part_of_it() -> None:
    finished = f"{HEAD}QUJD||||||F"
    assert whole(finished, "ZDS|site", "REVG") == [finished, "ZDS|site", "REVG"]


def test_a_line_that_is_no_base64_ends_the_document() -> None:
    open_one = f"{HEAD}QUJD"
    assert whole(open_one, "REVG", "a word", "R0hJ") == [f"{open_one}REVG", "a word", "R0hJ"]


def test_a_text_is_never_continued() -> None:
    text = "OBX|1|TX|NOTE^Note^L||some"
    assert whole(text, "more") == [text, "more"]


def test_a_reader_counts_the_document_as_one_segment_and_flags_it() -> None:
    head = "MSH|^~\\&|A|B|C|D|20261124||ORU^R01|1|P|2.5.1"
    sent = "\r".join([head, f"{HEAD}QUJD", "REVG", "R0hJ||||||F", "NTE|1|L|note", ""])
    message = read(sent.encode())
    assert [one.name for one in message.segments] == ["MSH", "OBX", "NTE"]
    assert message.segments[1].text(5, 5) == "QUJDREVGR0hJ"
    assert (message.segments[1].field(11), message.flags) == ("F", ("document-lines",))
