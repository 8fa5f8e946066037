"""`docs/hl7v2-conformance.md`, made from the tables that the code itself works with.

`python -m tests.conformance.hl7v2_page` (or `make docs`) writes it; a test finds it stale.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from adapters.hl7v2 import (
    ack,
    adt_fields,
    appointment_tables,
    code_tables,
    document_tables,
    er7,
    kinds,
    merge_to_pairs,
)
from adapters.hl7v2.field_names import field_name
from adapters.hl7v2.guide_rows import ROWS, segment_of
from adapters.hl7v2.header import glimpse
from adapters.hl7v2.unmapped_fields import row_reason
from adapters.intake.feed_settings import DIALECT, FEED, default_of, plain
from adapters.intake.stable_codes import FAULTS, FLAGS, HOLDS
from tests.adapters.hl7v2.field_effects import effects, goes_to, is_carried, kind_of
from tests.conformance import reportstream_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hl7v2-conformance.md"
INTRODUCTION = """# HL7 v2: what is taken, and what becomes of it

This page is made from the code by `make docs`; a test finds it where it is out of date. `OBX-5` is
the fifth field of OBX; in the third OBX of a message it is written `OBX[3].5`.

The map is the HL7 "Version 2 to FHIR" guide. What becomes of a field was found by taking it out of
a message in which all fields are valued, and comparing what both become.
"""
MARKS = {"refused": "without it the message is set aside"}
_LONGEST = 4  # elements that are named of one field; more are counted


def page() -> str:
    """Return the whole page."""
    parts = (
        INTRODUCTION,
        _messages(),
        _answers(),
        _codes(),
        _statuses(),
        _guide(),
        reportstream_page.section(table),
        _people(),
        _settings(),
    )
    return "\n".join(part.strip() + "\n" for part in parts)


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [_line(heading), _line(["---"] * len(heading)), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _messages() -> str:
    rows = []
    taken = sorted(kinds._KINDS.items())
    for code, events in groupby(taken, key=lambda one: one[0][0]):
        rows.append((code, ", ".join(_code(event) for (_, event), _ in events)))
    versions = ", ".join(sorted(er7._KNOWN_VERSIONS, key=_version))
    return f"""## Messages

{table(("MSH-9.1", "MSH-9.2"), rows)}
Any other type is refused: `AR`, `type-unsupported`, 200 (or 201 where only the event is unknown).
A feed may name whole texts of MSH-9 that mean ORU^R01 (`dialect.message_forms`). Where MSH-9 names
no event, EVN-1 does.

Versions (MSH-12): {versions}. Another 2.x is taken and flagged, and so is an empty MSH-12; all are
read alike.
"""


def _version(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")))


def _answers() -> str:
    rows = []
    for accept, application in (
        *(("", ""), ("AL", "AL"), ("AL", "NE"), ("NE", "AL"), ("NE", "NE")),
        *(("ER", "ER"), ("AL", "ER"), ("AL", "SU")),
    ):
        head = f"MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5|||{accept}|{application}"
        header = glimpse(head.encode())
        answers = [
            " then ".join(ack.codes_to_send(header, code, number)) or "none"
            for code, number in (("AA", 0), ("AE", 0), ("AE", ack.REUSED), ("AR", 0))
        ]
        rows.append((accept or "empty", application or "empty", *answers))
    return f"""## Acknowledgements

An answer goes out after everything is committed. The same message again gets the same bytes again.

{
        table(
            (
                "MSH-15",
                "MSH-16",
                "taken",
                "kept for correction",
                "control id used again",
                "refused",
            ),
            rows,
        )
    }
`AA`: it is filed, or kept for a person here. `AE`: the sender has to correct it; it is kept. `AR`:
it is not for this portal, or (207) it can't be taken now and is to be sent again. A feed whose
queue would stop on an error has AA for AE (`quarantine_ack`).
"""


def _codes() -> str:
    faults = (
        (
            _code(name),
            told.answer or "none",
            ", ".join(f"{number} {ack.CONDITIONS[number]}" for number in told.numbers),
            told.meaning,
        )
        for name, told in sorted(FAULTS.items())
    )
    return f"""## Stable codes

ERR-3 (ERR-1 before 2.5) holds the number of table 0357, ERR-5 the stable code, ERR-2 the field.

{table(("code", "answer", "table 0357", "meaning"), faults)}
Flags stand beside a message that was taken all the same.

