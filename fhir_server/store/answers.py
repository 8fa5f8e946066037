"""How a piece's future gets its answer, and what it says where nothing could be written."""

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from fhir_server.errors import Unavailable


def tell(future: "Future[Any]", outcome: Any) -> None:
    """Give *outcome*, a result or an error, to whoever waits; nothing to who was answered."""
    with suppress(InvalidStateError):
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def unavailable(cause: BaseException) -> Unavailable:
    """Return the error of a piece that may be tried again, brought about by *cause*."""
    error = Unavailable.of("The record or its ledger can't be written now. Please try again.")
    error.__cause__ = cause
    return error
