"""Whether what failed may work when it is tried again: a database that rests, or a fault of ours.

A message that meets a fault of ours would meet it for ever, and its sender's queue would stand
still. So it is tried a few times and then kept for a person.
"""

from collections.abc import Iterator

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from fhir_server.errors import Unavailable

TRIES = 3
"""How often a message that meets a fault of ours is tried before it is set aside."""


def is_passing(error: BaseException) -> bool:
    """Tell whether *error* came of a database that can't be used now, whatever the message.

    What the message itself brings about (a value that no column takes, an exception of any other
    kind) does not pass.
    """
    first = next((one for one in _causes(error) if isinstance(one, SQLAlchemyError)), None)
    if first is not None:
        return not isinstance(first, DataError | IntegrityError)
    *_, root = _causes(error)
    return isinstance(root, Unavailable) or root.__class__.__module__.startswith(
        "fhir_server.store"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
