"""The renderers of sign-in, consent and refusal, which `auth` fills and answers with."""

from collections.abc import Callable

from jinja2 import Environment

from auth.views import ConsentView, RefusalView, SignInView
from portal_api.pages.environment import render
from portal_api.pages.views_shell import ProblemView, Shell
from portal_api.site import Site


def sign_in_renderer(environment: Environment, site: Site) -> Callable[[SignInView], bytes]:
    """Return what renders the sign-in page."""
    return lambda view: render(environment, "account/sign_in.jinja", Shell(site), view).encode()


def consent_renderer(environment: Environment, site: Site) -> Callable[[ConsentView], bytes]:
    """Return what renders the consent page."""
    return lambda view: render(environment, "account/consent.jinja", Shell(site), view).encode()


def refusal_renderer(environment: Environment, site: Site) -> Callable[[RefusalView], bytes]:
    """Return what renders the page of a request that is refused."""

    def refusal(view: RefusalView) -> bytes:
        problem = ProblemView(view.title, (view.text,), view.request_id)
        return render(environment, "account/problem.jinja", Shell(site), problem).encode()

    return refusal
