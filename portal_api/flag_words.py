"""What a flag on a message means, in a sentence for whoever runs the feeds."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "cancel-unseen": "It cancels what was never seen here.",
        "charset-guessed": "The character set is not declared; it was guessed.",
        "charset-mismatch": "The bytes are not in the character set that is declared.",
        "charset-unknown": "The declared character set is not known here.",
        "code-unmapped": "A code has no meaning in a standard system.",
        "completion-unknown": "The completion status of the document is not known.",
        "correction-first": "It corrects a result of which no earlier version is known.",
        "date-order": "Two dates stand in the wrong order.",
        "date-unread": "A date that nothing depends on could not be read; it is kept as sent.",
        "delete-unseen": "It deletes what was never seen here.",
        "delimiters-doubled": "An escape was written twice.",
        "delimiters-short": "MSH-2 declares fewer characters than usual.",
        "document-active": "A document has active content, and is held for a person to look at.",
        "document-elsewhere": "A document is named and not sent along.",
        "document-empty": "A document is empty.",
        "document-lines": "A document came in lines, which were joined.",
        "document-withdrawn": "A document was taken back.",
        "entry-kept": "An entry is of no use here by itself; it is kept with the message.",
        "frame-junk": "Bytes stood between two frames; they were passed over.",
        "frame-no-cr": "The frame was not closed as it should be.",
        "identifier-unplaced": "An identifier does not say who gave it.",
        "identity-differs": "Details of the person differ from those known.",
        "identity-split": "The same local number was filed before without an NHS number.",
        "issued-assumed": "The time of issue is missing; that of the message stands for it.",
        "laboratory-withholds": "The laboratory asks not to show it to the patient.",
        "nhs-number-bad": "An NHS number fails its check digit.",
        "note-unplaced": "A note stands where no result is.",
        "obx-conflict": "One result came twice with different values.",
        "obx-twice": "One result came twice.",
        "parent-missing": "It names a parent result that is not in the message.",
        "parent-unseen": "It names a parent report that was never seen here.",
        "pointer-unread": "A pointer to a document could not be read.",
        "reference-cut": "A reference leads to nothing that is kept; its words stay.",
        "result-lost": "A result that was there before is missing now.",
        "security-label": "It carries a security label.",
        "segment-ends": "Its segments end with line feeds.",
        "segment-form": "A segment's name is written in an odd form.",
        "segment-order": "Segments stand in an unusual order.",
        "segment-unknown": "It has a segment that the standard does not know; it is kept raw.",
        "sex-unknown": "The sex is a code that is not known.",
        "status-backwards": "It would take a final result back to preliminary; it was not applied.",
        "status-differs": "The order and the report name different statuses; the report's holds.",
        "text-replaced": "Characters that no text may have were replaced.",
        "time-ambiguous": "A time occurs twice on the night the clocks go back.",
        "time-skipped": "A time does not occur on the night the clocks go forward.",
        "type-differs": "A document is not of the type that it is said to be.",
        "value-as-text": "A value could not be read as its type; it is kept as text.",
        "value-deleted": "A value was deleted by the sender.",
        "version-assumed": "The version of HL7 is not one that is known; it was read all the same.",
        "version-older": "A newer version is filed already; this one was not applied.",
    }
)


@dataclass(frozen=True, slots=True)
class FlagShown:
    """A flag as it is shown: what it means, its stable code, and the field."""

    text: str
    code: str
    address: str


def flags_shown(flags: str) -> tuple[FlagShown, ...]:
    """Return the flags that the inbox keeps, one a line, in words."""
    return tuple(_shown(line) for line in flags.split("\n") if line)


def _shown(line: str) -> FlagShown:
    code, _, address = line.partition(" ")
    text = _WORDS.get(code) or f"{code.replace('-', ' ').capitalize()}."
    return FlagShown(text, code, address)
