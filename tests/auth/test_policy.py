"""The policy: each role, each type, each interaction; with and without scopes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.policy import CONTEXTS, HIDDEN_LABELS, ROLES, SEALED, STAFF_ONLY, TABLE, access, stranger
from auth.principal import Principal, Role
from auth.scopes import GRANULAR, ScopeSet, parse
from fhir_server.access import (
    Access,
    Agent,
    CaredFor,
    Interaction,
    Narrowing,
    NoRecord,
    OwnRecord,
    WholeStore,
)
from fhir_server.errors import Invalid
from fhir_server.model.validate import SERVED_TYPES
from fhir_server.search.index import token_hash

ALAN = "0a1" + "1" * 29
DOCTOR = "0b2" + "2" * 29

READS = {Interaction.READ, Interaction.VREAD, Interaction.HISTORY}
LOOKS = READS | {Interaction.SEARCH}
ASKED = {Interaction.READ, Interaction.SEARCH}
WRITES = {Interaction.CREATE, Interaction.UPDATE}
RECORD = {
    "Appointment",
    "Patient",
    "Observation",
    "DiagnosticReport",
    "Specimen",
    "ServiceRequest",
    "DocumentReference",
    "CareTeam",
    "Consent",
    "Provenance",
}
DIRECTORY = {"Organization", "Practitioner", "PractitionerRole"}


def principal(role, scope=None):
    user, patient = {
        Role.PATIENT: (f"Patient/{ALAN}", ALAN),
        Role.CLINICIAN: (f"Practitioner/{DOCTOR}", ""),
        Role.AUDITOR: ("login:vera", ""),
        Role.OPERATOR: ("login:oscar", ""),
        Role.CLIENT: ("", ""),
    }[role]
    scopes = None if scope is None else parse(scope)
    return Principal(role, user, "Somebody", "RX1", "app", "jti", scopes, patient)


def allowed(role, scope=None):
    return access(principal(role, scope), request_id="r", network="192.0.2.1")


MEANT = {
    Role.PATIENT: dict.fromkeys(RECORD, LOOKS)
    | dict.fromkeys(DIRECTORY, frozenset({Interaction.READ}))
    | {"Communication": LOOKS | WRITES, "AuditEvent": ASKED},
    Role.CLINICIAN: dict.fromkeys(RECORD | DIRECTORY, LOOKS) | {"Communication": LOOKS | WRITES},
    Role.AUDITOR: {"AuditEvent": ASKED},
    Role.OPERATOR: {},
    Role.CLIENT: dict.fromkeys(RECORD | DIRECTORY, LOOKS | WRITES)
    | dict.fromkeys(("Communication", "Provenance"), LOOKS),
}
"""What the requirements say in prose, written down a second time."""


@pytest.mark.parametrize("role", list(Role))
def test_every_type_and_interaction_is_placed_for_every_role(role):
    assert {kind: set(rights) for kind, rights in TABLE[role].items()} == {
        kind: MEANT[role].get(kind, set()) for kind in SERVED_TYPES
    }


def test_every_role_stands_in_every_table():
    assert set(ROLES) == set(Role) == set(TABLE) == set(CONTEXTS) == set(HIDDEN_LABELS)


def test_case_77_nobody_writes_audit_events_and_clinicians_do_not_read_them():
    for role in Role:
        assert not TABLE[role]["AuditEvent"] & WRITES
    assert not TABLE[Role.CLINICIAN]["AuditEvent"]
    assert not TABLE[Role.AUDITOR]["Observation"]


def test_clinicians_do_not_edit_care_teams_and_patients_change_nothing():
    assert not TABLE[Role.CLINICIAN]["CareTeam"] & WRITES
    writable = {kind for kind, rights in TABLE[Role.PATIENT].items() if rights & WRITES}
    assert writable == {"Communication"}


def test_a_patient_reaches_the_own_record_bound_by_release():
    assert allowed(Role.PATIENT) == Access(
        agent=Agent(
            "patient",
            f"Patient/{ALAN}",
            "Somebody",
            "RX1",
            "app",
            "jti",
            "PATRQT",
            "192.0.2.1",
        ),
        request_id="r",
        reach=OwnRecord((ALAN,)),
        grants=TABLE[Role.PATIENT],
        bound_by_release=True,
        hidden_labels=STAFF_ONLY,
        narrowed={},
    )


def test_a_clinician_reaches_the_patients_in_care_and_sees_results_at_once():
    answer = allowed(Role.CLINICIAN)
    assert (answer.reach, answer.bound_by_release) == (CaredFor(DOCTOR), False)
    assert (answer.agent.purpose, answer.hidden_labels) == ("TREAT", SEALED)


def test_an_application_by_itself_reaches_the_whole_store_as_its_scopes_say():
    answer = allowed(Role.CLIENT, "system/Observation.cru system/AuditEvent.rs patient/Patient.r")
    assert answer.reach == WholeStore()
    assert answer.grants == {"Observation": READS | WRITES}
    assert answer.bound_by_release is False


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
def test_auditors_and_operators_reach_no_record(role):
    assert allowed(role).reach == NoRecord()
    assert allowed(role).bound_by_release is True


def test_case_75_a_person_of_another_kind_than_the_role_reaches_nothing():
    for role, user in (
        (Role.CLINICIAN, f"Patient/{DOCTOR}"),
        (Role.CLINICIAN, "Practitioner/"),
        (Role.PATIENT, f"Practitioner/{ALAN}"),
        (Role.PATIENT, f"Patient/{DOCTOR}"),
    ):
        found = access(Principal(role, user, patient=ALAN), request_id="r", network="")
        assert found.reach == NoRecord()


def test_case_99_a_token_without_a_patient_in_context_reaches_no_record():
    found = access(Principal(Role.PATIENT, f"Patient/{ALAN}"), request_id="r", network="")
    assert found.reach == NoRecord()


def test_case_99_a_user_scope_means_what_this_user_may_see_anyway():
    answer = allowed(Role.PATIENT, "user/*.cruds")
    assert answer.reach == OwnRecord((ALAN,))
    assert answer.grants == {kind: rights for kind, rights in TABLE[Role.PATIENT].items() if rights}


def test_scopes_of_another_context_mean_nothing_for_a_role():
    assert allowed(Role.CLINICIAN, "patient/*.rs system/*.rs").grants == {}
    assert allowed(Role.PATIENT, "system/*.rs").grants == {}
    assert allowed(Role.AUDITOR, "patient/*.rs system/*.rs").grants == {}
    assert allowed(Role.OPERATOR, "user/*.cruds").grants == {}
    assert allowed(Role.CLIENT, "user/*.cruds patient/*.cruds").grants == {}


def test_reading_and_searching_are_two_letters():
    assert allowed(Role.PATIENT, "patient/Observation.r").grants == {"Observation": READS}
    assert allowed(Role.PATIENT, "patient/Observation.s").grants == {
        "Observation": {Interaction.SEARCH}
    }
    assert allowed(Role.PATIENT, "patient/Communication.cud").grants == {
        "Communication": {Interaction.CREATE, Interaction.UPDATE}
    }
    assert allowed(Role.PATIENT, "").grants == {}


def test_granular_scopes_narrow_by_any_of_them_and_each_of_its_parameters():
    answer = allowed(
        Role.PATIENT,
        "patient/Observation.rs?category=laboratory,exam&status=final "
        "patient/Observation.rs?code=http://loinc.org|2857-1 patient/Patient.r",
    )
    category, status = (
        frozenset(token_hash("Observation", name, value) for value in values)
        for name, values in (("category", ("laboratory", "exam")), ("status", ("final",)))
    )
    psa = frozenset({token_hash("Observation", "code", "http://loinc.org|2857-1")})
    assert answer.grants == {"Observation": LOOKS, "Patient": READS}
    assert answer.narrowed.keys() == {"Observation"}
    first, second = answer.narrowed["Observation"]
    assert set(first.groups) == {category, status}
    assert second == Narrowing((psa,))


def test_granular_scopes_that_could_not_be_kept_apart_give_less_never_more():
    """The parser refuses them; should such a set come here all the same, it must not widen."""
    (reads,) = parse("patient/Observation.r").resources
    (laboratory,) = parse("patient/Observation.rs?category=laboratory").resources
    (vital,) = parse("patient/Observation.s?category=vital-signs").resources
    alan = f"Patient/{ALAN}"

    def found(*scopes):
        person = Principal(Role.PATIENT, alan, scopes=ScopeSet(scopes), patient=ALAN)
        return access(person, request_id="r", network="")

    beside = found(reads, laboratory)
    assert (beside.grants, beside.narrowed) == ({"Observation": READS}, {})
    apart = found(laboratory, vital)
    assert apart.grants == {"Observation": {Interaction.SEARCH}}
    assert len(apart.narrowed["Observation"]) == 2


def test_a_stranger_may_do_nothing_and_stands_on_the_ledger_as_unknown():
    assert stranger(request_id="r", network="192.0.2.1", client_id="app") == Access(
        Agent("unknown", client="app", network="192.0.2.1"), "r", NoRecord(), {}
    )


words = st.sampled_from(
    [
        f"{context}/{kind}.{letters}"
        for context in ("patient", "user", "system")
        for kind in ("*", "Observation", "Communication", "AuditEvent", "Encounter")
        for letters in ("r", "s", "rs", "c", "cruds", "read", "write", "*")
    ]
    + [f"patient/{kind}.rs?status=final" for kind in sorted(GRANULAR)]
)


@given(st.sampled_from(Role), st.lists(words, max_size=4))
def test_no_scope_gives_more_than_the_role_has_and_more_scopes_never_give_less(role, asked):
    try:
        whole = allowed(role, " ".join(asked))
        part = allowed(role, " ".join(asked[:-1]))
    except Invalid:  # granular scopes that could not be kept apart
        return
    for kind, rights in whole.grants.items():
        assert rights <= TABLE[role][kind]
    for kind, rights in part.grants.items():
        assert rights <= whole.grants[kind]
