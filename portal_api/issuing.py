"""Tokens for whoever runs the machine: `portal-fhir token --as …`.

What a token opens is what its holder could open; that an operating-system user made it is on the
ledger, with every entry made through it.
"""

import asyncio
from typing import Any

from auth import clients, granting, tokens
from auth.login import local
from auth.principal import Role
from auth.tokens import COMMAND_LINE, Holder
from fhir_server.access import Access, Agent, NoRecord
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Forbidden, Invalid, NotFound
from fhir_server.model.identifiers import NHS_NUMBER, NhsNumber
from fhir_server.model.ids import derived_id
from fhir_server.record import Asked, Writer
from portal_api.portal import Portal

Tree = dict[str, Any]

_OF_PEOPLE = {
    "patient": Role.PATIENT,
    "clinician": Role.CLINICIAN,
    "auditor": Role.AUDITOR,
    "operator": Role.OPERATOR,
}
_ANYWHERE = frozenset({"client", "operator"})
"""Those who get a token outside the demonstration, too: they are not let into a person's record."""


async def issue(portal: Portal, request: Tree, user: str) -> Tree:
    """Return a token for `request["as"]` with its scope.

    That is `client:<id>` or `operator:<login>`, who needs no scope; in demo mode other people, too.
    Raises Forbidden for a person outside demo mode, NotFound for a holder who does not exist,
    Invalid for a scope that means nothing for them.
    """
    kind, _, name = str(request["as"]).partition(":")
    scope = str(request["scope"])
    if kind not in _ANYWHERE and not portal.is_demo:
        raise Forbidden.of(
            "Outside the demonstration, tokens are for applications and operators: "
            "client:<id>, operator:<login>."
        )

    def piece(writer: Writer) -> Tree:
        holder, registered = _holder(writer, kind, name, user)
        # What an operator may ask of the portal's own interface is no matter of scopes.
        of_api = holder.role == Role.OPERATOR and not scope
        granted = "" if of_api else str(granting.by_operator(scope, holder.role, registered))
        text = tokens.issue_for_operator(writer, holder, granted)
        writer.audit(
            Subtype.GRANT,
            patient=holder.patient,
            entity=f"client:{holder.client_id}",
            reason="token",
        )
        return {
            "access_token": text,
            "token_type": "Bearer",
            "expires_in": tokens.ACCESS_LIFE // tokens.SECOND,
            "scope": granted,
        } | ({"patient": holder.patient} if holder.patient else {})

    agent = Agent("operator", user=f"os:{user}", purpose="HOPERAT", behind=user)
    access = Access(agent, f"cli-{user}"[:64], NoRecord(), {})
    asked = Asked(Subtype.GRANT, f"{kind}:{name}"[:200] if kind != "patient" else "patient")
    return await asyncio.wrap_future(portal.record.submit(access, piece, asked=asked))


def _holder(writer: Writer, kind: str, name: str, user: str) -> tuple[Holder, str | None]:
    """Return for whom the token is, and the most that an application may have."""
    if kind == "client":
        client = clients.find(writer.select, name)
        if client is None:
            raise NotFound.of(f"There is no application {name[:64]}.")
        return Holder(Role.CLIENT, client.client_id, behind=user), client.scope
    if kind == "patient":
        patient = _patient(writer, name)
        person = f"Patient/{patient}"
        return Holder(Role.PATIENT, COMMAND_LINE, person=person, patient=patient, behind=user), None
    if kind not in _OF_PEOPLE:
        raise Invalid.of(
            "A token is for client:, patient:, clinician:, auditor: or operator:, then a name."
        )
    login = local.find(writer.select, name)
    if login is None or login.role != _OF_PEOPLE[kind]:
        raise NotFound.of(f"There is no {kind} with the login {name[:64]}.")
    holder = Holder(login.role, COMMAND_LINE, person=login.user, login=login.login, behind=user)
    return holder, None


def _patient(writer: Writer, text: str) -> str:
    number = NhsNumber.parse(text)
    if number is None:
        raise Invalid.of("This is no NHS number.")
    patient = derived_id(writer.id_key, "Patient", NHS_NUMBER, number.digits)
    if writer.current("Patient", patient) is None:
        raise NotFound.of("Nobody with this NHS number is known here.")
    return patient
