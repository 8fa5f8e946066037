"""The schema of all packages, version by version, for SQLite and PostgreSQL alike.

`upgrade` brings a database to this program's version and is safe to call at any time; on
PostgreSQL by several programs at once, on SQLite by the one that holds the database. A version
that this program does not know is refused: an older program must not write into a newer schema.
"""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text

from fhir_server.store.engine import open_engines

_LOCK = 0x706F7274  # "port": one migration at a time on a PostgreSQL server's database


class SchemaUnknown(Exception):
    """The database's schema is of a version that this program does not know, or not at its own."""


def head() -> str:
    """Return the schema version that this program is written for."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise SchemaUnknown("This program carries no migrations: it was not built whole.")
    return found


def current(url: str) -> str | None:
    """Return the schema version of the database at *url*, None where it has no schema yet."""
    file = _file(url)
    if file is not None and not file.exists():
        return None
    engines = open_engines(url)
    try:
        with engines.reader.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engines.dispose()


def upgrade(url: str) -> None:
    """Bring the database at *url* to `head`, in one transaction; do nothing where it is there.

    The folder of a SQLite file is made, readable by its owner alone. Raises SchemaUnknown, with
    nothing changed, for a version that this program does not know.
    """
    file = _file(url)
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engines = open_engines(url, is_patient=True)
    try:
        with engines.writer.begin() as connection:
            if not engines.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _refuse_unknown(MigrationContext.configure(connection).get_current_revision())
            command.upgrade(_config(connection), "head")
    finally:
        engines.dispose()


def require_current(url: str) -> None:
    """Raise SchemaUnknown unless the database at *url* has exactly this program's schema."""
    found = current(url)
    if found != head():
        raise SchemaUnknown(
            f"The database's schema is {found or 'empty'}, this program needs {head()}: "
            "run portal-fhir migrate with the newest program that uses this database."
        )


def _refuse_unknown(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaUnknown(
            f"The database's schema is {revision}, which this program does not know: "
            "a newer program has been here. Run that one."
        )


def _config(connection: Connection | None = None) -> Config:
    attributes: dict[str, Any] = {} if connection is None else {"connection": connection}
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _file(url: str) -> Path | None:
    address = make_url(url)
    embedded = address.get_backend_name() == "sqlite"
    return Path(address.database) if embedded and address.database else None
