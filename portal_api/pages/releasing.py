"""The form by which a clinician opens a result or a letter: its reasons, and what was filled in."""

from collections.abc import Mapping

from portal_api.pages.views_shell import Choice

REASONS = (
    ("spoken", "I have spoken with the patient"),
    ("no-talk", "There is nothing in it that needs a talk first"),
    ("asked", "The patient has asked to read it before we talk"),
)
"""Why it may be opened early: the key in the form, and what the ledger keeps."""


def choices(form: Mapping[str, str]) -> tuple[Choice, ...]:
    """Return the reasons to choose from, the one that *form* names as chosen."""
    return tuple(Choice(key, text, key == form.get("reason", "")) for key, text in REASONS)


def reason_in(form: Mapping[str, str]) -> str:
    """Return the reason in *form* with what was added to it; empty where none was chosen."""
    chosen = dict(REASONS).get(form.get("reason", ""), "")
    return ". ".join(filter(None, (chosen, form.get("note", "").strip()))) if chosen else ""


def version_in(form: Mapping[str, str]) -> int:
    """Return the version that *form* was made for; 0 where it names none."""
    version = form.get("version", "")
    return int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0
