"""What waits for a person, what people did with it, and the feeds' messages by time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the list of what waits from what is in the inbox, and index that by feed and time."""
    _inbox_waiting()
    _inbox_act()
    op.drop_index("inbox_by_fate", table_name="inbox")
    op.drop_index("inbox_by_time", table_name="inbox")
    op.create_index("inbox_by_feed", "inbox", ["feed", "received", "fate", "code"], unique=False)


def _inbox_waiting() -> None:
    op.create_table(
        "inbox_waiting",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("control_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("answered", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "feed", "control_id", "sha256"),
    )
    op.create_index(
        "inbox_waiting_by_code", "inbox_waiting", ["feed", "code", "received"], unique=False
    )
    op.execute(
        "INSERT INTO inbox_waiting"
        " (bucket, feed, control_id, sha256, received, fate, code, answered)"
        " SELECT bucket, feed, control_id, sha256, received, fate, code, ''"
        " FROM inbox WHERE fate <> 'filed'"
    )


def _inbox_act() -> None:
    op.create_table(
        "inbox_act",
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("control_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("acted", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("acted_by", sa.Text(), nullable=False),
        sa.Column("fate", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "feed", "control_id", "sha256", "acted"),
    )
