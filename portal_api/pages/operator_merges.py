"""Merges: two records side by side, and joining, setting aside or parting them, asked once more."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from adapters.hl7v2.merge_to_pairs import BY_HAND, MERGES
from adapters.intake.merge_sides import Side, Sides
from auth.principal import Role
from fhir_server.errors import Invalid, Unprocessable
from fhir_server.model.identifiers import NHS_NUMBER
from portal_api import joining, merge_review
from portal_api.error_queue import Chosen, Clerk
from portal_api.merge_review import Review
from portal_api.pages.desk import Desk, Visit, answer, done, endpoint
from portal_api.pages.operator_trace import MERGES_AT, message_row
from portal_api.pages.views_merges import Compared, ConfirmView, MergeView, PairShown
from portal_api.pages.views_shell import FormError

Tree = Mapping[str, Any]

_PLACE = MERGES_AT + "/{feed}/{mark}"
_WORDS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "join": (
        "Join the records?",
        "Yes, join them",
        (
            "All that is in the record on the right is shown as the left one’s from then on.",
            "Whoever may see the one sees both.",
            "Nothing is moved, and you can take it back on this page.",
        ),
    ),
    "aside": (
        "Set this merge aside?",
        "Yes, set it aside",
        (
            "The records stay two. The message is kept, and can be put back into the queue.",
            "Its sender is not told: speak to them, if their records are to be put right.",
        ),
    ),
    "part": (
        "Part the records again?",
        "Yes, part them",
        (
            "They are two records again, each with what was filed under its own numbers.",
            "What came while they were one stays with the record on the left: look through it.",
        ),
    ),
}
"""By what is decided: the title of the page that asks once more, its button, and what it says."""

_EACH_THEIR_OWN = frozenset({"Other numbers", "Record"})
"""What two records of one person may well have each of its own."""

_SAID = {"join": "joined", "aside": "merge-aside", "part": "parted"}


def routes(desk: Desk) -> APIRouter:
    """Return the routes of merges."""
    router = APIRouter()
    for path, method, handler in (
        (_PLACE, "GET", show),
        (_PLACE + "/check", "POST", check),
        (_PLACE + "/done", "POST", decide),
    ):
        served = endpoint(desk, Role.OPERATOR, handler)
        router.add_route(path, served, [method], include_in_schema=False)
    return router


async def show(desk: Desk, visit: Visit) -> Response:
    """Answer with both records; the look is on the ledger first, for each of the two."""
    return await _shown(desk, visit)


async def check(desk: Desk, visit: Visit) -> Response:
    """Answer with what is about to be done; without a reason, say so beside it."""
    decision, reason = _decision(visit), visit.form.get("reason", "")
    try:
        why = joining.reason_in(reason)
    except Invalid as error:
        return await _shown(desk, visit, (FormError("reason", error.issues[0].text),), reason)
    found = await run_in_threadpool(merge_review.review, _clerk(desk, visit), *_named(visit))
    title, button, sentences = _WORDS[decision]
    patient = visit.form.get("patient", "")
    pairs = [pair for pair in _pairs(found) if decision != "part" or pair.retired == patient]
    view = ConfirmView(
        title=title,
        sentences=sentences,
        pairs=tuple(pairs),
        button=button,
        action=f"{_place(visit)}/done",
        fields=(("decision", decision), ("patient", patient), ("reason", why)),
        back=_place(visit),
        reason=why,
    )
    return answer(desk, visit, "operator/merge_check.jinja", view)


async def decide(desk: Desk, visit: Visit) -> Response:
    """Do what was decided, and lead back to the merge."""
    decision, reason = _decision(visit), visit.form.get("reason", "")
    clerk, chosen = _clerk(desk, visit), Chosen(*_named(visit))
    if decision == "join":
        outcome = await run_in_threadpool(merge_review.join, clerk, chosen, reason)
        if outcome.fate != "filed":
            return await _shown(desk, visit, (FormError("reason", outcome.reason),), reason)
    elif decision == "aside":
        await run_in_threadpool(merge_review.set_aside, clerk, chosen, reason)
    else:
        patient = visit.form.get("patient", "")
        await run_in_threadpool(merge_review.part, clerk, chosen, patient, reason)
    return done(_place(visit), _SAID[decision])


async def _shown(
    desk: Desk, visit: Visit, errors: tuple[FormError, ...] = (), reason: str = ""
) -> Response:
    found = await run_in_threadpool(merge_review.review, _clerk(desk, visit), *_named(visit))
    row = found.row
    event = row.message_type.removeprefix("ADT^")
    view = MergeView(
        row=message_row(row),
        meaning={**MERGES, **BY_HAND}.get(event, ""),
        asked_by=", ".join(filter(None, (*found.entered_by, found.organization or row.feed))),
        pairs=_pairs(found),
        waits=found.waits,
        can_join=found.can_join,
        action=_place(visit),
        reason=reason,
        errors=errors,
    )
    return answer(desk, visit, "operator/merge.jinja", view, 422 if errors else 200)


def _decision(visit: Visit) -> str:
    decision = visit.form.get("decision", "")
    if decision not in _WORDS:
        raise Unprocessable.of("Choose what is to be done.")
    return decision


def _clerk(desk: Desk, visit: Visit) -> Clerk:
    return Clerk(visit.caller.record, visit.caller.access, desk.feeds())


def _named(visit: Visit) -> tuple[str, str]:
    return visit.path["feed"], visit.path["mark"]


def _place(visit: Visit) -> str:
    feed, mark = _named(visit)
    return f"{MERGES_AT}/{quote(feed)}/{quote(mark)}"


def _pairs(found: Review) -> tuple[PairShown, ...]:
    return tuple(map(_pair, found.pairs))


def _pair(pair: Sides) -> PairShown:
    stays, retired = _details(pair.stays), _details(pair.retired)
    rows = [
        Compared(
            label,
            stays[label],
            retired[label],
            label not in _EACH_THEIR_OWN and _differ(stays[label], retired[label]),
        )
        for label in stays
        if stays[label] or retired[label]
    ]
    notes = [
        *_notes("to stay", pair.stays),
        *_notes("to be retired", pair.retired),
        *(("They are one record today.",) if pair.joined else ()),
    ]
    return PairShown(
        rows=tuple(rows),
        stays=pair.stays.patient,
        retired=pair.retired.patient,
        notes=tuple(notes),
        joined=pair.joined,
    )


def _notes(which: str, side: Side) -> list[str]:
    notes = []
    if not side.patient:
        notes.append(
            f"Whoever is {which} is not known here: what is shown is what the message says."
        )
    if side.others:
        many = f"{side.others} more record{'s' if side.others > 1 else ''}"
        notes.append(f"The numbers of whoever is {which} are those of {many}, too.")
    return notes


def _differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not one or not other:
        return False
    return {text.casefold() for text in one} != {text.casefold() for text in other}


def _details(side: Side) -> dict[str, tuple[str, ...]]:
    """Return what is compared, by label: as the person stands, else as the message names them."""
    tree = side.known or side.named
    numbers = tree.get("identifier", ())
    nhs = [one for one in numbers if one.get("system") == NHS_NUMBER]
    return {
        "Name": tuple(filter(None, map(_name, tree.get("name", ())))),
        "Born": tuple(map(_day, filter(None, (tree.get("birthDate", ""),)))),
        "Sex": tuple(filter(None, (tree.get("gender", ""),))),
        "Died": (tree.get("deceasedDateTime") or "yes",) if _is_dead(tree) else (),
        "NHS number": tuple(map(_number, nhs)),
        "Other numbers": tuple(_number(one) for one in numbers if one not in nhs),
        "Address": tuple(filter(None, map(_address, tree.get("address", ())))),
        "Record": (side.patient,) if side.patient else (),
    }


def _day(text: str) -> str:
    """Return a whole date in words; one without a day or a month as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"


def _is_dead(tree: Tree) -> bool:
    return bool(tree.get("deceasedBoolean") or tree.get("deceasedDateTime"))


def _name(name: Tree) -> str:
    parts = (*name.get("prefix", ()), *name.get("given", ()), name.get("family", ""))
    return " ".join(filter(None, parts)) or str(name.get("text", ""))


def _number(identifier: Tree) -> str:
    assigner = identifier.get("assigner", {}).get("display", "")
    retired = "no longer used" if identifier.get("use") == "old" else ""
    more = ", ".join(filter(None, (assigner, retired)))
    return f"{identifier.get('value', '')} ({more})" if more else str(identifier.get("value", ""))


def _address(address: Tree) -> str:
    parts = (*address.get("line", ()), address.get("city", ""), address.get("postalCode", ""))
    return ", ".join(filter(None, parts)) or str(address.get("text", ""))