{table(("flag", "meaning"), _meanings(FLAGS.items()))}
Holds keep a result from the patient for some days, or until a person has looked.

{table(("hold", "meaning"), _meanings(HOLDS.items()))}
"""


def _meanings(told: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((_code(name), text) for name, text in sorted(told))


def _statuses() -> str:
    return f"""## Statuses

OBX-11 (table 0085): {_pairs(code_tables.OBSERVATION_STATUS)}. `U` makes the stored value final;
`D` and `W` take it back.

OBR-25 (table 0123): {_pairs(code_tables.REPORT_STATUS)}.

TXA-17 (table 0271): {_pairs(document_tables.COMPLETION)}.

TXA-19 (table 0273): {_pairs(document_tables.AVAILABILITY)}.

SCH-25 (table 0278): {_pairs(appointment_tables.FILLER_STATUS)}; what it does not say, the event
does.

A status in no table sets the message aside. Nothing is filled in but what a feed has agreed in
writing.
"""


def _pairs(codes: Any) -> str:
    return ", ".join(f"{code} {meaning}" for code, meaning in sorted(codes.items()))


def _guide() -> str:
    rows = [(sheet, field) for sheet in ROWS for field in ROWS[sheet]]
    carried = sum(is_carried(*row) for row in rows)
    as_mapped = sum(bool(goes_to(*row)) for row in rows)
    tables = "\n".join(
        f"### {sheet}\n\n"
        + table(("field", "name", "becomes", "why otherwise"), _rows_of(sheet, ROWS[sheet]))
        for sheet in ROWS
    )
    return f"""## The guide, row by row

Of {len(rows)} rows, {as_mapped} go where the guide says, {carried - as_mapped} go elsewhere, and
{len(rows) - carried} go nowhere, each for the reason given. The inbox keeps every message whole.

{tables}"""


def _rows_of(sheet: str, fields: Iterable[int]) -> Iterator[tuple[str, str, str, str]]:
    segment = segment_of(sheet)
    for number in fields:
        field = f"{segment}-{number}"
        why = "" if goes_to(sheet, number) else row_reason(sheet, number)
        yield field, field_name(segment, number), _becomes(field, kind_of(sheet)), why


def _becomes(field: str, kind: str) -> str:
    found = [MARKS.get(one.partition(":")[0], one) for one in effects(field, kind)]
    more = f" and {len(found) - _LONGEST} more" if len(found) > _LONGEST else ""
    return ", ".join(found[:_LONGEST]) + more


def _people() -> str:
    events = [(_code(name), one.means, one.effect.value) for name, one in adt_fields.EVENTS.items()]
    for told, becomes in (
        (merge_to_pairs.MERGES, "whoever has the numbers is one person, if the feed may say so"),
        (merge_to_pairs.BY_HAND, "it waits for a person"),
        (merge_to_pairs.NOT_TAKEN, "it is refused"),
    ):
        events += [(_code(name), means, becomes) for name, means in told.items()]
    elements = (
        (", ".join(one.fields), f"Patient.{one.name}", one.url.rpartition("/")[2])
        for one in adt_fields.ELEMENTS
    )
    rules = sorted(adt_fields.BY_RULE.items(), key=lambda one: (one[0][:3], int(one[0][4:])))
    return f"""## What an ADT changes

{table(("event", "means", "what becomes of the details"), events)}
{table(("fields", "element", "extension"), elements)}
{table(("field", "what becomes of it"), rules)}
Kept in the inbox alone: {"; ".join(f"{name}, {why}" for name, why in adt_fields.KEPT_RAW.items())}.
"""


def _settings() -> str:
    rows = []
    for prefix, known in (("", FEED), ("dialect.", DIALECT)):
        for name, told in known.items():
            default = _words(plain(default_of(known, name)))
            rows.append((_code(f"{prefix}{name}"), told.kind.takes, default, told.means))
    return f"""## Settings of a feed

As `portal-fhir feed edit NAME SETTING=VALUE` takes them, and a TOML file for
`portal-fhir feed import`.

{table(("setting", "takes", "default", "means"), rows)}
"""


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return str(value) if value else "none"


def main(write: Callable[[str], int] = PAGE.write_text) -> None:
    """Write the page, and what it says of published outputs."""
    reportstream_page.main()
    write(page())


if __name__ == "__main__":
    main()
