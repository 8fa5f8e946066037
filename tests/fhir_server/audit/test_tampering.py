"""What the owner of the database can do to the ledger, and that the verifier finds it.

The verifier holds what was published: the checkpoints, the leaf hashes, and the public key. The
ledger has 20 entries; checkpoints cover the first 7 and the first 13.
"""

import io

import pytest
from sqlalchemy import delete, insert, update

from fhir_server.audit import checkpoint, ledger, merkle, publication, verify
from fhir_server.audit.publication import PublicationRefused
from fhir_server.audit.verify import Tampered, Verified
from fhir_server.store.tables import audit_checkpoint, audit_entry, audit_head

COLUMNS = {
    "id": "f" * 32,
    "recorded": 1,
    "patient": "e" * 32,
    "agent": "Practitioner/another",
    "client": "another",
    "subtype": "vread",
    "outcome": "4",
    "entity_type": "Patient",
    "entity": "Observation/another",
    "request_id": "another",
}


def test_a_ledger_that_nobody_touched_raises_no_alarm(published):
    assert published.judge() == published.judge(leaves=False)
    assert published.judge() == Verified(20, 13, 7, 7_000_000, ())


def test_once_a_checkpoint_covers_everything_nothing_is_left_uncovered(published):
    published.publish()

    assert published.judge() == Verified(20, 20, 0, 0, ())


def test_cutting_entries_off_behind_the_last_checkpoint_contradicts_the_head(published):
    with published.as_owner() as connection:
        connection.execute(delete(audit_entry).where(audit_entry.c.seq >= 17))

    assert published.place() == published.place(leaves=False) == ("head", 13, 19)


def test_what_no_checkpoint_covers_is_not_vouched_for_but_counted(published):
    published.rewrite(published.rows()[:17])

    assert published.judge() == Verified(17, 13, 4, 4_000_000, ())


def test_cutting_published_entries_off_is_found(published):
    published.rewrite(published.rows()[:10])

    assert published.place() == published.place(leaves=False) == ("tail", 10, 12)


def test_deleting_an_entry_in_the_middle_is_found(published):
    rows = published.rows()
    published.rewrite(rows[:5] + rows[6:])

    assert published.place() == published.place(leaves=False) == ("missing", 5, 5)


def test_editing_an_entry_is_found(published):
    body = published.rows()[9]["body"]
    published.change(9, body=body.replace(b"Dr Ada Bell", b"Dr Eve Hall"))

    assert published.place() == ("entry", 9, 9)
    assert published.place(leaves=False) == ("entry", 7, 12)


def test_editing_an_entry_and_the_columns_beside_it_is_found(published, fitted):
    row = published.rows()[9]
    body = row["body"].replace(row["patient"].encode(), b"e" * 32)
    published.rewrite([fitted(each, body) if each == row else each for each in published.rows()])

    assert published.place() == ("entry", 9, 9)
    assert published.place(leaves=False) == ("entry", 7, 12)


def test_editing_an_entry_and_rebuilding_the_tree_over_it_is_found(published, fitted):
    rows = published.rows()
    body = rows[2]["body"].replace(b'"outcome":"0"', b'"outcome":"4"')
    published.rewrite([*rows[:2], fitted(rows[2], body), *rows[3:]])

    assert published.place() == ("entry", 2, 2)
    assert published.place(leaves=False) == ("entry", 0, 6)


def test_writing_the_whole_ledger_anew_is_found(published, fitted):
    published.rewrite([fitted(row, published.body()) for row in published.rows()])

    assert published.place() == ("entry", 0, 0)
    assert published.place(leaves=False) == ("entry", 0, 6)


def test_an_entry_put_in_between_is_found(published, fitted):
    rows = published.rows()
    between = fitted(rows[5], published.body(recorded=rows[5]["recorded"]))
    published.rewrite([*rows[:5], between, *rows[5:]], renumber=True)

    assert published.place() == ("entry", 5, 5)
    assert published.place(leaves=False) == ("entry", 0, 6)


def test_two_entries_in_each_others_place_are_found(published):
    rows = published.rows()
    rows[3], rows[4] = rows[4], rows[3]
    published.rewrite(rows, renumber=True)

    assert published.place() == ("entry", 3, 3)
    assert published.place(leaves=False) == ("entry", 0, 6)


def test_an_entry_that_stands_there_twice_is_found(published):
    head, copies, entries = verify.read_export(io.BytesIO(published.export()))
    twice = [entry for entry in entries for _ in range(2 if entry[0] == 8 else 1)]
    notes = (published.folder / publication.CHECKPOINTS).read_text()

    outcome = verify.verify(twice, notes, published.vkey, head=head, copies=copies)

    assert outcome == Tampered(9, 9, "order", "8 stands where 9 belongs.", ())


def test_a_copy_of_an_entry_under_another_id_is_found(published, fitted):
    rows = published.rows()
    body = rows[8]["body"].replace(rows[8]["id"].encode(), b"f" * 32)
    published.rewrite([*rows[:9], fitted(rows[8], body), *rows[9:]], renumber=True)

    assert published.place() == ("entry", 9, 9)
    assert published.place(leaves=False) == ("entry", 7, 12)


def test_a_ledger_restored_from_a_backup_that_went_on_is_found_and_not_signed(published):
    published.rewrite(published.rows()[:10])
    published.append(12)

    assert published.place() == ("entry", 10, 10)
    assert published.place(leaves=False) == ("entry", 7, 12)
    with pytest.raises(PublicationRefused, match="does not follow from the last"):
        published.publish()


