"""One access as a FHIR R4 AuditEvent, in the shape of IHE Basic Audit Log Patterns (BALP).

https://hl7.org/fhir/R4/auditevent.html, https://profiles.ihe.net/ITI/BALP/

The bytes that `encode` makes are the ledger's entry: hashed, stored and served as they are. They
name people by reference and say what was asked, never what was found: no patient's name, no
value, no body. The one place where a patient's identifier can stand is a search's own text.
"""

from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache

from fhir_server.access import Agent
from fhir_server.audit.participants import participants
from fhir_server.audit.subtypes import SUBTYPES, Kind
from fhir_server.audit.wording import REFERENCE, TYPE, Tree, coding, plain
from fhir_server.clock import from_micros, instant_text
from fhir_server.model import json
from fhir_server.model.ids import is_id

NONCE = "https://portal-fhir.example/StructureDefinition/audit-nonce"
NONCE_SIZE = 16
QUERY_LIMIT = 8192
"""Bytes of a search that are kept; a longer one says in its description how long it was."""

_PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_TRANSACTION = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_APPLICATION_SERVER = coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4")
_PERSON = {"type": coding(_ENTITY_TYPE, "1"), "role": coding(_OBJECT_ROLE, "1", "Patient")}
_RESOURCE = {"type": coding(_ENTITY_TYPE, "2"), "role": coding(_OBJECT_ROLE, "4")}
_QUERY = {"type": coding(_ENTITY_TYPE, "2"), "role": coding(_OBJECT_ROLE, "24", "Query")}


@dataclass(frozen=True, slots=True)
class AccessEvent:
    """One access to at most one patient's record, granted or refused.

    *subtype*: one of `Subtype`. *outcome*: `0` done, `4` refused or not possible for the caller,
    `8` failed here. *recorded*: microseconds since 1970. *patient*: an id, or empty. *entity*:
    `Observation/<id>`, `Observation/<id>/_history/2`, a bare type where there is no id (searches),
    or a name of our own. *query*: what stood behind the question mark of a search. *relationship*:
    why the agent may look, at this moment: `CareTeam/<id>`, `self`, or empty. *reason*: what the
    agent gave as a reason, or why it was refused. Raises ValueError for what can't be an access.
    """

    subtype: str
    outcome: str
    recorded: int
    agent: Agent
    request_id: str
    patient: str = ""
    entity: str = ""
    query: str = ""
    relationship: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.subtype not in SUBTYPES:
            raise ValueError("the ledger has no such subtype")
        if self.outcome not in {"0", "4", "8"}:
            raise ValueError("an outcome is 0, 4 or 8")
        if self.patient and not is_id(self.patient):
            raise ValueError("a patient is named by an id")
        if not self.agent.role.strip():
            raise ValueError("an agent has a role")


def encode(event: AccessEvent, *, id_: str, nonce: bytes, server: str = "portal-fhir") -> bytes:
    """Return *event* as the bytes of an AuditEvent with this id.

    *nonce*: 16 random bytes, so that nobody can guess an entry from its hash. *server* names this
    installation: its public address, or a machine's name. Control characters in what came from
    outside are escaped, and every text has a bound. A BALP profile is claimed only for a success
    that has all that the profile asks for.
    """
    if len(nonce) != NONCE_SIZE:
        raise ValueError("a nonce is 16 bytes long")
    kind, recorded = SUBTYPES[event.subtype], _instant(event.recorded)
    return b"".join(
        (
            b'{"resourceType":"AuditEvent","id":',
            json.encode(id_),
            b',"meta":{"versionId":"1","lastUpdated":',
            recorded,
            _profile(event, kind),
            _NONCE,
            b64encode(nonce),
            b'"}],',
            _coded(kind, event.subtype),
            b',"recorded":',
            recorded,
            b',"outcome":',
            json.encode(event.outcome),
            _described(event.reason),
            b',"agent":',
            _agents(event.agent, kind, server),
            b',"source":',
            _source(server),
            _entities(event, kind),
            b"}",
        )
    )


