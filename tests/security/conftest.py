"""A world to attack, and what its answers are compared by."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from portal_api.portal import Portal
from tests.world import World, around, psa, shown


@pytest.fixture
def asked() -> Callable[[httpx.Response], tuple[int, dict[str, str], bytes]]:
    """What two answers are compared by."""
    return shown


@pytest.fixture
def result() -> Callable[..., bytes]:
    """The maker of results."""
    return psa


@pytest.fixture
def database_url(peopled_url: str) -> str:
    """A database with people in it, on each engine in turn."""
    return peopled_url


@pytest.fixture
def world(portal: Portal, served: str) -> Iterator[World]:
    """Alan and Brian with results each, a nurse who cares for both, and a clinician who doesn't."""
    with around(portal, served) as made:
        yield made
