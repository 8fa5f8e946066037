"""Who can sign in to the demonstration, with a password that is shown; and the developers' app."""

from auth.clients import Client, Kind
from auth.views import DemoAccount

APP = Client(
    client_id="demo-app",
    name="Tide Table, a demonstration app",
    kind=Kind.PUBLIC,
    redirect_uris=("http://127.0.0.1/callback", "http://localhost/callback"),
    scope="launch/patient offline_access patient/*.rs patient/Communication.c",
    origins=("http://127.0.0.1:3000", "http://localhost:3000"),
)
"""The public application that developers may be: on loopback its redirect takes any port."""

PATIENTS: tuple[tuple[str, str], ...] = (
    ("alan", "Prostate cancer that is watched. His PSA hardly moves."),
    ("brian", "Had his prostate removed. His nurse rings before a PSA opens."),
    ("colin", "Had radiotherapy and hormones. His PSA rises slowly."),
    ("helen", "Had a bowel biopsy. The result has arrived and waits to open."),
    ("graham", "Had bowel surgery and chemotherapy. One result may be wrong."),
    ("irene", "Has chemotherapy for ovarian cancer, and has written to her team."),
    ("john", "Somebody of another team tried to open his record."),
)
"""The patients of the stories who use the portal: Keith does not."""

AUDITOR, OPERATOR = "morag", "dev"


PASSWORD = "by-the-mersey"  # noqa: S105 - no secret: everybody is made up, and it is shown
"""With it everybody signs in here."""


def account(login: str, name: str, role: str, story: str) -> DemoAccount:
    """Return an account as the sign-in page offers it."""
    return DemoAccount(login, PASSWORD, name, role, story)
