"""The browser in which somebody is signed in: one cookie, for consent and for the portal's pages.

The cookie holds 256 random bits, given anew at every sign-in, and stands here as their hash. It
ends after 30 minutes without a request, and after 12 hours in any case. The token against forged
requests follows from the cookie, which no other site can read or set, so that a browser has one
before anybody is signed in, and a new one afterwards.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from starlette.responses import Response

from auth import policy
from auth.clients import Query
from auth.credentials import digest, matches, new_secret
from auth.login.local import LOGIN_COLUMNS, Login, login_of
from auth.principal import Principal
from auth.services import AuthServices
from auth.tables import login as login_table
from auth.tables import session as table
from fhir_server.errors import Unavailable
from fhir_server.record import Writer

MINUTE = 60_000_000
IDLE = 30 * MINUTE
LONGEST = 12 * 60 * MINUTE
PAGES = "portal"
"""How the ledger names the portal's own pages, among the applications."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, in one browser. Instants are microseconds since 1970."""

    hash: str
    login: Login
    csrf: str
    created: int
    last_seen: int

    @property
    def ends(self) -> int:
        """When it ends if no request comes before."""
        return min(self.last_seen + IDLE, self.created + LONGEST)


def cookie_name(services: AuthServices) -> str:
    """Return the cookie's name; the prefix that binds it to this host needs TLS."""
    return "__Host-portal-session" if services.secure else "portal-session"


def current(services: AuthServices, cookies: Mapping[str, str]) -> Session | None:
    """Return who is signed in, by a request's *cookies*, and remember that they were here."""
    text = cookies.get(cookie_name(services), "")
    session = find(services.record.select, text, services.now) if text else None
    if session is not None and services.now - session.last_seen > MINUTE:
        _touch(services, session)
    return session


def find(query: Query, text: str, now: int) -> Session | None:
    """Return the live session of the cookie *text*, or None."""
    joined = table.join(login_table, login_table.c.login == table.c.login)
    rows = query(
        select(
            table.c.hash,
            table.c.created,
            table.c.last_seen,
            *(login_table.c[name] for name in LOGIN_COLUMNS),
        )
        .select_from(joined)
        .where(
            table.c.hash == digest(text),
            table.c.ended_at.is_(None),
            table.c.last_seen > now - IDLE,
            table.c.created > now - LONGEST,
            login_table.c.ended_at.is_(None),
        )
    )
    if not rows:
        return None
    row = rows[0]
    return Session(row.hash, login_of(row), csrf_of(text), row.created, row.last_seen)


def lapsed(query: Query, text: str, now: int) -> bool:
    """Tell whether the cookie *text* was a session that nobody ended and whose time ran out."""
    rows = query(
        select(table.c.last_seen, table.c.created).where(
            table.c.hash == digest(text), table.c.ended_at.is_(None)
        )
    )
    return any(row.last_seen <= now - IDLE or row.created <= now - LONGEST for row in rows)


def principal(session: Session) -> Principal:
    """Return who is asking, on the portal's own pages."""
    return principal_of(session.login, f"session:{session.hash[:16]}")


def principal_of(login: Login, token_id: str = "") -> Principal:
    """Return *login* as somebody at the portal's own pages."""
    return Principal(
        role=login.role,
        user=login.user,
        name=login.name,
        organization=login.organization,
        client_id=PAGES,
        token_id=token_id,
        patient=login.patient,
    )


def begin(writer: Writer, login: str) -> str:
    """Sign *login* in and return the text for the cookie, which is nowhere else."""
    text = new_secret()
    writer.execute(
        insert(table).values(
            hash=digest(text), login=login, created=writer.now, last_seen=writer.now
        )
    )
    return text


def end(writer: Writer, text: str) -> bool:
    """End the session of the cookie *text*; tell whether there was one."""
    standing = table.c.hash == digest(text), table.c.ended_at.is_(None)
    return writer.execute(update(table).where(*standing).values(ended_at=writer.now)) == 1


def csrf_of(text: str) -> str:
    """Return what a form must carry to come from a page that we gave to this cookie's browser."""
    return digest(f"csrf\x1f{text}")


def csrf_fits(text: str, sent: str) -> bool:
    """Tell, in constant time, whether a form that carries *sent* came from such a page."""
    return bool(text) and matches(f"csrf\x1f{text}", sent)


def set_cookie(response: Response, services: AuthServices, text: str) -> None:
    """Give *text* to the browser, out of the reach of scripts and of other sites' forms."""
    response.set_cookie(
        cookie_name(services),
        text,
        path="/",
        secure=services.secure,
        httponly=True,
        samesite="lax",
    )


def _touch(services: AuthServices, session: Session) -> None:
    def piece(writer: Writer) -> None:
        writer.execute(
            update(table).where(table.c.hash == session.hash).values(last_seen=writer.now)
        )

    access = policy.access(principal(session), request_id="", network="")
    # Nobody waits for it: should it be lost, the session ends a little earlier.
    with suppress(Unavailable):
        services.record.submit(access, piece)
