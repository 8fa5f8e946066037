"""Every public HL7 v2 message that we have: converted whole and valid, or refused with a field.

Nothing crashes, no segment is lost, and every resource made is one that the record would take.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from adapters.hl7v2.conversion import PATIENT, resolve
from adapters.hl7v2.dialect import Dialect
from adapters.hl7v2.er7 import Message, Refused, read
from adapters.hl7v2.kinds import Content, convert
from fhir_server.model.ids import derived_id
from fhir_server.model.validate import judge

CORPUS = Path(__file__).resolve().parents[3] / "../shared/corpus/hl7v2"
PAPERS = frozenset({"README.md", "README.txt", "LICENSE", "LICENSE.txt", "LICENSE.md", "INDEX.tsv"})
# Many public messages leave the status out; a feed that does would agree on one.
LENIENT = Dialect(report_status="F", observation_status="F")


def files() -> list[Path]:
    if not CORPUS.is_dir():
        return []
    kinds = (".hl7", ".txt", ".msg")
    found = (path for path in CORPUS.rglob("*") if path.suffix in kinds and path.is_file())
    return sorted(path for path in found if path.name not in PAPERS)


FILES = files()
if not FILES:
    pytest.skip("shared corpus not present", allow_module_level=True)


def messages(path: Path) -> list[bytes]:
    """The messages of a file that may hold several, or a batch."""
    parts = re.split(rb"(?:^|(?<=[\r\n]))(?=MSH)", path.read_bytes())
    found = [part for part in parts if part.startswith(b"MSH")]
    ends = [re.split(rb"[\r\n](?=(?:BTS|FTS|BHS|FHS)\b)", part)[0] for part in found]
    return ends or [path.read_bytes()]


def judge_all(content: Content) -> int:
    made = list(content.all_made())
    keys = [each.key for each in made]
    assert len(set(keys)) == len(keys)
    ids = {key: derived_id(b"survey", *key) for key in (PATIENT, *keys, *content.named())}
    judge({**resolve(content.person.tree, ids), "id": ids[PATIENT]}, "Patient")
    for each in made:
        judge({**resolve(each.tree, ids), "id": ids[each.key]}, each.key[0])
    return len(made) + 1


def outcome(raw: bytes) -> tuple[Message | None, Content | Refused]:
    """The message as far as it could be read, and what became of it."""
    message = None
    try:
        message = read(raw)
        return message, convert(message, LENIENT)
    except Refused as refused:
        return message, refused


def test_every_public_message_is_converted_whole_and_valid_or_refused_with_a_field():
    counts: Counter[str] = Counter()
    resources = 0
    for path in FILES:
        for raw in messages(path):
            message, result = outcome(raw)
            if isinstance(result, Refused):
                assert result.code
                assert result.field
                counts["refused" if message else "unread"] += 1
                continue
            assert message is not None
            assert list(result.accounted) == [segment.number for segment in message.segments]
            counts["converted"] += 1
            resources += judge_all(result)
    assert counts["converted"] > 200
    assert counts["unread"] < 20
    assert resources > 10_000
