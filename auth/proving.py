"""How an application that asks for tokens proves that it is the one.

By a secret, in the header or in the form, or by signing; a public one by nothing. The keys of one
that signs are found before the transaction begins, as they may have to be fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from auth import assertions, clients, public_keys
from auth.assertions import Refused
from auth.clients import Client, Kind
from auth.key_sets import NotFetched
from auth.public_keys import PublicKey
from auth.services import AuthServices
from fhir_server.errors import Invalid
from fhir_server.record import Writer

ASSERTION = "client_assertion"
ASSERTION_TYPE = "client_assertion_type"


@dataclass(frozen=True, slots=True)
class Credentials:
    """With what an application proves itself, besides the form that it sends."""

    header: str = ""
    """The Authorization header, or the empty text."""
    keys: tuple[PublicKey, ...] = ()
    """The public keys of the application that the form claims to be from."""
    lacking: str = ""
    """Why there are none, for the ledger."""


def require_one(sent: Mapping[str, str], headers: list[str]) -> None:
    """Raise Invalid where an application proves itself twice, so that either could count."""
    ways = [*headers, *(name for name in ("client_secret", ASSERTION) if name in sent)]
    if len(ways) > 1:
        raise Invalid.of("An application proves itself in one way, once.")


async def gathered(services: AuthServices, sent: Mapping[str, str], header: str) -> Credentials:
    """Return what there is to prove the application of the form *sent* by."""
    claim = assertions.claimed(sent[ASSERTION]) if ASSERTION in sent else None
    if claim is None:
        return Credentials(header)
    client = await run_in_threadpool(clients.find, services.record.select, claim.client_id)
    if client is None or client.kind != Kind.SIGNING:
        return Credentials(header, lacking="there is no such application that signs")
    if client.jwks:
        return Credentials(header, public_keys.usable(client.jwks))
    try:
        return Credentials(header, await services.key_sets.of(client.jwks_url, claim.kid))
    except NotFetched as missing:
        return Credentials(header, lacking=str(missing))


def is_asserted(sent: Mapping[str, str]) -> bool:
    """Tell whether the application means to prove itself by signing."""
    return ASSERTION in sent or ASSERTION_TYPE in sent


def asserted(
    writer: Writer, sent: Mapping[str, str], credentials: Credentials, audience: str
) -> Client:
    """Return the application that signed what stands in the form *sent*, and use that up.

    *audience* is the address of the token endpoint. Raises Refused.
    """
    if sent.get(ASSERTION_TYPE) != assertions.TYPE:
        raise Refused(f"{ASSERTION_TYPE} is not {assertions.TYPE}")
    claim = assertions.claimed(sent.get(ASSERTION, ""))
    if claim is None:
        raise Refused("it is no JWT with sub and kid")
    client = clients.find(writer.select, claim.client_id)
    if client is None or not credentials.keys:
        raise Refused(credentials.lacking or "there is no such application that signs")
    if sent.get("client_id", client.client_id) != client.client_id:
        raise Refused("client_id and sub differ")
    assertion = sent[ASSERTION]
    proof = assertions.proven(assertion, client, credentials.keys, audience, writer.now)
    if not assertions.use_up(writer, proof):
        raise Refused("jti was used before")
    return client
