"""The authorisation endpoint, over HTTP: what is asked, shown, allowed, refused."""


def test_a_patient_allows_an_app_and_the_app_gets_a_token(portal):
    portal.sign_in()
    answer = portal.redeem(portal.code())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body == {
        "access_token": body["access_token"],
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "launch/patient offline_access patient/*.rs patient/Communication.c",
        "patient": "0a1" + "1" * 29,
        "refresh_token": body["refresh_token"],
    }
