"""Every stable code that a message can meet, with what it means to whoever sent the message.

A fault is named in ERR-5 of the answer, beside a number of table 0357; a flag is kept with a
message that was taken all the same; a hold keeps a result from the patient for some days, or until
a person has looked.
The tests compare these tables with what the code raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FaultCode:
    """What a fault means, the numbers of table 0357 that go with it, and the answer.

    *answer* is that of original mode: AE (kept, to be corrected), AR (not taken), AA where the
    feed may choose it, or nothing where there is no answer at all.
    """

    answer: str
    numbers: tuple[int, ...]
    meaning: str


FAULTS: Mapping[str, FaultCode] = MappingProxyType(
    {
        "appointment-number-missing": FaultCode(
            "AE", (101,), "SCH-1 and SCH-2 do not number the appointment."
        ),
        "appointment-other-patient": FaultCode(
            "AE", (205,), "The appointment's number was filed for another person before."
        ),
        "appointment-time-missing": FaultCode(
            "AE", (101,), "Nothing says when the appointment is."
        ),
        "appointments-several": FaultCode("AE", (100,), "More than one SCH stands in a message."),
        "availability-unknown": FaultCode(
            "AE", (103,), "TXA-19 does not say whether the document may be used."
        ),
        "batch-unexpected": FaultCode(
            "AR", (200,), "A batch, or several messages in one, came from a feed without batches."
        ),
        "busy": FaultCode("AR", (207,), "Nothing can be kept now; send the message again."),
        "charset-unreadable": FaultCode(
            "AE", (102,), "The bytes are no text in the declared character set."
        ),
        "charset-utf16": FaultCode("AR", (102,), "UTF-16 and UTF-32 can't be framed."),
        "completion-unknown": FaultCode("AE", (103,), "TXA-17 has no meaning in table 0271."),
        "control-id-missing": FaultCode("AE", (101,), "MSH-10 is empty."),
        "control-id-reused": FaultCode(
            "AE", (205,), "The control id came before with other content."
        ),
        "date-bad": FaultCode("AE", (102,), "A date can't be believed, or is in no agreed form."),
        "date-missing": FaultCode("AE", (101,), "Nothing says when the message was sent."),
        "delimiters-bad": FaultCode("AR", (102,), "MSH-1 and MSH-2 are no set of delimiters."),
        "document-broken": FaultCode(
            "AE", (102,), "An embedded document can't be decoded, or is cut short."
        ),
        "document-missing": FaultCode("AE", (101,), "The letter holds no document."),
        "document-number-missing": FaultCode("AE", (101,), "TXA-12 does not number the document."),
        "document-other-patient": FaultCode(
            "AE", (205,), "The document's number was filed for another person before."
        ),
        "documents-several": FaultCode("AE", (100,), "More than one TXA stands in a message."),
        "fault": FaultCode("AE", (207,), "A fault of the portal's own; the message is kept."),
        "field-too-large": FaultCode("AE", (102,), "A segment or a field has too many parts."),
        "frame-cut": FaultCode("", (102,), "The next message began before this one ended."),
        "frame-too-large": FaultCode("AR", (102,), "The message is larger than was agreed."),
        "frame-unfinished": FaultCode("", (102,), "The connection ended before the message did."),
        "header-missing": FaultCode("AR", (100,), "The message does not begin with MSH."),
        "identity-conflict": FaultCode(
            "AA", (204,), "The person disagrees with the one who is known by this identifier."
        ),
        "identity-missing": FaultCode("AE", (101,), "PID-3 holds no identifier."),
        "identity-rule": FaultCode(
            "AE", (101,), "The person lacks what this feed has agreed to send of everybody."
        ),
        "identity-unclear": FaultCode(
            "AE", (101, 204), "The identifiers do not tell which person is meant."
        ),
        "merge-by-hand": FaultCode(
            "AA", (204,), "A record would be parted, or lose a number: a person has to do it."
        ),
        "merge-circle": FaultCode(
            "AA", (204,), "Whoever is to stay was merged into the one who is to be retired."
        ),
        "merge-conflict": FaultCode(
            "AA", (204,), "The two may be different people, or somebody may sign in to the retired."
        ),
        "merge-empty": FaultCode("AE", (100,), "A PID has no MRG, so nobody is retired."),
        "merge-itself": FaultCode("AE", (204,), "Somebody would be merged into themselves."),
        "merge-not-agreed": FaultCode("AA", (204,), "The feed has no right to join records."),
        "message-empty": FaultCode("AE", (100,), "The message lacks the segment that it is about."),
        "message-too-large": FaultCode("AE", (102,), "The message has too many segments."),
        "name-deleted": FaultCode("AE", (101,), "PID-5 would leave somebody without a name."),
        "nhs-number-bad": FaultCode("AE", (102,), "An NHS number fails its check digit."),
        "not-for-us": FaultCode("AR", (103,), "No feed has these names in MSH-3 to MSH-6."),
        "not-human": FaultCode("AE", (103,), "PID-35 names the species of an animal."),
        "not-production": FaultCode("AR", (202,), "The feed does not take this value of MSH-11."),
        "number-not-synthetic": FaultCode(
            "AR", (103,), "A portal for synthetic people was sent somebody who may exist."
        ),
        "order-not-a-test": FaultCode(
            "AE", (100,), "The order is for medicines, diets or goods, not for a test."
        ),
        "order-number-missing": FaultCode("AE", (101,), "The order has no number of its own."),
        "order-other-patient": FaultCode(
            "AE", (205,), "The order's number was filed for another person before."
        ),
        "patients-several": FaultCode("AE", (100,), "The message is about more than one person."),
        "peer-limit": FaultCode("AR", (102,), "Too many unfinished messages are held at once."),
        "raw-incomplete": FaultCode("AR", (102,), "Only the beginning of the message was kept."),
        "resource-invalid": FaultCode("AE", (102,), "What the message says is not valid as FHIR."),
        "segment-broken": FaultCode("AE", (100,), "A line end has cut a segment."),
        "segment-order": FaultCode("AE", (100,), "A segment stands out of order."),
        "sex-unknown": FaultCode("AE", (103,), "PID-8 is no code of table 0001."),
        "source-unknown": FaultCode("AR", (103,), "No feed takes messages from this address."),
        "status-missing": FaultCode("AE", (101,), "A status is empty, and no default is agreed."),
        "status-unknown": FaultCode("AE", (103,), "A status is in no table, or means nothing."),
        "test-missing": FaultCode("AE", (101,), "Nothing says what was ordered, or observed."),
        "type-unsupported": FaultCode("AR", (200, 201), "This type of message is not taken."),
        "value-missing": FaultCode(
            "AE", (204,), "A status came without its value (OBX-11 U), and none is stored."
        ),
        "version-unknown": FaultCode("AR", (203,), "MSH-12 is no version of HL7 v2."),
    }
)
"""Why a message is set aside or refused."""

OF_BUNDLES: Mapping[str, FaultCode] = MappingProxyType(
    {
        "content-unsupported": FaultCode(
            "AE", (103,), "Something stands in a resource that can't be filed, nor passed over."
        ),
        "document-differs": FaultCode(
            "AE", (103,), "A document is taken back or unfinished, and its report is not."
        ),
        "entry-unplaced": FaultCode("AE", (100,), "No report of the Bundle names this result."),
        "full-url-twice": FaultCode("AE", (205,), "Two entries of the Bundle have one fullUrl."),
        "json-bad": FaultCode("AR", (102,), "The body is no JSON that has one meaning alone."),
        "reference-circle": FaultCode("AE", (100,), "A group of results is a member of itself."),
        "reference-outside": FaultCode(
            "AE", (204,), "A reference leads to nothing that is in the Bundle."
        ),
        "request-unsupported": FaultCode(
            "AR", (200,), "An entry asks for what a hospital can't do here."
        ),
        "result-shared": FaultCode("AE", (205,), "Two reports of the Bundle name one result."),
        "subject-missing": FaultCode(
            "AE", (101,), "A resource does not say that it is about the Bundle's Patient."
        ),
    }
)
"""Why a Bundle is, beside what it has in common with other messages."""

FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "appointment-status-unread": "SCH-25 is in no table; the event says how it stands.",
        "appointment-times-differ": "SCH-11 and TQ1-7 name two times; TQ1-7 is meant.",
        "batch-count": "BTS-1 or FTS-1 does not count what the batch holds.",
        "cancel-unseen": "Something is cancelled that never came.",
        "charset-guessed": "Nothing names the character set; it was found out.",
        "charset-mismatch": "The text is not in the character set that is named.",
        "charset-unknown": "MSH-18 is no name of a character set.",
        "correction-first": "A correction came, and nothing that it corrects.",
        "date-order": "The end of a time lies before its beginning; the beginning is used.",
        "date-unread": "A date beside the result can't be read, and is left out.",
        "death-denied": "Somebody who is known to have died would live; nothing is changed.",
        "delete-unseen": "A result is taken back that never came.",
        "delimiters-doubled": "MSH-2 has its escape twice; the usual delimiters are meant.",
        "delimiters-short": "MSH-2 names fewer delimiters than it should.",
        "demographics-not-agreed": "The feed has no right to change who somebody is; it is kept.",
        "document-active": "A document holds something that could run.",
        "document-elsewhere": "A document is only pointed to; it can't be shown.",
        "document-empty": "A document is announced and is not there.",
        "document-lines": "A document came in several lines; they were joined.",
        "document-withdrawn": "A document that came before is taken back.",
        "frame-no-cr": "The frame does not end with FS and CR.",
        "identifier-unplaced": "An identifier does not say who gave it out (PID-3.4).",
        "identity-differs": "Name or sex is not that of the person known.",
        "identity-split": "The local number was filed without an NHS number before.",
        "issued-assumed": "OBR-22 is no time; MSH-7 stands in for it.",
        "note-unplaced": "A note stands where it belongs to nothing; the raw message keeps it.",
        "obx-conflict": "A result comes twice in the message for one time, with two values.",
        "obx-twice": "A result comes twice in the message, with the same value.",
        "order-answered": "The order has its result already; this message changes nothing of it.",
        "order-control-missing": "ORC-1 does not say what is to become of the order.",
        "parent-missing": "TXA-13 does not say which document is replaced or added to.",
        "parent-unseen": "The result of which this is a part is not in the message.",
        "person-unknown": "Somebody unknown here is not kept on the word of this event.",
        "pointer-unread": "The address of a document can't be read.",
        "result-lost": "A final report leaves out a result that came before; it stays.",
        "segment-ends": "Segments end with LF, or CR and LF, and not with CR.",
        "segment-form": "The name of a segment has blanks or small letters.",
        "segment-unknown": "A segment is of no version of HL7 v2; it is kept raw.",
        "status-backwards": "A report that was final would become less; it stays final.",
        "status-differs": "The report's status and those of its results do not fit together.",
        "text-replaced": "A character that no text may hold was replaced.",
        "time-ambiguous": "The time comes twice, as the clocks go back; the first is meant.",
        "time-skipped": "The time does not exist, as the clocks go forward.",
        "type-differs": "A document is of another type than was announced.",
        "value-as-text": "A value is not of the type that OBX-2 says; it is kept as text.",
        "value-deleted": "The value is taken away by two quotation marks.",
        "version-assumed": "MSH-12 is empty, or names a version after 2.8.2.",
        "version-older": "A later version of the report is stored already; this one is kept raw.",
    }
)
"""What a person should know of a message that was taken all the same."""

FLAGS_OF_BUNDLES: Mapping[str, str] = MappingProxyType(
    {
        "entry-kept": "An entry is of no use here by itself; the message keeps it.",
        "reference-cut": "A reference leads to nothing that is kept; what it says in words stays.",
    }
)
"""What a person should know of a Bundle, beside what it has in common with other messages."""

HOLDS: Mapping[str, str] = MappingProxyType(
    {
        "access-checks": "OBX-13 asks for checks before anybody sees the result.",
        "document-active": FLAGS["document-active"],
        "document-elsewhere": FLAGS["document-elsewhere"],
        "laboratory-withholds": "OBX-26 asks to withhold the result.",
        "obx-conflict": FLAGS["obx-conflict"],
        "security-label": "The message or the order is marked as confidential (MSH-26, ORC-28).",
        "type-differs": FLAGS["type-differs"],
        "code-unmapped": "The test has no code in SNOMED CT or LOINC, and no meaning was agreed.",
        "preliminary": "The report is preliminary.",
        "unverified": "The report is not verified.",
        "histology": "The report is of cellular pathology.",
        "imaging": "The report is of imaging.",
        "identity-unknown": "The sender does not know the person (PID-31), or they have died.",
    }
)
"""Why results wait until a person has looked, or for some days."""


ABSENT: Mapping[str, str] = MappingProxyType(
    {
        "nhs-number-absent": "No NHS number: only the hospital's own number tells who it is.",
        "birth-date-absent": "No birth date confirms who the person is.",
        "name-absent": "No name confirms who the person is.",
        "sex-absent": "PID-8 is empty.",
    }
)
"""What would help to tell whose result it is, and is not there."""


def meaning(code: str) -> str:
    """Return what a stable code means; empty for one that is none."""
    fault = FAULTS.get(code) or OF_BUNDLES.get(code)
    if fault:
        return fault.meaning
    return FLAGS.get(code) or FLAGS_OF_BUNDLES.get(code) or HOLDS.get(code, "")
