"""The tables of all packages together, as the code has them."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from sqlalchemy import MetaData

_ROOMS = ("fhir_server.store.tables", "auth.tables", "adapters.intake.tables")


def metadatas() -> Sequence[MetaData]:
    """Return the metadata of each package that keeps tables."""
    return [import_module(room).metadata for room in _ROOMS if find_spec(room)]
