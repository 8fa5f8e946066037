"""The composition root: record, sign-in, FHIR interface and pages become one application.

FastAPI carries the routes; the FHIR interface is plain Starlette routes that return stored bytes,
and every middleware is pure ASGI.
"""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from auth import bearer, clients, endpoints, policy
from auth.cors import Cors
from auth.key_sets import KeySets
from auth.services import AuthServices
from fhir_server.access import Access
from fhir_server.clock import micros
from fhir_server.record import Query, Recognise, Record
from fhir_server.rest.exchange import RecogniseBy, service
from fhir_server.rest.headers import header, network
from fhir_server.rest.routes import routes
from portal_api import health, push, site
from portal_api.api import codes, feeds, messages, queue, reports
from portal_api.api.door import open_door
from portal_api.pages import account
from portal_api.pages.desk import Desk
from portal_api.pages.environment import make_environment
from portal_api.pages.routes import pages
from portal_api.portal import Portal

FHIR = "/fhir"


def build(portal: Portal) -> ASGIApp:
    """Return the application of *portal*: `/fhir`, sign-in, tokens, pages and probes.

    Raises SettingWrong where the site's own file says what no page can show.
    """
    # No redirects from an address with a slash: their target would be made of the Host header.
    app = FastAPI(
        title="Portal FHIR",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    environment = make_environment()
    here = site.of_folder(portal.settings.data_dir, demonstration=portal.is_demo)
    services = AuthServices(
        record=portal.record,
        public_url=portal.settings.public_url,
        render_sign_in=account.sign_in_renderer(environment, here),
        render_consent=account.consent_renderer(environment, here),
        render_refusal=account.refusal_renderer(environment, here),
        demo_accounts=portal.demo_accounts,
        fhir_path=FHIR,
        key_sets=KeySets(loopback=portal.is_demo),
    )
    fhir = service(portal.record, _recognise_by(portal.record), services.fhir_base)
    # A request is held against one route after the other: the most frequent comes first, and
    # discovery before everything else that is below the same address.
    reading, *others = routes(fhir, FHIR, push.SERVED)
    app.router.routes.append(reading)
    app.include_router(endpoints.discovery(services))
    app.router.routes.extend(push.fhir_routes(portal, FHIR, services.fhir_base))
    app.router.routes.extend(others)
    app.include_router(endpoints.router(services))
    app.router.routes.extend(
        [
            Route("/livez", health.alive, methods=["GET"]),
            Route("/readyz", health.ready(portal.record), methods=["GET"]),
            Route("/metrics", feeds.metrics(portal.record), methods=["GET"]),
            push.route(portal),
        ]
    )
    open_door(app, portal)
    for part in (codes, feeds, messages, queue, reports):
        app.include_router(part.routes())
    app.include_router(pages(Desk(services, portal.notary, environment, here, portal.feeds.reread)))
    record = portal.record
    return Cors(app, lambda origin: clients.origin_is_registered(record.select, origin), FHIR)


def _recognise_by(record: Record) -> RecogniseBy:
    """Return the way from a request to its Access: token, then policy, looked up every time."""

    def recognise(request: Request, request_id: str) -> Recognise:
        def who(query: Query) -> Access:
            bearer.refuse_token_in_query(str(request.scope["query_string"], "latin-1"))
            sent, now = header(request.scope, b"authorization"), micros(record.clock())
            principal = bearer.authenticate(query, sent, now)
            return policy.access(principal, request_id=request_id, network=network(request))

        return who

    return recognise
