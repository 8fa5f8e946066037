"""Which feeds somebody may speak as, by what the way in proves of them before a message is read.

A client certificate is proof of a feed that names its fingerprint, and of no other; a feed that
names certificates is spoken as over TLS with one of them, and over MLLP no other way. What a feed
asks of address and names (MSH-3 to MSH-6) is asked of each message all the same. A token is proof
of the feeds that name its application, whatever address it comes from: that is a proxy's, often.
"""

from dataclasses import dataclass, replace

from adapters.intake.feeds import Feed, address_of

ANYWHERE = ("0.0.0.0/0", "::/0")
_PUSHED, _DROPPED = "pushed by ", "dropped for "


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection.

    *certificate* is the SHA-256 of the client certificate that it proved to hold, in lower-case
    hexadecimal; empty on a connection without TLS.
    """

    address: str
    certificate: str = ""


def admitted(feeds: tuple[Feed, ...], peer: Peer) -> tuple[Feed, ...]:
    """Return *feeds*; those that *peer* can't speak as are left without a source."""
    return tuple(
        feed if _admits(feed, peer.certificate) else replace(feed, sources=()) for feed in feeds
    )


def pushed_by(feeds: tuple[Feed, ...], client: str) -> tuple[Feed, ...]:
    """Return *feeds*; those that name the application *client* take it from anywhere.

    The others are left without a source.
    """
    return tuple(_open(feed, is_open=client in feed.clients) for feed in feeds)


def dropped_for(feeds: tuple[Feed, ...], name: str) -> tuple[Feed, ...]:
    """Return *feeds*; the one called *name* takes from anywhere, the others from nowhere."""
    return tuple(_open(feed, is_open=feed.name == name) for feed in feeds)


def by_push(address: str, client: str) -> str:
    """Return where a message came from that the application *client* pushed from *address*."""
    return f"{address} {_PUSHED}{client}"


def by_drop(address: str, name: str) -> str:
    """Return where a message came from that was dropped into the folder of the feed *name*."""
    return f"{address} {_DROPPED}{name}"


def admitted_again(feeds: tuple[Feed, ...], peer: str) -> tuple[Feed, ...]:
    """Return *feeds* as they are open to what came from *peer* before, by the way that it came.

    A certificate is proven by a connection alone: whoever has one sends again.
    """
    address = address_of(peer)
    way = peer.removeprefix(address).strip()
    if way.startswith(_PUSHED):
        return pushed_by(feeds, way.removeprefix(_PUSHED))
    if way.startswith(_DROPPED):
        return dropped_for(feeds, way.removeprefix(_DROPPED))
    return admitted(feeds, Peer(address))


def _open(feed: Feed, *, is_open: bool) -> Feed:
    return replace(feed, sources=ANYWHERE if is_open else ())


def is_known(feeds: tuple[Feed, ...], peer: Peer) -> bool:
    """Tell whether there is a feed that *peer* can speak as at all."""
    return any(_admits(feed, peer.certificate) for feed in feeds)


def _admits(feed: Feed, certificate: str) -> bool:
    if not certificate:
        return not feed.certificates
    return certificate in {one.replace(":", "").lower() for one in feed.certificates}
