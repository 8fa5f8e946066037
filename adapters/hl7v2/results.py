"""The OBX of one report in the form in which they become Observations.

Lines of a text under one code are one result; a result sent twice over is one; documents go to
the report. A result's key is its code, its group (OBX-4), its own number (OBX-21) and, for the
same again, its place: OBX-1 is for error reports alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from adapters.hl7v2.codeable_concepts import codeable_concept
from adapters.hl7v2.composite import first, value
from adapters.hl7v2.context import Context, refusal
from adapters.hl7v2.conversion import Tree
from adapters.hl7v2.er7 import Segment
from adapters.hl7v2.groups import Result
from adapters.hl7v2.obx_value import DOCUMENT_TYPES, TEXT_TYPES, text_lines
from adapters.hl7v2.order import Order

_LINES = frozenset({"FT", "TX"})


@dataclass(frozen=True, slots=True)
class Line:
    """One result to be: its OBX, its comments, its code, its part of the key.

    *text* holds the joined lines where several OBX make one; *obxs* all of them, in order.
    """

    obxs: tuple[Segment, ...]
    notes: tuple[Segment, ...]
    code: Tree
    key: tuple[str, ...]
    text: str | None = None

    @property
    def obx(self) -> Segment:
        """The first OBX, which speaks for all."""
        return self.obxs[0]


def documents(results: Sequence[Result]) -> list[Result]:
    """Return those results that are documents (ED, RP)."""
    return [result for result in results if result.kind in DOCUMENT_TYPES]


def lines(results: Sequence[Result], order: Order, context: Context) -> tuple[list[Line], bool]:
    """Return the results, and whether two of them conflict: one test at one time, two values.

    A conflict is flagged. An OBX that only repeats another is left out, flagged.
    Refuses a result without a code, unless it is a line of text: that is the report's.
    """
    found = [result for result in results if result.kind not in DOCUMENT_TYPES]
    made: list[Line] = []
    seen: dict[tuple[str, ...], list[Result]] = {}
    conflict = False
    whole = _is_report_text(found, context)
    for together in [found] if whole else _runs(found):
        if not together:
            continue
        result = together[0]
        code = order.code if whole else _code(result, order, context)
        key = _key(result.obx, order)
        twins = seen.setdefault(key, [])
        if len(together) == 1 and any(_repeats(result, twin) for twin in twins):
            context.flag("obx-twice", result.obx.address())
            continue
        if result.kind not in _LINES and not _is_another_time(result, twins):
            context.flag("obx-conflict", result.obx.address())
            conflict = True
        twins.append(result)
        notes = tuple(note for result in together for note in result.notes)
        text = _joined(together, context) if len(together) > 1 else None
        place = str(len(twins)) if len(twins) > 1 else ""
        obxs = tuple(result.obx for result in together)
        made.append(Line(obxs, notes, code, (*key, place), text))
    return made, conflict


def _is_report_text(found: Sequence[Result], context: Context) -> bool:
    """Tell whether all results of a report are lines of one text."""
    if len(found) < 2 or not context.dialect.report_of_lines:
        return False
    obx = found[0].obx
    code, status = obx.field(3), obx.field(11)
    return all(
        result.kind in TEXT_TYPES
        and result.obx.field(3) == code
        and result.obx.field(11) == status
        and not result.obx.field(6)
        for result in found
    ) and _is_one_series([result.obx.field(4) for result in found])


def _is_one_series(sub_ids: Sequence[str]) -> bool:
    """Tell whether OBX-4 says nothing that parts the lines: all alike, or a count of lines."""
    return len(set(sub_ids)) == 1 or list(sub_ids) == [
        str(number) for number in range(1, len(sub_ids) + 1)
    ]


def _runs(found: Sequence[Result]) -> Iterator[list[Result]]:
    """Yield each result alone, but neighbouring TX or FT lines of one code together."""
    for (is_line, *_), together in groupby(found, key=_run_signature):
        if is_line:
            yield list(together)
        else:
            yield from ([result] for result in together)


def _run_signature(result: Result) -> tuple[bool, str, str, str]:
    if result.kind not in _LINES:
        return (False, "", "", "")
    obx = result.obx
    return (True, obx.field(3), obx.field(4), obx.field(11))


def _code(result: Result, order: Order, context: Context) -> Tree:
    obx = result.obx
    code = codeable_concept(first(obx, 3), context)
    if code:
        return code
    if result.kind in TEXT_TYPES:
        return order.code
    raise refusal(101, "test-missing", obx.address(3), "OBX-3 does not say what was observed.")


def _key(obx: Segment, order: Order) -> tuple[str, ...]:
    """Return a result's part of its key: as sent, so that no later agreement changes it."""
    sent = first(obx, 3)
    name, system = (sent[1], sent[3]) if sent[1] else (sent[2] or sent[4] or sent[9], sent[6])
    own = value(obx, 21) if len(obx.fields) > 21 else ""
    return (name or order.test, system, value(obx, 4), own)


def _repeats(result: Result, twin: Result) -> bool:
    """Tell whether a result says what *twin* says, but for OBX-1, and no comment of its own."""
    if result.obx.fields[2:] != twin.obx.fields[2:]:
        return False
    told = [note.fields[2:] for note in result.notes]
    return not told or told == [note.fields[2:] for note in twin.notes]


def _is_another_time(result: Result, twins: Sequence[Result]) -> bool:
    """Tell whether a result is the first of its key, or a later one of a series.

    A dynamic function test measures the same again and again: each value has its own OBX-14.
    """
    taken = value(result.obx, 14)
    before = [value(twin.obx, 14) for twin in twins]
    return not twins or (bool(taken) and all(before) and taken not in before)


def _joined(together: Sequence[Result], context: Context) -> str:
    return "\n".join(text_lines(result.obx, context) for result in together)
