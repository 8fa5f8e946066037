"""An entry's columns, made from its bytes: what the ledger can be searched by, and nothing more."""

from base64 import b64decode
from datetime import datetime
from functools import cache
from typing import NamedTuple

from fhir_server.clock import micros
from fhir_server.model import json

_PATIENT, _QUERY, _RESOURCE, _TRANSACTION = "1/1", "2/24", "2/4", "XrequestId/"
_WITH_PERSON = 3
"""Agents where a person acted: the person, the application, the server; else two."""


class Columns(NamedTuple):
    """The columns of `audit_entry` between seq and body, in their order."""

    id: str
    recorded: int
    patient: str
    agent: str
    client: str
    subtype: str
    outcome: str
    entity_type: str
    entity: str
    request_id: str


def columns(body: bytes) -> Columns:
    """Return what the columns say of this AuditEvent; an empty text where the entry does not say.

    The offline verifier derives the same columns by itself. Raises ValueError or IndexError for
    bytes that `event.encode` can't have made.
    """
    event = _reader()(body)
    entities = {f"{one.type.code}/{one.role.code}": one for one in event.entity}
    patient = entities[_PATIENT].what.reference if _PATIENT in entities else ""
    entity_type, entity = _entity(entities)
    return Columns(
        id=event.id,
        recorded=micros(datetime.fromisoformat(event.recorded)),
        patient=patient.removeprefix("Patient/"),
        agent=event.agent[0].who.name if len(event.agent) == _WITH_PERSON else "",
        client=event.agent[-2].who.name,
        subtype=event.subtype[0].code,
        outcome=event.outcome,
        entity_type=entity_type,
        entity=entity,
        request_id=entities[_TRANSACTION].what.name if _TRANSACTION in entities else "",
    )


# The elements of an AuditEvent that the columns are made of; everything else is passed over.


class _Coding(json.Shape, frozen=True):
    code: str = ""


class _Identifier(json.Shape, frozen=True):
    value: str = ""


class _Reference(json.Shape, frozen=True):
    reference: str = ""
    type: str = ""
    identifier: _Identifier = _Identifier()

    @property
    def name(self) -> str:
        return self.reference or self.identifier.value


class _Agent(json.Shape, frozen=True):
    who: _Reference


class _Entity(json.Shape, frozen=True):
    type: _Coding
    role: _Coding = _Coding()
    what: _Reference = _Reference()
    query: str = ""


class _Event(json.Shape, frozen=True):
    id: str
    recorded: str
    outcome: str
    subtype: list[_Coding]
    agent: list[_Agent]
    entity: tuple[_Entity, ...] = ()


_reader = cache(lambda: json.reader(_Event))


def _entity(entities: dict[str, _Entity]) -> tuple[str, str]:
    if resource := entities.get(_RESOURCE):
        what = resource.what
        return what.reference.partition("/")[0] or what.type, what.name
    if query := entities.get(_QUERY):
        return b64decode(query.query).decode(errors="replace").partition("?")[0], ""
    return "", ""
