"""What was set aside is found among many messages, and the index of times is smaller."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index of what was set aside, and the one of times anew without its fate."""
    aside = sa.text("fate != 'filed'")
    op.create_index(
        "inbox_aside",
        "inbox",
        ["feed", "fate", "received", "code"],
        unique=False,
        sqlite_where=aside,
        postgresql_where=aside,
    )
    op.drop_index("inbox_by_feed", table_name="inbox")
    op.create_index("inbox_by_feed", "inbox", ["feed", "received"], unique=False)
