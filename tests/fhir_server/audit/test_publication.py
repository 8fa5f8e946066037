"""The folder outside the database: what is written there, and what is refused to be signed."""

import pytest

from fhir_server.audit import checkpoint, ledger, merkle, publication
from fhir_server.audit.checkpoint import CheckpointRefused
from fhir_server.audit.merkle import Head
from fhir_server.audit.publication import CHECKPOINTS, LEAVES, PublicationRefused, Published

ORIGIN = "portal.example/ledger"
KEY = checkpoint.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = checkpoint.public_key_text(KEY, ORIGIN)
HASHES = [merkle.leaf_hash(bytes([number])) for number in range(9)]


def tree(size):
    return merkle.extend(Head(), HASHES[:size])


def publish(folder, before, size):
    new = HASHES[before.head.size : size]
    return publication.publish(folder, before, tree(size), new, KEY, ORIGIN)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "published"


def test_an_empty_folder_holds_the_empty_tree(folder):
    assert publication.latest(folder, VKEY) == Published(Head(), "")
    assert publication.all_notes(folder) == []


def test_notes_stand_one_after_another_and_leaf_hashes_too(folder):
    first = publish(folder, Published(Head()), 3)
    second = publish(folder, first, 9)

    assert (folder / CHECKPOINTS).read_text() == f"{first.note}\n{second.note}\n"
    assert (folder / LEAVES).read_bytes() == b"".join(HASHES)
    assert publication.all_notes(folder) == [first.note, second.note]
    assert checkpoint.verify(second.note, VKEY).root == merkle.root(tree(9))


def test_a_publisher_that_starts_again_goes_on_where_it_was(folder):
    first = publish(folder, Published(Head()), 3)

    assert publication.latest(folder, VKEY) == first
    second = publish(folder, publication.latest(folder, VKEY), 9)
    assert publication.latest(folder, VKEY) == second == Published(tree(9), second.note)


def test_what_a_crash_left_half_written_is_finished(folder):
    first = publish(folder, Published(Head()), 3)
    whole = publish(folder, first, 9)
    expected = (folder / CHECKPOINTS).read_bytes(), (folder / LEAVES).read_bytes()
    notes, hashes = expected
    for notes_left in (0, 1, len(whole.note.encode()) // 2, len(whole.note.encode())):
        for hashes_left in (0, 1, 33, 192):
            start = len(first.note.encode()) + 1
            (folder / CHECKPOINTS).write_bytes(notes[: start + notes_left])
            (folder / LEAVES).write_bytes(hashes[: 96 + hashes_left])

            again = publish(folder, publication.latest(folder, VKEY), 9)

            found = (folder / CHECKPOINTS).read_bytes(), (folder / LEAVES).read_bytes()
            assert (again, found) == (whole, expected)


def test_a_shorter_ledger_is_not_signed(folder):
    first = publish(folder, Published(Head()), 5)

    with pytest.raises(PublicationRefused, match="lacks 2 entries that were published"):
        publication.publish(folder, first, tree(3), [], KEY, ORIGIN)


def test_a_ledger_with_another_past_is_not_signed(folder):
    first = publish(folder, Published(Head()), 5)
    other = merkle.extend(Head(), [bytes(32), *HASHES[1:]])
    before = (folder / CHECKPOINTS).read_bytes(), (folder / LEAVES).read_bytes()

    with pytest.raises(PublicationRefused, match="does not follow from the last published"):
        publication.publish(folder, first, other, HASHES[5:], KEY, ORIGIN)
    assert ((folder / CHECKPOINTS).read_bytes(), (folder / LEAVES).read_bytes()) == before


def test_other_entries_behind_the_last_checkpoint_are_not_signed(folder):
    first = publish(folder, Published(Head()), 5)
    with (folder / LEAVES).open("ab") as file:
        file.write(bytes(32))

    with pytest.raises(PublicationRefused, match="other leaf hashes behind the last checkpoint"):
        publish(folder, first, 9)
    assert publication.all_notes(folder) == [first.note]


def test_a_head_that_its_entries_do_not_bear_out_is_not_signed(folder):
    with pytest.raises(PublicationRefused, match="does not follow from the last published"):
        publication.publish(folder, Published(Head()), tree(3), HASHES[:2], KEY, ORIGIN)
    assert not folder.exists()


@pytest.mark.parametrize("damage", [b"", b"".join(HASHES[:2]), bytes(96)])
def test_leaf_hashes_that_do_not_fit_the_last_note_stop_the_publisher(folder, damage):
    publish(folder, Published(Head()), 3)
    (folder / LEAVES).write_bytes(damage)

    with pytest.raises(PublicationRefused, match="does not fit the last note"):
        publication.latest(folder, VKEY)


def test_missing_leaf_hashes_stop_the_publisher(folder):
    publish(folder, Published(Head()), 3)
    (folder / LEAVES).unlink()

    with pytest.raises(PublicationRefused, match="does not fit the last note"):
        publication.latest(folder, VKEY)


def test_a_folder_signed_by_another_key_stops_the_publisher(folder):
    publish(folder, Published(Head()), 3)
    other = checkpoint.public_key_text(checkpoint.Ed25519PrivateKey.generate(), ORIGIN)

    with pytest.raises(CheckpointRefused, match="not signed by this key"):
        publication.latest(folder, other)


def test_many_leaf_hashes_are_read_back_whole(folder):
    many = [merkle.leaf_hash(number.to_bytes(4)) for number in range(10_000)]
    head = merkle.extend(Head(), many)
    publication.publish(folder, Published(Head()), head, many, KEY, ORIGIN)

    assert publication.latest(folder, VKEY).head == head


def test_the_ledger_itself_is_published_step_by_step(published):
    with published.engine.connect() as connection:
        head = ledger.head(connection)
    published.publish()

    assert publication.latest(published.folder, published.vkey) == published.published
    assert published.published.head == head
