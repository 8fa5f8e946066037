"""Signing in with a name and a password: for small sites and for the demonstration.

Passwords are stored with Argon2id (RFC 9106, the library's default cost). An unknown name costs
as much time as a wrong password and gets the same words. After five failures in a row a login
has to wait, twice as long each time; the count is in the database, so that every process knows it.
An unknown name has to wait likewise, so that nobody learns by it which names there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, insert, select, update

from auth.clients import Query
from auth.login.strangers import Strangers
from auth.principal import Role
from auth.tables import login as table
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Conflict, Invalid
from fhir_server.record import Writer

SECOND = 1_000_000
FREE_FAILURES = 5
LONGEST_WAIT = 15 * 60
PASSWORD_LIMIT = 256
"""Characters of a password that are looked at; a longer one is wrong."""

LOGIN_COLUMNS = ("login", "role", "name", "person", "organization", "demo")
"""The columns that make a `Login`."""

_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4"
    "$+q60jQedKKkPdCJKdGzcow$tR8N+ckWviGmfzkT3Ut9GhAO/lhJgISCgjYYi5g1cWc"
)
"""The hash of a password that nobody knows: what an unknown name is compared with."""

_PERSONS: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.PATIENT: frozenset({"Patient"}),
        Role.CLINICIAN: frozenset({"Practitioner"}),
        Role.AUDITOR: frozenset({"", "Practitioner"}),
        Role.OPERATOR: frozenset({"", "Practitioner"}),
        Role.CLIENT: frozenset(),
    }
)
"""For what kind of person a login of each role stands."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may sign in here. *person* is `Patient/<id>`, `Practitioner/<id>` or empty."""

    login: str
    role: Role
    name: str
    person: str = ""
    organization: str = ""
    demo: bool = False

    @property
    def user(self) -> str:
        """Who this is on the ledger."""
        return self.person or f"login:{self.login}"

    @property
    def patient(self) -> str:
        """The id of the patient who signs in with this login; empty for anybody else."""
        return self.person.removeprefix("Patient/") if self.role == Role.PATIENT else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a name and a password: *login* where they fit, *known* where the name does.

    *wait* is the seconds after which another try is looked at; 0 for at once.
    """

    login: Login | None
    known: bool
    wait: int = 0


def hash_password(password: str) -> str:
    """Return the form in which *password* is stored. Slow on purpose: some 50 ms."""
    return PasswordHasher().hash(password)


def find(query: Query, login: str) -> Login | None:
    """Return the login of this name, or None where there is none, or no longer."""
    rows = query(select(table).where(table.c.login == login, table.c.ended_at.is_(None)))
    return login_of(rows[0]) if rows else None


def login_of(row: Row[Any]) -> Login:
    """Return the login in *row*, which has `LOGIN_COLUMNS`."""
    return Login(row.login, Role(row.role), row.name, row.person, row.organization, row.demo)


def judge(query: Query, name: str, password: str, now: int, strangers: Strangers) -> Verdict:
    """Return whether *name* and *password* fit, at *now* (microseconds). Slow on purpose.

    An unknown name has to wait as a known one does: *strangers* counts its failures.
    """
    rows = query(select(table).where(table.c.login == name, table.c.ended_at.is_(None)))
    count, last = (rows[0].failed, rows[0].failed_at) if rows else strangers.failures(name)
    wait = wait_after(count, last, now)
    if wait:
        return Verdict(None, known=bool(rows), wait=wait)
    fits = _fits(rows[0].password_hash if rows else _NOBODY, password)
    if not rows:
        strangers.failed(name, now)
    return Verdict(login_of(rows[0]) if rows and fits else None, known=bool(rows))


def wait_after(failed: int, failed_at: int, now: int) -> int:
    """Return the seconds still to wait after *failed* failures, the last at *failed_at*."""
    if failed < FREE_FAILURES:
        return 0
    whole = min(1 << min(failed - FREE_FAILURES, 20), LONGEST_WAIT)
    return max(0, -((now - failed_at - whole * SECOND) // SECOND))


def succeeded(writer: Writer, login: str) -> None:
    """Forget the failures of *login*."""
    writer.execute(update(table).where(table.c.login == login, table.c.failed > 0).values(failed=0))


def failed(writer: Writer, login: str) -> None:
    """Count one more failure for *login*."""
    writer.execute(
        update(table)
        .where(table.c.login == login)
        .values(failed=table.c.failed + 1, failed_at=writer.now)
    )


def register(writer: Writer, login: Login, password_hash: str) -> None:
    """Make *login*, with a password stored as `hash_password` returned it.

    Raises Conflict where the name is taken, and Invalid where person and role do not fit.
    """
    kind = login.person.partition("/")[0]
    if kind not in _PERSONS[login.role]:
        raise Invalid.of(f"A login of the role {login.role} can't be for {kind or 'nobody'}.")
    if writer.select(select(table.c.login).where(table.c.login == login.login)):
        raise Conflict.of("There is a login of this name already.")
    writer.execute(
        insert(table).values(
            login=login.login,
            password_hash=password_hash,
            role=login.role,
            name=login.name,
            person=login.person,
            organization=login.organization,
            demo=login.demo,
            failed=0,
            failed_at=0,
            created=writer.now,
        )
    )
    writer.audit(Subtype.REQUEST, entity=f"login:{login.login}", reason="login made")


def end(writer: Writer, login: str) -> bool:
    """End *login*: sessions and tokens die with it. Tell whether there was one."""
    standing = table.c.login == login, table.c.ended_at.is_(None)
    ended = writer.execute(update(table).where(*standing).values(ended_at=writer.now)) == 1
    if ended:
        writer.audit(Subtype.REQUEST, entity=f"login:{login}", reason="login ended")
    return ended


def _fits(stored: str, password: str) -> bool:
    try:
        PasswordHasher().verify(stored, password[:PASSWORD_LIMIT])
    except (VerificationError, InvalidHashError):
        return False
    return len(password) <= PASSWORD_LIMIT
