"""What the database itself refuses: no entry and no checkpoint is changed or taken away.

Triggers on both engines, grants on PostgreSQL as well. They stop accidents and stolen
application passwords; the database's owner can take them off, which is what the checkpoints
outside the database are for. `audit_head` may be updated, since it is how the ledger grows.
"""

from collections.abc import Sequence

APPEND_ONLY = ("audit_entry", "audit_checkpoint")
HEAD = "audit_head"

_REFUSALS = (
    *((table, act) for table in APPEND_ONLY for act in ("UPDATE", "DELETE")),
    (HEAD, "DELETE"),
)
_KEYS = (
    ("audit_entry", "seq = NEW.seq OR id = NEW.id"),
    ("audit_checkpoint", "size = NEW.size"),
    (HEAD, "one = NEW.one"),
)


def triggers(dialect: str) -> Sequence[str]:
    """Return the statements that put the triggers on, for `sqlite` or `postgresql`.

    Migrations execute them once, after the tables are made and the head's row is in.
    """
    match dialect:
        case "sqlite":
            return [
                *(_sqlite(table, act) for table, act in _REFUSALS),
                *(_sqlite_replace(*row) for row in _KEYS),
            ]
        case "postgresql":
            tables = (*APPEND_ONLY, HEAD)
            return [
                _FUNCTION,
                *(_postgresql(table, act, "ROW") for table, act in _REFUSALS),
                *(_postgresql(table, "TRUNCATE", "STATEMENT") for table in tables),
            ]
        case _:
            raise ValueError("the ledger is kept on SQLite or PostgreSQL")


def grants(application: str) -> Sequence[str]:
    """Return PostgreSQL's grants on the ledger for the role that the application connects as.

    Run by the owner of the tables, who must be another role: owners grant themselves anything.
    """
    role = '"' + application.replace('"', '""') + '"'
    return [
        *(f"REVOKE ALL ON {table} FROM PUBLIC, {role}" for table in (*APPEND_ONLY, HEAD)),
        *(f"GRANT SELECT, INSERT ON {table} TO {role}" for table in APPEND_ONLY),
        f"GRANT SELECT, UPDATE ON {HEAD} TO {role}",
    ]


def _name(table: str, act: str) -> str:
    return f"{table}_refuses_{act.lower()}"


def _sqlite(table: str, act: str) -> str:
    return (
        f"CREATE TRIGGER {_name(table, act)} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} refuses {act}'); END"
    )


def _sqlite_replace(table: str, key: str) -> str:
    """INSERT OR REPLACE deletes without firing a DELETE trigger."""
    return (
        f"CREATE TRIGGER {_name(table, 'replace')} BEFORE INSERT ON {table} "  # noqa: S608 - names
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} refuses REPLACE'); END"
    )


_FUNCTION = (
    "CREATE FUNCTION refuse_change_of_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' refuses ' || TG_OP, "
    "ERRCODE = 'insufficient_privilege'; END $$"
)


def _postgresql(table: str, act: str, each: str) -> str:
    return (
        f"CREATE TRIGGER {_name(table, act)} BEFORE {act} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION refuse_change_of_the_ledger()"
    )
