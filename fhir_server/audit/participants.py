"""The agents of an AuditEvent: the person, the application and this server, as IHE BALP has them.

https://profiles.ihe.net/ITI/BALP/content.html and the profile ITI.BasicAudit.OAUTHaccessTokenUse
"""

from fhir_server.access import Agent
from fhir_server.audit.subtypes import Kind
from fhir_server.audit.wording import DCM, REFERENCE, Tree, code, coding, filled, plain

ORGANIZATION = "https://portal-fhir.example/StructureDefinition/audit-organization"
"""Extension of an agent: the organisation for which it acted, an ODS code where there is one."""
ROLE = "https://portal-fhir.example/CodeSystem/agent-role"

_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_CUSTODIAN = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_MACHINE_NAME, _IP_ADDRESS, _URI = "1", "2", "5"
_WRITES = frozenset({"C", "U", "D"})

_SOURCE = {"coding": [coding(DCM, "110153", "Source Role ID")]}
_DESTINATION = {"coding": [coding(DCM, "110152", "Destination Role ID")]}
_TRANSFER = {
    "R": (_DESTINATION, _SOURCE),
    "D": ({"coding": [coding(DCM, "110150")]}, {"coding": [coding(_CUSTODIAN, "custodian")]}),
}
"""Action to how the application and the server stand to each other: a read flows to the reader."""
_AUTHOR = {"coding": [coding(_PARTICIPATION, "AUT")]}
_RECIPIENT = {"coding": [coding(_PARTICIPATION, "IRCP")]}


def participants(agent: Agent, kind: Kind, server: str) -> list[Tree]:
    """Return the agents: the person first, if there is one, then the application, then *server*.

    Exactly one is the requestor: the person, else the application. It carries the role, the
    token's public id and, as `altId`, the operating-system user behind a token of the command
    line. A patient's name is left out.
    """
    sends, receives = _TRANSFER.get(kind.action, (_SOURCE, _DESTINATION))
    network = _network(plain(agent.network, 100), _IP_ADDRESS)
    recorder = {
        "type": receives,
        "who": {"identifier": {"value": server}},
        "requestor": False,
        "network": _network(server, _URI if "://" in server else _MACHINE_NAME),
    }
    if not agent.user.strip():
        application = _requestor(agent, sends, _application(agent), name="", network=network)
        return [application, recorder]
    application = {"type": sends, "who": _application(agent), "requestor": False}
    if network:
        application["network"] = network
    part = _AUTHOR if kind.action in _WRITES else _RECIPIENT
    return [
        _requestor(agent, part, _who(agent), name=_name(agent), network={}),
        application,
        recorder,
    ]


def _requestor(agent: Agent, type_: Tree, who: Tree, *, name: str, network: Tree) -> Tree:
    return filled(
        {
            "extension": _organization(agent),
            "type": type_,
            "role": [{"coding": [{"system": ROLE, "code": code(agent.role, 50)}]}],
            "who": who,
            "altId": plain(agent.behind, 200),
            "name": name,
            "requestor": True,
            "policy": _policy(agent),
            "network": network,
            "purposeOfUse": _purpose(agent),
        }
    )


def _who(agent: Agent) -> Tree:
    user = plain(agent.user, 200)
    return {"reference": user} if REFERENCE.fullmatch(user) else {"identifier": {"value": user}}


def _name(agent: Agent) -> str:
    is_patient = agent.role == "patient" or agent.user.startswith("Patient/")
    return "" if is_patient else plain(agent.name, 200)


def _application(agent: Agent) -> Tree:
    client = plain(agent.client, 200)
    return {"identifier": {"value": client}} if client else {"display": "not named"}


def _organization(agent: Agent) -> list[Tree]:
    organization = plain(agent.organization, 200)
    return [{"url": ORGANIZATION, "valueString": organization}] if organization else []


def _policy(agent: Agent) -> list[str]:
    token_id = code(agent.token_id, 100)
    return [f"urn:ietf:params:oauth:jti:{token_id}"] if token_id else []


def _purpose(agent: Agent) -> list[Tree]:
    purpose = code(agent.purpose, 50)
    return [{"coding": [{"system": _ACT_REASON, "code": purpose}]}] if purpose else []


def _network(address: str, kind: str) -> Tree:
    return {"address": address, "type": kind} if address else {}
