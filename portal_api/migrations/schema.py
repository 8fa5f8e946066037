"""The tables of all packages together, as the code has them."""

from collections.abc import Sequence

from sqlalchemy import MetaData

from adapters.intake import tables as intake
from auth import tables as signing_in
from fhir_server.store import tables as record


def metadatas() -> Sequence[MetaData]:
    """Return the metadata of each package that keeps tables."""
    return [record.metadata, signing_in.metadata, intake.metadata]
