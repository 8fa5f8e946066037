"""The tables of sign-in and authorisation, for SQLite and PostgreSQL alike.

Instants are microseconds since 1970 (see `fhir_server.clock`). Codes, tokens and sessions are
256 random bits and stand here only as SHA-256 in hexadecimal: whoever reads the database can use
none of them. Lists of addresses and scopes are texts with one space between their parts, which
no part can contain. These rows belong to no patient's bucket; they are few, and local on Citus.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text

metadata = MetaData()

client = Table(
    "client",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("origins", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
)
"""The registered applications: where they live, and the most that they may ask for."""

client_keys = Table(
    "client_keys",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("jwks", Text, nullable=False),
    Column("jwks_url", Text, nullable=False),
)
"""By which public keys the applications that sign are known: the keys, or where they stand."""

used_assertion = Table(
    "used_assertion",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("jti", Text, primary_key=True),
    Column("expires", BigInteger, nullable=False),
)
"""The proofs that applications signed and that were used, by the hash of their name (`jti`).

They stand until they would be refused for their age."""

Index("used_assertion_by_expiry", used_assertion.c.expires)

login = Table(
    "login",
    metadata,
    Column("login", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("organization", Text, nullable=False),
    Column("demo", Boolean, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("failed_at", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
)
"""Who may sign in here with a password, as what, and for which person of the record."""

session = Table(
    "session",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("login", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
)
"""A browser in which somebody is signed in."""

Index("session_by_login", session.c.login)
Index("session_by_creation", session.c.created)

authorization_request = Table(
    "authorization_request",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=True),
)
"""What an application asked for, shown to one session for consent, and decided at most once."""

Index("authorization_request_by_expiry", authorization_request.c.expires)

consent = Table(
    "consent",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("given", BigInteger, nullable=False),
    Column("withdrawn", BigInteger, nullable=True),
)
"""What a person allowed an application, from when until when."""

Index("consent_by_login", consent.c.login, consent.c.client_id)

family = Table(
    "token_family",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("consent", Text, nullable=False),
    Column("behind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=True),
    Column("ended_because", Text, nullable=False),
)
"""One authorisation and everything issued for it: a token is live only while its family is."""

Index("token_family_by_expiry", family.c.expires)
Index("token_family_by_end", family.c.ended_at)
Index("token_family_by_consent", family.c.consent)
Index("token_family_by_login", family.c.login, family.c.client_id)

code = Table(
    "authorization_code",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("family", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=True),
)
"""Authorisation codes: claimed by one UPDATE, so that a code is used at most once."""

Index("authorization_code_by_family", code.c.family)

token = Table(
    "token",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("jti", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("rotated_at", BigInteger, nullable=True),
    Column("ended_at", BigInteger, nullable=True),
)
"""Access and refresh tokens; *jti* is the public name that the ledger keeps."""

Index("token_by_family", token.c.family)
Index("token_by_expiry", token.c.expires)
