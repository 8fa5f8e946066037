"""Merges as an operator decides on them: one that waits is filed, one that was wrong taken back."""

import asyncio
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from adapters.hl7v2.merge_to_pairs import MERGES
from adapters.intake import inbox, replay
from adapters.intake.unmerging import unmerge as taken_back
from fhir_server.errors import Invalid
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber
from fhir_server.model.ids import derived_id, is_id
from portal_api.operating import operator_access
from portal_api.portal import Portal

Tree = dict[str, Any]

LONGEST_REASON = 200


async def merge(portal: Portal, request: Tree, user: str) -> list[Tree]:
    """File a merge that waits for a person, under its control id; say what became of it.

    Raises Invalid without a reason, and for a message that joins no records.
    """
    reason, control_id = reason_in(str(request["reason"])), str(request["control_id"])
    rows = await asyncio.to_thread(inbox.trace, portal.record, control_id)
    if not all(map(joins, rows)):
        raise Invalid.of("The message with this control id joins no records.")
    agreed = await asyncio.to_thread(portal.feeds.reread)
    access = operator_access(user)
    done = await asyncio.to_thread(replay.replay, portal.record, access, agreed, control_id, reason)
    return [asdict(one) | {"made": list(one.made)} for one in done]


async def unmerge(portal: Portal, request: Tree, user: str) -> Tree:
    """Take a merge back: of the retired patient, by id or NHS number; say what was written."""
    reason = reason_in(str(request["reason"]))
    patient = _patient(portal, str(request["patient"]))
    access = operator_access(user)
    done = await asyncio.to_thread(taken_back, portal.record, access, patient, reason)
    return {
        "into": done.into,
        "written": list(done.written),
        "filed_meanwhile": list(done.filed_meanwhile),
    }


def joins(row: Row[Any]) -> bool:
    """Tell whether the message in this row of the inbox joins records."""
    return row.message_type in {f"ADT^{event}" for event in MERGES}


def reason_in(text: str) -> str:
    """Return the reason that somebody gave. Raises Invalid where they gave none."""
    reason = " ".join(text.split())[:LONGEST_REASON]
    if not reason:
        raise Invalid.of("Say why: the ledger keeps it.", code="required")
    return reason


def _patient(portal: Portal, text: str) -> str:
    if is_id(text):
        return text
    number = NhsNumber.parse(text)
    if number is None:
        raise Invalid.of("Name the retired patient by the id of their record, or by NHS number.")
    return derived_id(portal.record.id_key, "Patient", NHS_NUMBER, number.digits)
