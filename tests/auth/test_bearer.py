"""The token in a request's header: who is asking, at this moment."""

import pytest

from auth import bearer
from auth.principal import Principal, Role
from auth.scopes import parse
from fhir_server.errors import Unauthenticated

ALAN = "0a1" + "1" * 29


def asked(portal, header):
    return bearer.authenticate(portal.services.record.select, header, portal.services.now)


def test_a_token_says_who_asks_through_which_app_with_which_scopes(portal_on_each_engine):
    portal = portal_on_each_engine
    answer = portal.tokens()
    principal = asked(portal, f"Bearer {answer['access_token']}")
    assert principal == Principal(
        role=Role.PATIENT,
        user=f"Patient/{ALAN}",
        name="Alan Ash",
        organization="",
        client_id="app",
        token_id=principal.token_id,
        scopes=parse(answer["scope"]),
        patient=ALAN,
        behind="",
    )
    assert len(principal.token_id) == 32
    assert principal.token_id not in answer["access_token"]


def test_a_clinicians_token_names_the_organisation_and_no_patient(portal):
    portal.sign_in("dora")
    answer = portal.redeem(portal.code(scope="user/*.rs")).json()
    principal = asked(portal, f"bearer {answer['access_token']}")
    assert (principal.role, principal.user) == (Role.CLINICIAN, "Practitioner/0b2" + "2" * 29)
    assert (principal.organization, principal.patient) == ("RX1", "")


@pytest.mark.parametrize("header", [None, ""])
def test_a_request_without_a_token_gets_no_error_code(portal, header):
    with pytest.raises(Unauthenticated) as refused:
        asked(portal, header)
    (issue,) = refused.value.issues
    assert (issue.code, issue.diagnostics) == ("login", "")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearer {access}x",
        "Bearer {access} {access}",
        "Bearer {access},{access}",
        "Basic {access}",
        "{access}",
        "Bearer {refresh}",
        "Bearer {session}",
        "Bearer é",
        "Bearer " + "x" * 2000,
    ],
)
def test_case_93_whatever_is_no_access_token_of_ours_does_not_hold(portal, header):
    answer = portal.tokens()
    session = portal.browser.cookies["__Host-portal-session"]
    sent = header.format(
        access=answer["access_token"], refresh=answer["refresh_token"], session=session
    )
    with pytest.raises(Unauthenticated) as refused:
        asked(portal, sent)
    (issue,) = refused.value.issues
    assert issue.diagnostics == "invalid_token"
    assert issue.text == "The access token does not hold, or no longer: ask for a new one."


@pytest.mark.parametrize("query", ["access_token=x", "a=b&ACCESS_TOKEN=", "access%5Ftoken=x"])
def test_case_94_a_token_in_an_address_is_refused(query):
    with pytest.raises(Unauthenticated, match="never in an address"):
        bearer.refuse_token_in_query(query)


@pytest.mark.parametrize("query", ["", "token=x", "patient=access_token", "code=a|b"])
def test_an_address_without_a_token_passes(query):
    assert bearer.refuse_token_in_query(query) is None
