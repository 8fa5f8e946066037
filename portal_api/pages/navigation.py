"""Where each kind of user can go, and what is said after something was done."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request

from auth.principal import Principal, Role
from portal_api.pages.views_shell import Link, Shell
from portal_api.site import Site

HOMES: Mapping[Role, str] = MappingProxyType(
    {
        Role.PATIENT: "/patient",
        Role.CLINICIAN: "/clinician",
        Role.AUDITOR: "/auditor",
        Role.OPERATOR: "/operator",
    }
)
"""The first page of each kind of user."""

_LINKS: Mapping[Role, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        Role.PATIENT: (
            ("Results", "/patient"),
            ("Letters", "/patient/letters"),
            ("Appointments", "/patient/appointments"),
            ("Messages", "/patient/messages"),
            ("Who has looked", "/patient/access"),
        ),
        Role.CLINICIAN: (("My patients", "/clinician"), ("Team inbox", "/clinician/inbox")),
        Role.AUDITOR: (("Search", "/auditor"), ("Verify", "/auditor/verify")),
        Role.OPERATOR: (
            ("Feeds", "/operator"),
            ("Error queue", "/operator/errors"),
            ("Codes", "/operator/codes"),
            ("Trace", "/operator/trace"),
        ),
    }
)

DONE: Mapping[str, str] = MappingProxyType(
    {
        "sent": "Your message was sent.",
        "released": "The result is open to the patient now.",
        "letter-released": "The letter is open to the patient now.",
        "taken": "You have taken this conversation on.",
        "dealt-with": "The changed result needs nothing more now.",
        "settled": "The conversation needs no answer now.",
        "ran": "The messages were run again. What still waits is below.",
        "ran-one": "The message was run again.",
        "closed": "Closed. Messages are kept, and can be put back.",
        "mapped": "The code has its meaning, and what waited for it was filed again.",
        "joined": "The records are joined.",
        "merge-aside": "Set aside. The records stay two.",
        "parted": "The records are two again.",
        "reopened": "The message waits in the queue again.",
    }
)
"""What is said on the page that follows a form, by the key in its address."""


def shell(site: Site, principal: Principal, request: Request, csrf: str) -> Shell:
    """Return the frame of the page that *principal* asks for."""
    links = _LINKS.get(principal.role, ())
    current = _current(request.url.path, [href for _, href in links])
    return Shell(
        site=site,
        home=HOMES.get(principal.role, "/"),
        navigation=tuple(Link(text, href, href == current) for text, href in links),
        person=principal.name,
        csrf=csrf,
        done=DONE.get(request.query_params.get("done", ""), ""),
    )


def _current(path: str, hrefs: list[str]) -> str:
    """Return the link under which *path* lies: the longest that it begins with."""
    fitting = [href for href in hrefs if path == href or path.startswith(f"{href}/")]
    return max(fitting, key=len, default="")
