"""People, applications and care, told to a portal by whoever runs the machine.

A clinician gets a Practitioner, a patient's login is for a Patient who is known already, and
"cares for" is a CareTeam in that patient's record. Each change is on the ledger.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from auth import clients, key_sets, public_keys
from auth.clients import Client, Kind
from auth.login import local
from auth.login.local import Login
from auth.principal import Role
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Conflict, Invalid, NotFound
from fhir_server.model import json
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber
from fhir_server.model.ids import bucket_of, derived_id, new_id
from fhir_server.model.validate import judge
from fhir_server.record import Asked, Writer
from portal_api.portal import Portal

Tree = dict[str, Any]

SHORTEST_PASSWORD = 12


async def add_account(portal: Portal, request: Tree, user: str) -> Tree:
    """Make the login `login` of a `role`, called `name`, for a `nhs_number` where it is a patient.

    Raises Invalid for a password under 12 characters, an unknown role or a number that is none,
    NotFound where the patient is not known here, Conflict where the login is taken.
    """
    role = _role(request["role"])
    if len(request["password"]) < SHORTEST_PASSWORD:
        raise Invalid.of(f"A password has at least {SHORTEST_PASSWORD} characters.")
    password_hash = await asyncio.to_thread(local.hash_password, request["password"])
    practitioner = new_id()

    def piece(writer: Writer) -> Tree:
        person = ""
        if role == Role.PATIENT:
            person = f"Patient/{_patient(writer, request['nhs_number'])}"
        if role == Role.CLINICIAN:
            person = f"Practitioner/{practitioner}"
            tree = {
                "resourceType": "Practitioner",
                "active": True,
                "name": [{"text": request["name"]}],
            }
            writer.file(judge(tree), id_=practitioner, patient="", release_at=writer.now)
        login = Login(request["login"], role, request["name"], person, request["organization"])
        local.register(writer, login, password_hash)
        return {"login": login.login, "person": person}

    entity = f"login:{request['login']}"
    made: Tree = await _submitted(portal, user, piece, entity, bucket_of(practitioner))
    return made


async def end_account(portal: Portal, request: Tree, user: str) -> bool:
    """End the login `login`: its sessions and tokens die with it."""
    login = request["login"]
    ended = _submitted(portal, user, lambda writer: local.end(writer, login), f"login:{login}")
    return bool(await ended)


async def add_client(portal: Portal, request: Tree, user: str) -> Tree:
    """Register the application `client_id`; the answer has its secret, shown this once.

    One with `keys`, or with a `jwks_url`, signs and has none. Raises Invalid for keys that can't
    be used.
    """
    known = _known_by(portal, request)
    signs = any(known.values())
    if signs and request["confidential"]:
        raise Invalid.of("An application has a secret or keys, not both.")
    kind = Kind.CONFIDENTIAL if request["confidential"] else Kind.PUBLIC
    client = Client(
        client_id=request["client_id"],
        name=request["name"],
        kind=Kind.SIGNING if signs else kind,
        redirect_uris=tuple(request["redirects"]),
        scope=request["scope"],
        origins=tuple(request["origins"]),
        **known,
    )
    entity = f"client:{client.client_id}"
    made = _submitted(portal, user, lambda writer: clients.register(writer, client), entity)
    return {"client_id": client.client_id, "secret": await made}


async def change_client_keys(portal: Portal, request: Tree, user: str) -> bool:
    """Know the application `client_id` by other keys, by its old ones no more."""
    client_id, known = request["client_id"], _known_by(portal, request)
    if sum(map(bool, known.values())) != 1:
        raise Invalid.of("Give the keys, or the address at which they stand.")
    changed = _submitted(
        portal,
        user,
        lambda writer: clients.change_keys(writer, client_id, **known),
        f"client:{client_id}",
    )
    return bool(await changed)


def _known_by(portal: Portal, request: Tree) -> dict[str, str]:
    """Return the keys of an application that signs, or where they stand."""
    keys, address = str(request.get("keys", "")), str(request.get("jwks_url", ""))
    wrong = key_sets.fault(address, loopback=portal.is_demo) if address else ""
    if wrong:
        raise Invalid.of(wrong)
    return {
        "jwks": public_keys.registrable(keys.encode()) if keys else "",
        "jwks_url": address,
    }


async def end_client(portal: Portal, request: Tree, user: str) -> bool:
    """End the application `client_id`: its tokens die with it."""
    client_id = request["client_id"]
    ended = _submitted(
        portal, user, lambda writer: clients.end(writer, client_id), f"client:{client_id}"
    )
    return bool(await ended)


async def add_care(portal: Portal, request: Tree, user: str) -> str:
    """Note that the clinician `login` cares for `nhs_number` from now on, in the team `team`.

    Raises NotFound for a login that is no clinician's, or a patient who is not known here.
    """
    number = _number(request["nhs_number"])
    patient = derived_id(portal.record.id_key, "Patient", NHS_NUMBER, number.digits)

    def piece(writer: Writer) -> str:
        _patient(writer, request["nhs_number"])
        login = local.find(writer.select, request["login"])
        if login is None or login.role != Role.CLINICIAN:
            raise NotFound.of("There is no clinician with this login.")
        id_ = derived_id(writer.id_key, "CareTeam", request["team"], bucket=bucket_of(patient))
        before = writer.current("CareTeam", id_)
        team = json.decode(before.body) if before else _team(request["team"], patient)
        _join(team, login.person)
        stored = writer.file(judge(team), id_=id_, patient=patient, release_at=writer.now).stored
        writer.audit(
            Subtype.UPDATE, patient=patient, entity=f"CareTeam/{id_}/_history/{stored.version}"
        )
        return id_

    return str(await _submitted(portal, user, piece, "CareTeam", bucket_of(patient)))


def _team(name: str, patient: str) -> Tree:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "name": name,
        "subject": {"reference": f"Patient/{patient}"},
        "participant": [],
    }


def _join(team: Tree, person: str) -> None:
    members = team.setdefault("participant", [])
    if any(one.get("member", {}).get("reference") == person for one in members):
        raise Conflict.of("They are in this team already.")
    members.append({"member": {"reference": person}})


def _role(text: str) -> Role:
    if text not in {Role.PATIENT, Role.CLINICIAN, Role.AUDITOR, Role.OPERATOR}:
        raise Invalid.of("A role is patient, clinician, auditor or operator.")
    return Role(text)


def _number(text: str) -> NhsNumber:
    number = NhsNumber.parse(text)
    if number is None:
        raise Invalid.of("This is no NHS number.")
    return number


def _patient(writer: Writer, text: str) -> str:
    patient = derived_id(writer.id_key, "Patient", NHS_NUMBER, _number(text).digits)
    if writer.current("Patient", patient) is None:
        raise NotFound.of("Nobody with this NHS number is known here.")
    return patient


async def _submitted(
    portal: Portal, user: str, piece: Callable[[Writer], Any], entity: str, *buckets: int
) -> Any:
    agent = Agent("operator", user=f"os:{user}", purpose="HOPERAT", behind=user)
    access = Access(agent, f"cli-{user}"[:64], NoRecord(), {})
    asked = Asked(Subtype.REQUEST, entity)
    return await asyncio.wrap_future(
        portal.record.submit(access, piece, buckets=buckets, asked=asked)
    )
