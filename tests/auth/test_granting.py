"""From what is asked to what is granted: every step narrows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth import granting
from auth.policy import CONTEXTS, TABLE, access, may_push
from auth.principal import Principal, Role
from auth.scopes import PUSH, ScopeSet, parse
from fhir_server.errors import Invalid

ALAN = "0a1" + "1" * 29
words = st.sampled_from(
    [
        f"{context}/{kind}.{letters}"
        for context in ("patient", "user")
        for kind in ("*", "Observation", "Communication", "AuditEvent", "Encounter")
        for letters in ("r", "rs", "crs", "cruds", "read", "*")
    ]
    + ["patient/Observation.rs?category=laboratory", "offline_access", "launch/patient"]
)


@st.composite
def asked(draw):
    try:
        return parse(" ".join(draw(st.lists(words, min_size=1, max_size=5))))
    except Invalid:  # granular scopes that could not be kept apart
        return ScopeSet()


@given(asked(), st.sampled_from(Role), st.randoms())
def test_what_is_left_ticked_lies_within_what_was_asked(scopes, role, random):
    taken = [one for one in granting.choices(scopes, role) if random.random() < 0.5]
    left = granting.ticked(scopes, role, frozenset(map(str, taken)))
    assert left.within(scopes)
    assert left.offline is False
    # One right has two texts, `rs` and `read`: what counts is that it was ticked in one of them.
    for right in granting.choices(left, role):
        assert any(one.covers(right) for one in taken), right


@given(asked(), st.sampled_from(Role))
def test_with_everything_ticked_a_role_can_do_all_that_it_could_with_what_was_asked(scopes, role):
    shown = frozenset(str(one) for one in granting.choices(scopes, role)) | {"offline_access"}
    left = granting.ticked(scopes, role, shown)

    def rights(granted):
        person = Principal(role, f"Patient/{ALAN}", scopes=granted, patient=ALAN)
        found = access(person, request_id="", network="")
        return found.grants, found.narrowed

    assert rights(left) == rights(scopes)
    assert left.offline == scopes.offline


def test_each_choice_gives_its_role_something():
    for role in Role:
        for context in CONTEXTS[role]:
            everything = parse(f"{context}/*.cruds")
            types = [one.resource_type for one in granting.choices(everything, role)]
            assert types == [kind for kind, rights in TABLE[role].items() if rights]


def test_pushing_messages_is_for_applications_by_themselves_and_for_no_person():
    for role in set(Role) - {Role.CLIENT}:
        with pytest.raises(Invalid):
            granting.by_operator(PUSH, role)
    with pytest.raises(Invalid):
        granting.requested(PUSH, PUSH)
    with pytest.raises(Invalid):
        granting.requested(f"user/Patient.rs {PUSH}", f"user/*.rs {PUSH}")
    assert granting.by_operator(PUSH, Role.CLIENT, PUSH) == parse(PUSH)
    with pytest.raises(Invalid):
        granting.by_operator(PUSH, Role.CLIENT, "system/*.cruds")


def test_no_pattern_reaches_pushing_and_pushing_reaches_no_resource():
    everything = parse("system/*.cruds")
    assert not parse(PUSH).within(everything)
    assert not everything.intersect(parse(PUSH)).push
    assert str(parse(f"system/*.cruds {PUSH}")) == f"{PUSH} system/*.cruds"
    pusher = Principal(Role.CLIENT, "", scopes=parse(PUSH))
    assert access(pusher, request_id="", network="").grants == {}
    assert may_push(pusher)
    assert not may_push(Principal(Role.CLIENT, "", scopes=everything))
    assert not may_push(Principal(Role.CLINICIAN, "", scopes=parse(PUSH)))
    assert not may_push(Principal(Role.CLIENT, "", scopes=None))
