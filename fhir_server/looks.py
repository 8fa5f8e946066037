"""Looks into the record, as values: what is asked, and what finds it on a connection."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from fhir_server import prepared
from fhir_server.access import Access, Interaction, visible
from fhir_server.errors import FhirError, Forbidden, NotFound, Unavailable
from fhir_server.model.ids import is_id
from fhir_server.owed import Asked, bare_entry, entry
from fhir_server.search.audit_sql import audit_entry_by_id
from fhir_server.store import read as reading
from fhir_server.store.read import Stored, audit_event_for
from fhir_server.store.tables import resource_version


class Answer(NamedTuple):
    """What a look found, and whose records it touched."""

    found: Any
    patients: tuple[str, ...] = ()


Query = Callable[..., Sequence[Any]]
"""A statement and its parameters to its rows."""
Recognise = Callable[[Query], Access]
"""Who asks, looked up at the moment of the look. Raises FhirError (Unauthenticated)."""
Find = Callable[[Connection, Access, int], Answer]
"""Connection, caller and the present instant (microseconds) to the answer; raises FhirError."""


class Look(NamedTuple):
    """One look: what it is in the ledger's words, and *find*, whose SQL carries `visible`."""

    resource_type: str
    interaction: Interaction
    asked: Asked
    find: Find

    def asked_by(self, access: Access) -> Asked:
        """Return what the ledger keeps: of a stranger, who could name anything, only the kind."""
        return self.asked if access.agent.is_known else Asked(self.asked.subtype)


class Asking(NamedTuple):
    """A *look*, and *who* asks for it: looked up in the same go.

    *stranger* is who asks for all that is known before; of what a stranger names the ledger keeps
    nothing.
    """

    who: Recognise
    stranger: Access
    look: Look


def by(access: Access, look: Look) -> Asking:
    """Return the asking of somebody who is known already."""
    return Asking(lambda _: access, access, look)


def taken(
    look: Look, connection: Connection, access: Access, now: int
) -> tuple[Any, Sequence[bytes]]:
    """Return what *access* gets, the refusal where it is one, and the entries owed for it."""
    found: Any
    try:
        if not access.permits(look.resource_type, look.interaction):
            text = f"This token does not allow {look.interaction} on {look.resource_type}."
            raise Forbidden.of(text)
        answer = look.find(connection, access, now)
    except FhirError as refusal:
        # What was asked is kept, never what was found.
        found, told = refusal, [look.asked.failed(refusal)]
    else:
        found = answer.found
        told = [look.asked.told() | {"patient": one} for one in answer.patients or ("",)]
    return found, [entry(connection, access, now, **one) for one in told]


def recognised(asking: Asking, connection: Connection, now: int) -> tuple[Any, Sequence[bytes]]:
    """Return what `taken` does for whoever asks, who is looked up first."""
    access, look = asking.stranger, asking.look
    try:
        access = asking.who(partial(prepared.rows, connection))
        return taken(look, connection, access, now)
    except SQLAlchemyError:
        raise
    # Whatever else goes wrong is the answer, and its entry stands before it is given out.
    except Exception as error:  # noqa: BLE001
        return error, [bare_entry(access, now, **look.asked_by(access).failed(error))]


def unread(error: SQLAlchemyError, asking: Asking, now: int) -> tuple[Unavailable, Sequence[bytes]]:
    """Return the refusal where the store can't be read, and the entry owed for it."""
    found = Unavailable.of("The record can't be read now. Please try again.")
    found.__cause__ = error
    told = asking.look.asked_by(asking.stranger).failed(found)
    return found, [bare_entry(asking.stranger, now, **told)]


def at(resource_type: str, id_: str) -> Look:
    """Return the look at the current version; NotFound for what is absent or not the caller's."""

    def find(connection: Connection, access: Access, now: int) -> Answer:
        if resource_type == "AuditEvent":
            row = connection.execute(audit_entry_by_id(access, id_)).first()
            return _one(None if row is None else audit_event_for(access, row))
        return _one(reading.seen(connection, access, resource_type, id_, now))

    asked = Asked("read", f"{resource_type}/{id_}")
    return Look(resource_type, Interaction.READ, asked, _checked(id_, find))


def at_version(resource_type: str, id_: str, version: int) -> Look:
    """Return the look at one version: seen only where it and the current one may be."""

    def find(connection: Connection, access: Access, now: int) -> Answer:
        current = _one(reading.seen(connection, access, resource_type, id_, now)).found
        if current.version == version:
            return _one(current)
        seen = visible(access, resource_type, resource_version, now)
        earlier = reading.versions(resource_type, id_, seen, resource_version.c.version == version)
        return _one(reading.first(connection, earlier))

    asked = Asked("vread", f"{resource_type}/{id_}/_history/{version}")
    return Look(resource_type, Interaction.VREAD, asked, _checked(id_, find))


def at_every_version(resource_type: str, id_: str) -> Look:
    """Return the look at the versions that may be seen today, newest first."""

    def find(connection: Connection, access: Access, now: int) -> Answer:
        current = _one(reading.seen(connection, access, resource_type, id_, now)).found
        seen = visible(access, resource_type, resource_version, now)
        # What is current may be superseded before the next statement: it is there twice then.
        earlier = resource_version.c.version < current.version
        rows = connection.execute(reading.versions(resource_type, id_, seen, earlier))
        versions = (current, *map(reading.stored, rows))
        return Answer(versions, (current.patient,) if current.patient else ())

    asked = Asked("history-instance", f"{resource_type}/{id_}")
    return Look(resource_type, Interaction.HISTORY, asked, _checked(id_, find))


def _checked(id_: str, find: Find) -> Find:
    """Guard *find* against ids that this server never gives out: they are nobody's."""

    def guarded(connection: Connection, access: Access, now: int) -> Answer:
        if not is_id(id_):
            raise _absent()
        return find(connection, access, now)

    return guarded


def _one(stored: Stored | None) -> Answer:
    if stored is None:
        raise _absent()
    return Answer(stored, (stored.patient,) if stored.patient else ())


def _absent() -> NotFound:
    return NotFound.of("There is no such resource, or it is not yours to see.")
