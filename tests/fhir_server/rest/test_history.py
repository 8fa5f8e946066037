"""History of one resource: whole, newest first, in pages, and of visible versions only."""

from typing import Any

import pytest


def links(bundle: dict[str, Any]) -> dict[str, str]:
    return {one["relation"]: one["url"] for one in bundle["link"]}


def versions(bundle: dict[str, Any]) -> list[str]:
    return [one["resource"]["meta"]["versionId"] for one in bundle["entry"]]


def test_history_shows_each_version_with_what_made_it(api: Any) -> None:
    stored = api.file(api.observation("1"))
    api.clock.advance(60)
    api.file(api.observation("2"), id_=stored.id)
    bundle = api.get(f"/Observation/{stored.id}/_history", caller="alan").json()
    address = f"{api.base}/Observation/{stored.id}"
    assert (bundle["type"], bundle["total"]) == ("history", 2)
    assert links(bundle) == {"self": f"{address}/_history?_count=100"}
    second, first = bundle["entry"]
    assert {"fullUrl": address, "request": {"method": "PUT", "url": f"Observation/{stored.id}"},
            "response": {"status": "200", "etag": 'W/"2"',
                         "lastModified": "2030-01-07T09:01:00.345000Z"}
            } == {name: one for name, one in second.items() if name != "resource"}  # fmt: skip
    assert first["request"] == {"method": "POST", "url": "Observation"}
    assert first["response"]["status"] == "201"
    assert [one["resource"]["valueString"] for one in (second, first)] == ["2", "1"]


def test_walking_the_pages_shows_each_version_once(api: Any) -> None:
    stored = api.file(api.observation("0"))
    for value in range(1, 7):
        api.file(api.observation(str(value)), id_=stored.id)
    seen, path = [], f"{api.base}/Observation/{stored.id}/_history?_count=3"
    while path:
        bundle = api.get(path.removeprefix(api.base)).json()
        assert bundle["total"] == 7
        assert links(bundle)["self"] == path
        seen.append(versions(bundle))
        path = links(bundle).get("next", "")
    assert seen == [["7", "6", "5"], ["4", "3", "2"], ["1"]]


def test_a_version_that_is_held_is_in_no_page_and_in_no_total(api: Any) -> None:
    stored = api.file(api.observation("1"))
    api.file(api.observation("2"), id_=stored.id, release_at=None)
    path = f"/Observation/{stored.id}/_history"
    assert api.get(path, caller="alan").status_code == 404
    api.clock.advance(1)
    api.file(api.observation("3"), id_=stored.id)
    bundle = api.get(path, caller="alan").json()
    assert (bundle["total"], versions(bundle)) == (2, ["3", "1"])
    assert versions(api.get(path).json()) == ["3", "2", "1"]


@pytest.mark.parametrize(
    "query",
    ["_count=x", "_count=-1", "_count=", "_before=x", "_since=2020-01-01", "_at=2020", "_list=x",
     "_count=1&_count=2", "_count=" + "9" * 40],
)  # fmt: skip
def test_a_parameter_that_is_not_understood_is_named_and_refused(api: Any, query: str) -> None:
    stored = api.file(api.observation())
    response = api.get(f"/Observation/{stored.id}/_history?{query}")
    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == [query.partition("=")[0]]


def test_counts_are_bounded(api: Any) -> None:
    stored = api.file(api.observation())
    path = f"/Observation/{stored.id}/_history"
    assert links(api.get(f"{path}?_count=999999999").json())["self"].endswith("_count=100")
    assert len(api.get(f"{path}?_count=0").json()["entry"]) == 1
