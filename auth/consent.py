"""What people allowed applications, and that they can take it back at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from auth import tokens
from auth.clients import Query
from auth.tables import client as client_table
from auth.tables import consent as table
from auth.tables import family as family_table
from fhir_server.audit.subtypes import Subtype
from fhir_server.model.ids import new_id
from fhir_server.record import Writer


@dataclass(frozen=True, slots=True)
class Consent:
    """What one person allows one application now. *given* is in microseconds since 1970."""

    id: str
    client_id: str
    client_name: str
    scope: str
    given: int


def give(writer: Writer, *, login: str, client_id: str, scope: str, patient: str = "") -> str:
    """Keep that *login* allows *scope* to the application; return the consent's id.

    An earlier consent for the same application stays as it is: each authorisation has its own.
    """
    consent = new_id()
    writer.execute(
        insert(table).values(
            id=consent, login=login, client_id=client_id, scope=scope, given=writer.now
        )
    )
    writer.audit(
        Subtype.CONSENT, patient=patient, entity=f"client:{client_id}", reason=f"allowed: {scope}"
    )
    return consent


def standing(query: Query, login: str) -> Sequence[Consent]:
    """Return what *login* allows now, the latest first."""
    rows = query(
        select(table, client_table.c.name)
        .select_from(table.join(client_table, client_table.c.client_id == table.c.client_id))
        .where(
            table.c.login == login, table.c.withdrawn.is_(None), client_table.c.ended_at.is_(None)
        )
        .order_by(table.c.given.desc(), table.c.id)
    )
    return [Consent(row.id, row.client_id, row.name, row.scope, row.given) for row in rows]


def withdraw(writer: Writer, *, login: str, client_id: str, patient: str = "") -> bool:
    """Take back everything that *login* allowed the application; its tokens end with this.

    Tell whether anything was allowed. Other applications are not touched.
    """
    withdrawn = writer.execute(
        update(table)
        .where(table.c.login == login, table.c.client_id == client_id, table.c.withdrawn.is_(None))
        .values(withdrawn=writer.now)
    )
    tokens.end_families(
        writer,
        family_table.c.login == login,
        family_table.c.client_id == client_id,
        because="consent withdrawn",
    )
    if withdrawn:
        writer.audit(
            Subtype.CONSENT, patient=patient, entity=f"client:{client_id}", reason="withdrawn"
        )
    return withdrawn > 0
