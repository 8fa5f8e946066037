"""Tokens made on the command line, by whoever runs the machine."""

import pytest

from auth import bearer, granting, tokens
from auth.principal import Role
from auth.tokens import COMMAND_LINE, Holder
from fhir_server.errors import Invalid, Unauthenticated

ALAN = "0a1" + "1" * 29


def issued(portal, holder, scope):
    def piece(writer):
        return tokens.issue_for_operator(writer, holder, scope)

    return portal.services.record.submit(portal.operator, piece).result(5)


def principal(portal, text):
    return bearer.authenticate(portal.services.record.select, f"Bearer {text}", portal.services.now)


def test_a_token_for_an_application_names_who_is_behind_it(portal):
    scope = str(granting.by_operator("system/*.rs", Role.CLIENT, "system/Observation.rs"))
    assert scope == "system/Observation.rs"
    text = issued(portal, Holder(Role.CLIENT, "hospital", behind="root"), scope)
    found = principal(portal, text)
    assert (found.role, found.client_id, found.behind) == (Role.CLIENT, "hospital", "root")
    assert (found.user, found.patient, str(found.scopes)) == ("", "", "system/Observation.rs")


def test_a_token_for_a_patient_needs_no_login(portal):
    holder = Holder(
        Role.PATIENT, COMMAND_LINE, person=f"Patient/{ALAN}", patient=ALAN, behind="root"
    )
    found = principal(portal, issued(portal, holder, "patient/*.rs"))
    assert (found.user, found.patient, found.behind) == (f"Patient/{ALAN}", ALAN, "root")


def test_it_lives_for_an_hour(portal):
    text = issued(portal, Holder(Role.CLIENT, "hospital", behind="root"), "system/*.rs")
    portal.clock.advance(3599)
    principal(portal, text)
    portal.clock.advance(1)
    with pytest.raises(Unauthenticated):
        principal(portal, text)


def test_a_token_for_a_login_that_was_never_there_does_not_hold(portal):
    holder = Holder(Role.CLINICIAN, COMMAND_LINE, person="Practitioner/x", login="ghost")
    with pytest.raises(Unauthenticated):
        principal(portal, issued(portal, holder, "user/*.rs"))


@pytest.mark.parametrize(
    ("scope", "role", "registered"),
    [
        ("patient/*.rs", Role.CLIENT, "system/*.rs"),
        ("system/*.rs", Role.PATIENT, None),
        ("patient/*.rs", Role.CLINICIAN, None),
        ("user/*.rs", Role.OPERATOR, None),
        ("system/*.rs user/*.rs", Role.CLIENT, "system/*.rs"),
        ("system/Patient.rs", Role.CLIENT, "system/Observation.rs"),
        ("", Role.PATIENT, None),
        ("offline_access", Role.PATIENT, None),
        ("patient/*.sr", Role.PATIENT, None),
    ],
)
def test_scopes_that_mean_nothing_for_the_holder_are_refused(scope, role, registered):
    with pytest.raises(Invalid):
        granting.by_operator(scope, role, registered)
