"""The record, the ledger, who may ask, and what hospitals send."""

import secrets

from alembic import op
from sqlalchemy import insert

from fhir_server.audit import protection
from fhir_server.model.ids import BUCKETS
from fhir_server.store.tables import audit_head, bucket_lock, installation
from portal_api.migrations.compression import compress
from portal_api.migrations.schema import metadatas

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, and the rows that each installation has from the beginning."""
    connection = op.get_bind()
    for metadata in metadatas():
        metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(bucket_lock), [{"bucket": bucket} for bucket in range(BUCKETS)])
    connection.execute(
        insert(installation),
        [{"name": name, "value": secrets.token_bytes(32)} for name in ("id_key", "page_key")],
    )
    connection.execute(insert(audit_head), {"one": 1, "size": 0, "peaks": b""})
    for statement in protection.triggers(connection.dialect.name):
        op.execute(statement)
    compress("resource.body", "resource_version.body", "audit_entry.body", "inbox.raw")
