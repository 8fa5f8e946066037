"""FHIR over HTTPS, one Bundle a request: a message, a document, or a transaction.

What comes this way goes the way of every message: kept before anything, the same bytes again get
the same answer. A message that was read is answered by a message; anything else entry by entry, and
it is filed whole, or not at all. Who may push as which feed is for the caller to say.
"""

from concurrent.futures import Future
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from adapters.fhir_push.answer_codes import status_of
from adapters.fhir_push.bundle import Kind
from adapters.fhir_push.reading import Came, read
from adapters.intake import reception
from adapters.intake.admission import by_push, pushed_by
from adapters.intake.feeds import Feed
from adapters.intake.http_push import Pusher, Pushing, answered, body_of, require_feeds, room
from adapters.intake.reception import Answers
from fhir_server.record import Record
from fhir_server.rest.body import BODY_LIMIT
from fhir_server.rest.formats import SAFE, answer_type, parameters, require_sent_as

_TRANSIENT = 503


async def push(door: Pushing, pusher: Pusher, request: Request, kind: Kind, base: str) -> Response:
    """Return the answer to the Bundle that *request* brings; *base* is the FHIR address.

    Raises Forbidden where no feed names the application, UnsupportedMedia and NotAcceptable for
    another format, Invalid for a parameter, TooLarge past the limit, Unavailable where it is to be
    sent again.
    """
    feeds = pushed_by(door.feeds(), pusher.client)
    mine = require_feeds(feeds)
    require_sent_as(request)
    content_type = answer_type(request)
    parameters(request)
    agreed = max(feed.frame_limit for feed in mine)
    limit = min(agreed, door.limits.frame, BODY_LIMIT)
    with room(door, request, limit):
        body = await body_of(door, mine, pusher, request, limit)
        peer = by_push(pusher.access.agent.network, pusher.client)
        came = Came(body, kind, peer, door.record.clock(), base)
        answers = await answered(partial(receive, door.record, mine, came))
    door.tally.counts["pushed"] += 1
    status = status_of(answers[0])
    again = {"Retry-After": "5"} if status == _TRANSIENT else {}
    return Response(answers[0], status, {**SAFE, **again}, media_type=content_type)


def receive(record: Record, feeds: tuple[Feed, ...], came: Came) -> "Future[Answers]":
    """File the Bundle that *came*; the Future has the one answer once all is committed.

    *feeds* are those that its sender may speak as. Never fails: where the store can't be written,
    the answer says so.
    """
    return reception.answered(record, read(feeds, came))
