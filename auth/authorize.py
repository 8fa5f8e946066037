"""The authorisation endpoint and its consent page. RFC 6749 section 3.1, SMART App Launch 2.2.

An application's request is judged, put to whoever is signed in, and decided at most once, by the
same session. Until application and address are proven, nobody is sent anywhere.
"""

from urllib.parse import urlencode

from sqlalchemy import insert, select, update
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from auth import authorization_server, consent_words, forms, policy, redirects, sessions, sign_in
from auth.answers import committed, page, redirect, refusal_page
from auth.authorization_server import Issuer, Question, Unredirectable
from auth.credentials import digest, new_secret
from auth.replies import Reply
from auth.services import AuthServices
from auth.sessions import MINUTE, Session
from auth.tables import authorization_request as table
from auth.views import (
    ALLOW,
    CHOICE_FIELD,
    CSRF_FIELD,
    DECISION_FIELD,
    DENY,
    REQUEST_FIELD,
    ConsentView,
)
from fhir_server.access import Access
from fhir_server.audit.subtypes import Subtype
from fhir_server.errors import Forbidden, Invalid
from fhir_server.model import json
from fhir_server.record import Writer
from fhir_server.rest.headers import network

DECISION = "/authorize/decision"
LIFE = 10 * MINUTE
"""How long a consent page can be answered."""

_UNPROVEN = (
    "The application that sent you here is not registered with this portal, or not for the "
    "address to which it wants you sent back. Nothing was shared with it."
)
_UNANSWERABLE = (
    "This was answered already, or waited for too long, or belongs to another browser. "
    "Go back to the application and begin again."
)


async def ask(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer an authorisation request: with sign-in, with the consent page, or a refusal."""
    sent = forms.once(forms.read_query(request))
    session = await run_in_threadpool(sessions.current, services, request.cookies)
    login = session.login if session else None
    try:
        found = await run_in_threadpool(
            authorization_server.question, issuer(services), services.record.select, sent, login
        )
    except Unredirectable:
        await _refused(services, request, request_id, session, "application or address not proven")
        return refusal_page(services, request_id, _UNPROVEN)
    if isinstance(found, Reply):
        await _refused(services, request, request_id, session, found.error)
        return redirect(found.location)
    if session is None:
        following = f"{sign_in.AUTHORIZE}?{request.url.query}"
        return await run_in_threadpool(
            sign_in.sign_in_page, services, request, following, client_name=found.client.name
        )
    text = await _keep(services, request, request_id, session, sent)
    return _consent_page(services, session, found, text)


async def ask_by_post(_services: AuthServices, request: Request, _request_id: str) -> Response:
    """Answer an authorisation request sent as a form: by GET, so that the cookie comes along."""
    return redirect(f"{sign_in.AUTHORIZE}?{urlencode(await forms.read_form(request))}")


async def decide(services: AuthServices, request: Request, request_id: str) -> Response:
    """Answer the consent page: send the browser back with a code, or with a refusal."""
    pairs = await forms.read_form(request)
    ticked = consent_words.ticked(value for name, value in pairs if name == CHOICE_FIELD)
    sent = forms.once([pair for pair in pairs if pair[0] != CHOICE_FIELD])
    if sent.get(DECISION_FIELD) not in {ALLOW, DENY}:
        raise Invalid.of("The decision is to allow or to deny.")
    session = await run_in_threadpool(sessions.current, services, request.cookies)
    cookie = request.cookies.get(sessions.cookie_name(services), "")
    if session is None or not sessions.csrf_fits(cookie, sent.get(CSRF_FIELD, "")):
        raise Forbidden.of(_UNANSWERABLE)
    access = _access(request, request_id, session)
    answer = ticked if sent[DECISION_FIELD] == ALLOW else None

    def piece(writer: Writer) -> Reply | None:
        asked = _claim(writer, session, sent.get(REQUEST_FIELD, ""))
        if asked is None:
            return None
        return authorization_server.decide(issuer(services), writer, asked, session.login, answer)

    reply = await committed(services.record.submit(access, piece))
    if reply is None or not reply.location:
        raise Forbidden.of(_UNANSWERABLE)
    return redirect(reply.location)


def issuer(services: AuthServices) -> Issuer:
    """Return who we are, as applications know us."""
    return Issuer(services.public_url, services.fhir_base)


async def _refused(
    services: AuthServices,
    request: Request,
    request_id: str,
    session: Session | None,
    reason: str,
) -> None:
    access = _access(request, request_id, session)
    await committed(services.record.note(access, Subtype.CONSENT, outcome="4", reason=reason))


def _access(request: Request, request_id: str, session: Session | None) -> Access:
    if session is None:
        return policy.stranger(request_id=request_id, network=network(request))
    principal = sessions.principal(session)
    return policy.access(principal, request_id=request_id, network=network(request))


async def _keep(
    services: AuthServices,
    request: Request,
    request_id: str,
    session: Session,
    sent: dict[str, str],
) -> str:
    """Keep what is asked, for this session to decide; return its name for the form."""
    text, access = new_secret(), _access(request, request_id, session)

    def piece(writer: Writer) -> None:
        writer.execute(
            insert(table).values(
                hash=digest(text),
                session=session.hash,
                parameters=json.encode(sent).decode(),
                expires=writer.now + LIFE,
            )
        )

    await committed(services.record.submit(access, piece))
    return text


def _claim(writer: Writer, session: Session, text: str) -> dict[str, str] | None:
    """Return what was asked, once, and only in the session to which it was shown."""
    mine = table.c.hash == digest(text), table.c.session == session.hash
    open_ = table.c.decided_at.is_(None), table.c.expires > writer.now
    if not writer.execute(update(table).where(*mine, *open_).values(decided_at=writer.now)):
        return None
    (row,) = writer.select(select(table.c.parameters).where(*mine))
    asked: dict[str, str] = json.decode(row.parameters)
    return asked


def _consent_page(
    services: AuthServices, session: Session, question: Question, text: str
) -> Response:
    login, scope = session.login, question.scope
    view = ConsentView(
        action=DECISION,
        csrf=session.csrf,
        request=text,
        client_name=question.client.name,
        signed_in_as=login.name,
        subject=consent_words.subject(login),
        choices=consent_words.choices_shown(scope, login.role),
        offline=consent_words.offline_shown(scope),
        warnings=consent_words.warnings(scope),
        returns_to=redirects.shown(question.redirect_uri),
    )
    target = redirects.form_target(question.redirect_uri)
    return page(services.render_consent(view), form_targets=[target])
