"""The desk at which a page is asked for: who is signed in, what they sent, and what comes back.

A page goes only to its own kind of user; a form counts only if it came from a page of ours. What
is refused is on the ledger and answered with a page that says what to do next.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from adapters.intake.feeds import Feed
from auth import policy, sessions
from auth.answers import committed, page, redirect
from auth.principal import Principal, Role
from auth.services import AuthServices
from auth.views import CSRF_FIELD, NEXT_FIELD
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import FhirError, Forbidden, Invalid, TooLarge, Unavailable
from fhir_server.notary import Notary
from fhir_server.rest.body import received
from fhir_server.rest.exchange import request_id_of
from fhir_server.rest.headers import network
from fhir_server.rest.outcome import status_of
from portal_api.caller import Caller
from portal_api.pages import navigation
from portal_api.pages.environment import render
from portal_api.pages.problems import problem
from portal_api.pages.views_shell import KeptView, Shell
from portal_api.site import Site

_FORM_LIMIT = 64 * 1024
_FIELDS = 50
SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages are given by the composition root."""

    auth: AuthServices
    notary: Notary
    environment: Environment
    site: Site
    feeds: Callable[[], tuple[Feed, ...]]
    """The agreements with senders as they are now, for whoever runs messages again."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in, with what their form said (empty for a GET)."""

    request: Request
    request_id: str
    principal: Principal
    caller: Caller
    shell: Shell
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of the address."""
        return self.request.query_params

    @property
    def path(self) -> Mapping[str, str]:
        """The parameters in the path."""
        return self.request.path_params


Handler = Callable[[Desk, Visit], Awaitable[Response]]


def answer(desk: Desk, visit: Visit, template: str, view: object, status: int = 200) -> Response:
    """Return the page *template* for *view*."""
    return page(render(desk.environment, template, visit.shell, view).encode(), status)


def done(path: str, what: str) -> Response:
    """Send the browser on to *path*, where *what* (a key of `navigation.DONE`) is said."""
    return redirect(f"{path}?{urlencode({'done': what})}")


def endpoint(desk: Desk, role: Role, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of one page for users of *role*."""

    async def served(request: Request) -> Response:
        request_id = request_id_of(request)
        session = await run_in_threadpool(sessions.current, desk.auth, request.cookies)
        if session is None:
            response = await _without_session(desk, request)
        else:
            response = await _received(desk, request, request_id, session, (role, handler))
        response.headers["X-Request-Id"] = request_id
        return response

    return served


async def _without_session(desk: Desk, request: Request) -> Response:
    """Send on to sign-in; what somebody wrote while their session ran out is given back first."""
    cookie = request.cookies.get(sessions.cookie_name(desk.auth), "")
    if request.method == "POST" and cookie:
        try:
            form = await _form(request, sessions.csrf_of(cookie))
        except FhirError:
            form = {}
        if form.get("text", "").strip():
            # Whatever a message is sent to is a page, too: the one that it was written on.
            back = f"{SIGN_IN}?{urlencode({NEXT_FIELD: request.url.path})}"
            view = KeptView(form.get("subject", ""), form["text"], back)
            shell = Shell(desk.site)
            return page(render(desk.environment, "account/kept.jinja", shell, view).encode(), 403)
    return redirect(f"{SIGN_IN}?{urlencode({NEXT_FIELD: _came_for(request)})}")


async def _received(
    desk: Desk,
    request: Request,
    request_id: str,
    session: sessions.Session,
    wanted: tuple[Role, Handler],
) -> Response:
    role, handler = wanted
    principal = sessions.principal(session)
    access = policy.access(principal, request_id=request_id, network=network(request))
    caller = Caller(desk.auth.record, access, desk.auth.fhir_base)
    shell = navigation.shell(desk.site, principal, request, session.csrf)
    at_door = True
    try:
        if principal.role != role:
            raise Forbidden.of("This page is for other users.")
        form = await _form(request, session.csrf) if request.method == "POST" else {}
        at_door = False
        return await handler(desk, Visit(request, request_id, principal, caller, shell, form))
    except FhirError as error:
        if at_door and not isinstance(error, Unavailable):
            error = await _noted(desk, caller, error)
        view = problem(error, request_id, shell.home)
        body = render(desk.environment, "account/problem.jinja", shell, view).encode()
        return page(body, status_of(error))


async def _noted(desk: Desk, caller: Caller, error: FhirError) -> FhirError:
    """Write a refusal at the door to the ledger; return what is to be said to the visitor."""
    reason = error.issues[0].text
    note = desk.auth.record.note(caller.access, Subtype.REQUEST, outcome="4", reason=reason)
    try:
        await committed(note)
    except Unavailable as unwritten:
        return unwritten
    return error


async def _form(request: Request, csrf: str) -> dict[str, str]:
    try:
        body = await received(request, _FORM_LIMIT)
    except TooLarge:
        raise TooLarge.of("What you sent is too long. Please make it shorter.") from None
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError:
        raise Invalid.of("The form could not be read.") from None
    form = dict(pairs)
    if not hmac.compare_digest(form.pop(CSRF_FIELD, "").encode(), csrf.encode()):
        raise Forbidden.of("This page was open for too long. Please go back and try again.")
    return form


def _came_for(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