def test_a_ledger_restored_from_a_backup_is_not_signed(published):
    published.rewrite(published.rows()[:10])

    with pytest.raises(PublicationRefused, match="lacks 3 entries that were published"):
        published.publish()


def test_two_histories_signed_by_the_same_key_are_found(published):
    with published.engine.connect() as connection:
        leaves = list(ledger.leaves(connection, 0, 12))
    fork = merkle.extend(merkle.Head(), [*leaves, bytes(32)])
    other = checkpoint.sign(fork, published.key, "portal.example/ledger")
    with (published.folder / publication.CHECKPOINTS).open("a") as file:
        file.write(other)

    assert published.place() == published.place(leaves=False) == ("fork", 0, 12)


def test_a_changed_checkpoint_in_the_database_is_found(published):
    with published.as_owner() as connection:
        other = merkle.extend(merkle.Head(), [bytes(32)] * 13)
        stranger = checkpoint.Ed25519PrivateKey.generate()
        note = checkpoint.sign(other, stranger, "portal.example/ledger")
        where = audit_checkpoint.c.size == 13
        connection.execute(update(audit_checkpoint).where(where).values(note=note))

    assert published.place() == ("checkpoint", 0, 12)


def test_a_changed_root_under_an_old_signature_is_found(published):
    path = published.folder / publication.CHECKPOINTS
    root = published.published.note.splitlines()[2]
    path.write_text(path.read_text().replace(root, "A" * 43 + "="))

    assert published.place() == published.place(leaves=False) == ("checkpoint", 0, 12)


def test_a_checkpoint_made_unreadable_is_found(published):
    path = published.folder / publication.CHECKPOINTS
    path.write_text(path.read_text().replace("\n13\n", "\nthirteen\n"))

    assert published.place() == published.place(leaves=False) == ("checkpoint", 0, 0)


def test_checkpoints_signed_with_another_key_are_found(published):
    published.key = checkpoint.Ed25519PrivateKey.generate()

    assert published.place() == published.place(leaves=False) == ("checkpoint", 0, 6)


def test_a_clock_that_was_set_back_is_remarked_on(published):
    published.now -= 3_600_000_000
    published.append(1)

    outcome = published.judge()

    assert outcome == Verified(
        21, 13, 8, 7_000_000, ("The clock was set back before entry 20, or it is back-dated.",)
    )


def test_an_entry_dated_some_seconds_before_an_earlier_one_raises_no_alarm(published):
    published.now -= 30_000_000
    published.append(1)

    assert published.judge() == Verified(21, 13, 8, 7_000_000, ())


def test_an_emptied_ledger_is_found(published):
    published.rewrite([])

    assert published.place() == published.place(leaves=False) == ("tail", 0, 12)


def test_a_deletion_hidden_by_new_numbers_is_found(published):
    rows = published.rows()
    published.rewrite(rows[:5] + rows[6:], renumber=True)

    assert published.place() == ("entry", 5, 5)
    assert published.place(leaves=False) == ("entry", 0, 6)


def test_another_nonce_is_found(published):
    body = published.rows()[12]["body"]
    start = body.index(b'"valueBase64Binary":"') + 21
    published.change(12, body=body[:start] + b"A" * 22 + body[start + 22 :])

    assert published.place() == ("entry", 12, 12)
    assert published.place(leaves=False) == ("entry", 7, 12)


def test_the_same_entry_in_other_bytes_is_found(published):
    body = published.rows()[0]["body"]
    published.change(0, body=body.replace(b'","id":', b'", "id":', 1))

    assert published.place() == ("entry", 0, 0)
    assert published.place(leaves=False) == ("entry", 0, 6)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("seq", [3, 18])
def test_a_column_that_its_entry_does_not_bear_out_is_found(published, column, seq):
    published.change(seq, **{column: COLUMNS[column]})

    assert published.judge() == Tampered(
        seq, seq, "columns", f"Entry {seq} denies its columns: {column}.", ()
    )
    assert published.place(leaves=False) == ("columns", seq, seq)


def test_bytes_that_are_no_audit_event_are_found_where_no_checkpoint_covers_them(published):
    published.change(15, body=b"\xff{")

    assert published.place() == published.place(leaves=False) == ("unreadable", 15, 15)


def test_a_head_moved_without_its_entries_is_found(published):
    with published.engine.begin() as connection:
        connection.execute(update(audit_head).values(size=21, peaks=bytes(96)))

    assert published.place() == ("head", 13, 20)


def test_an_entry_added_past_the_head_is_found(published, fitted):
    with published.engine.begin() as connection:
        row = fitted({"seq": 20}, published.body())
        connection.execute(insert(audit_entry), row)

    assert published.place() == ("head", 13, 20)


def test_leaf_hashes_that_do_not_lead_to_the_checkpoints_count_for_nothing(published):
    path = published.folder / publication.LEAVES
    hashes = bytearray(path.read_bytes())
    hashes[32 * 9] ^= 1
    path.write_bytes(hashes)
    remark = "The leaf hashes do not lead to the checkpoint of 13 entries."

    assert published.judge() == Verified(20, 13, 7, 7_000_000, (remark,))
    published.rewrite(published.rows()[:9] + published.rows()[10:], renumber=True)
    assert published.place() == ("entry", 7, 12)


def test_a_checkpoint_that_a_crash_cut_short_is_left_out(published):
    path = published.folder / publication.CHECKPOINTS
    path.write_text(path.read_text() + "portal.example/ledger\n20\nAbCd")
    remark = "The last checkpoint was not written to its end, and is left out."

    assert published.judge() == Verified(20, 13, 7, 7_000_000, (remark,))
