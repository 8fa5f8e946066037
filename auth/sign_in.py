"""Signing in and out, in a browser.

A form is answered only if it came from a page that we gave to the same browser; the session's
cookie is a new one after signing in; where the person goes next is a path on this site.
"""

import re
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from auth import clients, forms, policy, redirects, sessions
from auth.answers import committed, limited, page, redirect
from auth.credentials import new_secret
from auth.login import local
from auth.login.local import Login, Verdict
from auth.services import AuthServices
from auth.views import CSRF_FIELD, LOGIN_FIELD, NEXT_FIELD, PASSWORD_FIELD, SignInView
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import FhirError
from fhir_server.record import Writer
from fhir_server.rest.headers import network

AUTHORIZE = "/authorize"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
_LEFT_FIELD = "left"

_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_WRONG = "That name and password do not fit together. Check both and try again."
_STALE = "This page was open for too long, or in another window. Please try again."
_LAPSED = "You were signed out, because you did nothing here for 30 minutes. Sign in to go on."
_LEFT = "You are signed out."
_WAIT = "There were too many attempts for this name. Please try again in {} minutes."


async def show(services: AuthServices, request: Request, _request_id: str) -> Response:
    """Answer `GET /sign-in?next=…` with the page."""
    following = request.query_params.get(NEXT_FIELD, "/")
    return await run_in_threadpool(sign_in_page, services, request, following)


async def attempt(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer the form: a session and the way on, or the page again with what is wrong."""
    sent = forms.once(await forms.read_form(request))
    following, name = sent.get(NEXT_FIELD, "/"), sent.get(LOGIN_FIELD, "").strip()
    limited(services.attempts, request, "sign-in")
    cookie = request.cookies.get(sessions.cookie_name(services), "")
    access = policy.stranger(request_id=request_id, network=network(request))
    if not sessions.csrf_fits(cookie, sent.get(CSRF_FIELD, "")):
        reason = "the form did not come from this browser"
        await committed(services.record.note(access, Subtype.SIGN_IN, outcome="4", reason=reason))
        return await run_in_threadpool(
            sign_in_page, services, request, following, login=name, error=_STALE
        )
    # Who waits here is judged by the failures that came before, however many try at once.
    async with services.hashing:
        verdict = await _judged(services, name, sent.get(PASSWORD_FIELD, ""))
        if verdict.login is None:
            failed = services.record.submit(access, lambda writer: _fail(writer, name, verdict))
            await committed(failed)
    if verdict.login is None:
        error = _WAIT.format(verdict.wait // 60 + 1) if verdict.wait else _WRONG
        return await run_in_threadpool(
            sign_in_page, services, request, following, login=name, error=error
        )
    text = await _sign_in(services, request, request_id, verdict.login)
    response = redirect(local_path(following))
    sessions.set_cookie(response, services, text)
    return response


async def leave(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer `POST /sign-out`: the session is over, here and for whoever has its cookie."""
    sent = forms.once(await forms.read_form(request))
    cookie = request.cookies.get(sessions.cookie_name(services), "")
    session = await run_in_threadpool(sessions.current, services, request.cookies)
    response = redirect(f"{SIGN_IN}?{_LEFT_FIELD}=1")
    if session is None:
        return response
    if not sessions.csrf_fits(cookie, sent.get(CSRF_FIELD, "")):
        return redirect(SIGN_IN)
    principal = sessions.principal(session)
    access = policy.access(principal, request_id=request_id, network=network(request))

    def piece(writer: Writer) -> None:
        sessions.end(writer, cookie)
        writer.audit(Subtype.SIGN_OUT, patient=principal.patient)

    await committed(services.record.submit(access, piece))
    sessions.set_cookie(response, services, new_secret())
    return response


def sign_in_page(
    services: AuthServices,
    request: Request,
    following: str,
    *,
    client_name: str = "",
    login: str = "",
    error: str = "",
) -> Response:
    """Return the sign-in page for this browser, which leads to the path *following*."""
    name = sessions.cookie_name(services)
    cookie = request.cookies.get(name) or new_secret()
    view = SignInView(
        action=SIGN_IN,
        csrf=sessions.csrf_of(cookie),
        next=local_path(following),
        client_name=client_name,
        login=login,
        error=error,
        demo_accounts=services.demo_accounts,
        notice="" if error else _notice(services, request, cookie),
    )
    targets = _targets(services, view.next)
    response = page(services.render_sign_in(view), 403 if error else 200, form_targets=targets)
    if name not in request.cookies:
        sessions.set_cookie(response, services, cookie)
    return response


def _notice(services: AuthServices, request: Request, cookie: str) -> str:
    if sessions.lapsed(services.record.select, cookie, services.now):
        return _LAPSED
    return _LEFT if request.query_params.get(_LEFT_FIELD) else ""


def local_path(text: str) -> str:
    """Return *text* if it is a path on this site, else the way to the front page."""
    return text if len(text) <= forms.LIMIT and _PATH.fullmatch(text) else "/"


async def _judged(services: AuthServices, name: str, password: str) -> Verdict:
    query, strangers = services.record.select, services.strangers
    return await run_in_threadpool(local.judge, query, name, password, services.now, strangers)


async def _sign_in(services: AuthServices, request: Request, request_id: str, login: Login) -> str:
    principal = sessions.principal_of(login)
    access = policy.access(principal, request_id=request_id, network=network(request))
    before = request.cookies.get(sessions.cookie_name(services), "")

    def piece(writer: Writer) -> str:
        sessions.end(writer, before)
        local.succeeded(writer, login.login)
        writer.audit(Subtype.SIGN_IN, patient=login.patient, entity=f"login:{login.login}")
        return sessions.begin(writer, login.login)

    return await committed(services.record.submit(access, piece))


def _fail(writer: Writer, name: str, verdict: Verdict) -> None:
    """Note the failure; a name that is unknown stays off the ledger: it may be a password."""
    if verdict.known and not verdict.wait:
        local.failed(writer, name)
    writer.audit(
        Subtype.SIGN_IN,
        outcome="4",
        entity=f"login:{name}" if verdict.known else "",
        reason="too many failures" if verdict.wait else "wrong name or password",
    )


def _targets(services: AuthServices, following: str) -> list[str]:
    """Return where the form may lead when an application's request comes next: to its address."""
    parts = urlsplit(following)
    if parts.path != AUTHORIZE:
        return []
    try:
        sent = forms.once(forms.read_pairs(parts.query.encode()))
    except FhirError:
        return []
    client = clients.find(services.record.select, sent.get("client_id", ""))
    address = sent.get("redirect_uri", "")
    return [redirects.form_target(address)] if client and client.answers_at(address) else []
