"""What has run out is taken away, and everything answers as it did before."""

import pytest
from sqlalchemy import func, insert, select

from auth import clients, consent, pruning
from auth.pruning import prune
from auth.tables import (
    authorization_request,
    code,
    family,
    session,
    token,
    used_assertion,
)
from auth.tokens import FAMILY_LIFE
from portal_api import tidying
from tests.auth.signing import Signer, laboratory

DAY = 24 * 3600
TABLES = (token, code, family, session, authorization_request, used_assertion)


def counts(portal):
    query = portal.services.record.select
    return {
        table.name: query(select(func.count()).select_from(table))[0][0]
        for table in TABLES
        if query(select(func.count()).select_from(table))[0][0]
    }


def test_everything_that_ever_ran_out_goes_and_what_lives_stays(portal_on_each_engine):
    portal = portal_on_each_engine
    record = portal.services.record
    lab = laboratory()
    record.submit(portal.operator, lambda writer: clients.register(writer, lab)).result(10)
    portal.browser.post("/token", data=Signer(portal.clock).form())
    first = portal.tokens()
    second = portal.refresh(first["refresh_token"]).json()
    full = counts(portal)
    assert full == {
        "token": 5,
        "authorization_code": 1,
        "token_family": 2,
        "session": 1,
        "authorization_request": 1,
        "used_assertion": 1,
    }
    assert prune(record) == 0
    portal.clock.advance(DAY + 3600)
    assert prune(record) == 6
    assert counts(portal) == {"token": 2, "authorization_code": 1, "token_family": 1, "session": 1}
    third = portal.refresh(second["refresh_token"]).json()
    assert portal.holds(third["access_token"])
    portal.clock.advance(8 * DAY)
    prune(record)
    assert "session" not in counts(portal)
    portal.clock.advance(FAMILY_LIFE / 1_000_000)
    prune(record)
    assert counts(portal) == {}
    assert [one.client_id for one in consent.standing(record.select, "alan")] == ["app"]


def answers(portal, texts):
    """What every token and code answers, to everything that can be asked with it."""
    found = []
    for text in texts:
        found += [
            portal.holds(text),
            portal.refresh(text).json(),
            portal.browser.post("/revoke", data={"token": text, "client_id": "app"}).json(),
            portal.redeem(text).json(),
        ]
    return found


def test_dead_tokens_and_codes_answer_as_before(portal):
    portal.sign_in()
    used = portal.code()
    answer = portal.redeem(used).json()
    never = portal.code()
    texts = [used, never, answer["access_token"], answer["refresh_token"]]
    form = {"token": answer["refresh_token"], "client_id": "app"}
    assert portal.browser.post("/revoke", data=form).status_code == 200
    portal.clock.advance(DAY + 1)
    before = answers(portal, texts)
    assert prune(portal.services.record) > 0
    assert answers(portal, texts) == before
    assert not any(before[::4])


@pytest.mark.parametrize("days", [2, 60])
def test_a_replay_is_found_for_as_long_as_its_authorisation_lives(portal, days):
    portal.sign_in()
    used = portal.code()
    first = portal.redeem(used).json()
    second = portal.refresh(first["refresh_token"]).json()
    portal.clock.advance(days * DAY)
    assert prune(portal.services.record) > 0
    assert portal.refresh(first["refresh_token"]).json() == {"error": "invalid_grant"}
    assert portal.refresh(second["refresh_token"]).json() == {"error": "invalid_grant"}
    assert portal.ledger("revoke")[-1][-1] == "a replaced refresh token was used again"


def test_a_code_used_twice_long_after_still_ends_what_it_gave(portal):
    portal.sign_in()
    used = portal.code()
    first = portal.redeem(used).json()
    portal.clock.advance(30 * DAY)
    prune(portal.services.record)
    portal.redeem(used)
    assert portal.refresh(first["refresh_token"]).json() == {"error": "invalid_grant"}
    assert portal.ledger("revoke")[-1][-1] == "an authorisation code was used twice"


def test_an_assertion_stays_used_until_it_would_be_refused_for_its_age(portal):
    record = portal.services.record
    lab = laboratory()
    record.submit(portal.operator, lambda writer: clients.register(writer, lab)).result(10)
    signer = Signer(portal.clock)
    form = signer.form()
    assert portal.browser.post("/token", data=form).status_code == 200
    portal.clock.advance(329)
    prune(record)
    assert portal.browser.post("/token", data=form).json()["error"] == "invalid_client"
    assert portal.ledger("grant")[-1][-1] == "invalid_client: jti was used before"
    portal.clock.advance(1)
    prune(record)
    assert portal.browser.post("/token", data=form).json()["error"] == "invalid_client"
    assert portal.ledger("grant")[-1][-1] == "invalid_client: it has expired"


def test_a_piece_has_an_end_and_the_next_goes_on(portal, monkeypatch):
    record = portal.services.record
    lines = [{"client_id": "x", "jti": str(number), "expires": 0} for number in range(25)]
    record.submit(
        portal.operator, lambda writer: writer.execute(insert(used_assertion), lines)
    ).result(10)
    assert [prune(record, 10) for _ in range(4)] == [10, 10, 5, 0]
    monkeypatch.setattr(pruning, "MOST", 0)
    assert tidying.tidied(record) == tidying.PAUSE
    monkeypatch.setattr(pruning, "MOST", 500)
    assert tidying.tidied(record) == tidying.EVERY


def test_taking_away_what_has_run_out_is_no_access_and_leaves_no_entry(portal):
    portal.sign_in()
    portal.clock.advance(30 * DAY)
    before = len(portal.ledger())
    assert prune(portal.services.record) == 1
    assert len(portal.ledger()) == before


def test_where_nothing_can_be_written_it_comes_later(portal):
    portal.services.record.close()
    assert tidying.tidied(portal.services.record) == tidying.EVERY
