"""What Alembic runs for each command; the connection comes from `portal_api.migrations`."""

from alembic import context

from portal_api.migrations.schema import metadatas

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadatas(),
    transactional_ddl=True,
    compare_type=True,
    compare_server_default=True,
)
# The caller's transaction is the only one: a migration is whole, or it was not.
context.run_migrations()