# An entry is put together from parts: what is the same in entry after entry is encoded once.

_NONCE = b'},"extension":[{"url":%b,"valueBase64Binary":"' % json.encode(NONCE)


@lru_cache(maxsize=16)
def _instant(recorded: int) -> bytes:
    return b'"%b"' % instant_text(from_micros(recorded)).encode()


def _members(tree: Tree) -> bytes:
    """Return the members of an object, without its brackets."""
    return json.encode(tree)[1:-1]


@lru_cache(maxsize=256)
def _coded(kind: Kind, subtype: str) -> bytes:
    type_ = coding(kind.type_system, kind.type_code, kind.type_display)
    subtypes = [coding(kind.system, subtype, kind.display)]
    return _members({"type": type_, "subtype": subtypes, "action": kind.action})


@lru_cache(maxsize=1024)
def _agents(agent: Agent, kind: Kind, server: str) -> bytes:
    return json.encode(participants(agent, kind, plain(server, 200)))


@lru_cache(maxsize=16)
def _source(server: str) -> bytes:
    observer = {"identifier": {"value": plain(server, 200)}}
    return json.encode({"observer": observer, "type": [_APPLICATION_SERVER]})


def _described(reason: str) -> bytes:
    text = plain(reason, 1000) if reason else ""
    return b',"outcomeDesc":' + json.encode(text) if text else b""


def _profile(event: AccessEvent, kind: Kind) -> bytes:
    if event.outcome != "0" or not kind.profile or not event.agent.network.strip():
        return b""
    if kind.profile != "Query":
        reference = REFERENCE.fullmatch(event.entity)
        if not reference or (kind.profile in {"Create", "Update"} and not reference[1]):
            return b""
    return _claim(("Patient" if event.patient else "") + kind.profile)


@lru_cache(maxsize=16)
def _claim(pattern: str) -> bytes:
    return b',"profile":' + json.encode([_PROFILE + pattern])


def _entities(event: AccessEvent, kind: Kind) -> bytes:
    searched = kind.profile == "Query"
    entities = []
    if (entity := plain(event.entity, 300)) and not searched:
        entities.append(_resource(entity))
    if event.query or searched:
        entities.append(json.encode(_query(event)))
    if event.patient:
        entities.append(_patient(event.patient, event.relationship))
    if request_id := plain(event.request_id, 100):
        entities.append(_REQUEST % json.encode(request_id))
    return b',"entity":[%b]' % b",".join(entities) if entities else b""


_REQUEST = b'{"what":{"identifier":{"value":%%b}},"type":%b}' % json.encode(
    {"system": _TRANSACTION, "code": "XrequestId"}
)
_REFERRED = b'{"what":{"reference":%%b},%b}' % _members(_RESOURCE)


def _resource(entity: str) -> bytes:
    if REFERENCE.fullmatch(entity):
        return _REFERRED % json.encode(entity)
    if TYPE.fullmatch(entity):
        return json.encode({"what": {"type": entity}, **_RESOURCE})
    return json.encode({"what": {"identifier": {"value": entity}}, **_RESOURCE})


def _query(event: AccessEvent) -> Tree:
    asked = f"{plain(event.entity, 300)}?{event.query}".encode(errors="backslashreplace")
    entity: Tree = dict(_QUERY)
    if len(asked) > QUERY_LIMIT:
        entity["description"] = f"The first {QUERY_LIMIT} of {len(asked)} bytes."
    entity["query"] = b64encode(asked[:QUERY_LIMIT]).decode()
    return entity


@lru_cache(maxsize=1024)
def _patient(patient: str, relationship: str) -> bytes:
    entity: Tree = {"what": {"reference": f"Patient/{patient}"}, **_PERSON}
    if relation := plain(relationship, 200):
        entity["detail"] = [{"type": "relationship", "valueString": relation}]
    return json.encode(entity)
