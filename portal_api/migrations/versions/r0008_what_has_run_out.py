"""What has run out of sign-ins and tokens is found quickly."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes by which it is found."""
    op.create_index("session_by_creation", "session", ["created"], unique=False)
    op.create_index("token_family_by_expiry", "token_family", ["expires"], unique=False)
    op.create_index("token_family_by_end", "token_family", ["ended_at"], unique=False)
    op.create_index("authorization_code_by_family", "authorization_code", ["family"], unique=False)
    op.create_index("token_by_expiry", "token", ["expires"], unique=False)
