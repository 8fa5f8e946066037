"""Every page of a patient's letters, in each of its states."""

from collections.abc import Iterator
from dataclasses import replace

from portal_api.pages.views_letters import LetterRow, LettersView, LetterView, Words
from portal_api.pages.views_shell import Download, Shell
from tests.portal_api.pages.samples import CONTACT, moment, patient_shell

SENDER = "Dr Ngozi Okafor, Northgate Hospital"
ROWS = (
    LetterRow("/patient/letters/1", "Clinic letter", SENDER, moment(0), new=True),
    LetterRow("/patient/letters/2", "Clinic letter", SENDER, moment(60), replaced=True),
    LetterRow("/patient/letters/3", "Letter", "", None),
)
LETTER = LetterView(
    title="Clinic letter",
    sender=SENDER,
    written=moment(0),
    replaced=False,
    withdrawn=False,
    is_draft=False,
    adds_to=False,
    words=(Words("Letter", "Dear Alan\n\nThe test was fine.\n\n  Dose   20 mg"),),
    downloads=(),
    contact=CONTACT,
    write="/patient/messages/new",
)


def letter_pages() -> Iterator[tuple[str, str, Shell, object]]:
    """Every page of letters: a name, its template, its frame and its view."""
    shell = patient_shell("Letters")
    yield ("patient-letters", "patient/letters.jinja", shell, LettersView(ROWS, CONTACT))
    yield ("patient-letters-empty", "patient/letters.jinja", shell, LettersView((), CONTACT))
    yield ("patient-letter", "patient/letter.jinja", shell, LETTER)
    several = (*LETTER.words, Words("", "P.S."))
    files = (
        Download("/patient/letters/1/documents/1", "PDF, 84 KB"),
        Download("/patient/letters/1/documents/2", "PDF, 2 KB"),
    )
    marked = replace(LETTER, replaced=True, is_draft=True, adds_to=True)
    yield (
        "patient-letter-several",
        "patient/letter.jinja",
        shell,
        replace(marked, words=several, downloads=files),
    )
    yield (
        "patient-letter-withdrawn",
        "patient/letter.jinja",
        shell,
        replace(LETTER, withdrawn=True, words=(), sender="", write=""),
    )
