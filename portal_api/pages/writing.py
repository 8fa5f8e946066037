"""Forms to write messages with: a fresh one, and one that comes back with what is wrong."""

from collections.abc import Mapping
from dataclasses import replace

from fhir_server.errors import FhirError
from fhir_server.message_text import LONGEST, LONGEST_SUBJECT, plain
from fhir_server.model.ids import is_id, new_id
from portal_api.care_team import Team
from portal_api.pages.views_shell import Choice, FormError, WritingBox


def fresh(
    action: str, *, subject: str = "", teams: tuple[Team, ...] = (), asks: bool
) -> WritingBox:
    """Return an empty form; *asks* for a subject at the beginning of a conversation."""
    choices = tuple(Choice(team.id, team.name) for team in teams)
    return WritingBox(action, new_id(), subject=subject, asks_subject=asks, teams=choices)


def written(box: WritingBox, form: Mapping[str, str]) -> WritingBox:
    """Return *box* with what *form* says in it, cleaned, and with an error for each wrong field."""
    draft, team = form.get("draft", ""), form.get("team", "")
    filled = replace(
        box,
        draft=draft if is_id(draft) else box.draft,
        text=plain(form.get("text", "")),
        subject=" ".join(plain(form.get("subject", "")).split()) if box.asks_subject else "",
        teams=tuple(replace(one, chosen=one.value == team) for one in box.teams),
    )
    return replace(filled, errors=tuple(_errors(filled)))


def chosen_team(box: WritingBox) -> str:
    """Return the id of the team that was chosen; empty for none."""
    return next((one.value for one in box.teams if one.chosen), "")


def refused(box: WritingBox, error: FhirError) -> WritingBox:
    """Return *box* with what the rules of messages had against it, beside the field it is about."""
    fields = {"Communication.topic": "subject", "Communication.recipient": "team"}
    errors = [
        FormError(
            next(
                (field for path, field in fields.items() if one.expression.startswith(path)), "text"
            ),
            one.text,
        )
        for one in error.issues
    ]
    return replace(box, errors=tuple(errors))


def _errors(box: WritingBox) -> list[FormError]:
    errors = []
    if box.teams and not chosen_team(box):
        errors.append(FormError("team", "Choose which team it is for"))
    if box.asks_subject and not box.subject:
        errors.append(FormError("subject", "Write what it is about"))
    if len(box.subject) > LONGEST_SUBJECT:
        errors.append(FormError("subject", f"Use {LONGEST_SUBJECT} characters or fewer here"))
    if not box.text:
        errors.append(FormError("text", "Write your message"))
    if len(box.text) > LONGEST:
        over = f"Your message is too long by {len(box.text) - LONGEST} characters"
        errors.append(FormError("text", over))
    return errors
