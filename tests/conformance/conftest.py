"""The served portal with people in it, for programs of other makers and for published tables."""

from collections.abc import Iterator

import pytest

from portal_api.portal import Portal
from tests.world import World, around


@pytest.fixture
def database_url(peopled_url: str) -> str:
    """A database with people in it, on each engine in turn."""
    return peopled_url


@pytest.fixture
def world(portal: Portal, served: str) -> Iterator[World]:
    """Alan and Brian with results each, a nurse who cares for both, and a clinician who doesn't."""
    with around(portal, served) as made:
        yield made
