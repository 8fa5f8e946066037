"""A portal with its pages, on each engine, and its pages as they are rendered from samples."""

from collections.abc import Iterator

import pytest

from tests.portal_api.pages.world import World, make_world


@pytest.fixture
def world(sqlite_url, tmp_path) -> Iterator[World]:
    """A portal on SQLite."""
    yield from make_world(sqlite_url, tmp_path)


@pytest.fixture
def either_world(database_url, tmp_path) -> Iterator[World]:
    """A portal on each engine in turn."""
    yield from make_world(database_url, tmp_path)
