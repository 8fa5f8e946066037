"""One hospital that posts Bundles."""

from collections.abc import Iterator

import httpx
import pytest

from adapters.intake import registry
from portal_api.portal import Portal
from tests.adapters.fhir_push.hospital import MERSEY, Hospital
from tests.world import OPERATOR


@pytest.fixture
def engine_name() -> str:
    """One engine will do: nothing here is the database's."""
    return "sqlite"


@pytest.fixture
def hospital(portal: Portal, served: str) -> Iterator[Hospital]:
    """A hospital whose application may push, and its portal."""
    portal.record.submit(OPERATOR, lambda writer: registry.agree(writer, MERSEY)).result(10)
    portal.feeds.reread()
    with httpx.Client(timeout=30) as client:
        yield Hospital(portal, f"{served}/fhir", client)
