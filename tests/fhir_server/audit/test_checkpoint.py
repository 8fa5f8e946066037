"""Signed checkpoints: the form of C2SP, the key that signs them, and when one is due."""

import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fhir_server.audit import checkpoint, merkle
from fhir_server.audit.checkpoint import Checkpoint, CheckpointRefused
from fhir_server.audit.merkle import Head

ORIGIN = "portal.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HEAD = merkle.extend(
    Head(), [merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b"), merkle.leaf_hash(b"c")]
)
VKEY = checkpoint.public_key_text(KEY, ORIGIN)

# A public key and a note that other implementations of signed notes publish as their example.
FOREIGN_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOREIGN_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mF"
    "XmRKuwHjG1Yu72IneyaQM=\n"
)


def test_a_checkpoint_has_the_form_that_it_always_had():
    assert checkpoint.sign(HEAD, KEY, ORIGIN) == (
        "portal.example/ledger\n"
        "3\n"
        "NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n"
        "\n"
        "— portal.example/ledger rt7IjRzJDP/HU/GkMmHAVJYF6/PIaKdeNznZ"
        "qoePrpYfq/eZPaHRN25xn9Rfepfd5oK85akVtwGvclj3iA3hHYrqwgc=\n"
    )
    assert VKEY == "portal.example/ledger+aedec88d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"


def test_a_checkpoint_says_what_was_signed():
    note = checkpoint.sign(HEAD, KEY, ORIGIN)

    assert checkpoint.verify(note, VKEY) == Checkpoint(ORIGIN, 3, merkle.root(HEAD))


def test_the_signature_of_another_implementation_is_understood():
    with pytest.raises(CheckpointRefused, match="not a checkpoint of this ledger"):
        checkpoint.verify(FOREIGN_NOTE, FOREIGN_KEY)
    with pytest.raises(CheckpointRefused, match="signature does not fit"):
        checkpoint.verify(FOREIGN_NOTE.replace("example message", "other message"), FOREIGN_KEY)


def test_a_witness_may_sign_as_well():
    witness = checkpoint.sign(HEAD, Ed25519PrivateKey.generate(), "witness.example")
    note = checkpoint.sign(HEAD, KEY, ORIGIN) + witness.splitlines()[-1] + "\n"

    assert checkpoint.verify(note, VKEY).size == 3


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("\n3\n", "\n4\n", "signature does not fit"),
        (ORIGIN + "\n3", "other.example\n3", "signature does not fit"),
        ("— portal.example/ledger", "— other.example", "not signed by this key"),
        ("\n\n", "\n", "no signature"),
    ],
)
def test_a_changed_note_is_refused(old, new, refusal):
    note = checkpoint.sign(HEAD, KEY, ORIGIN)

    with pytest.raises(CheckpointRefused, match=refusal):
        checkpoint.verify(note.replace(old, new, 1), VKEY)


def test_a_note_signed_by_another_key_of_the_same_name_is_refused():
    note = checkpoint.sign(HEAD, Ed25519PrivateKey.generate(), ORIGIN)

    with pytest.raises(CheckpointRefused, match="not signed by this key"):
        checkpoint.verify(note, VKEY)


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AQ==", VKEY[:-4] + "AAA=", VKEY + "!"])
def test_what_is_no_public_key_is_refused(text):
    with pytest.raises(CheckpointRefused):
        checkpoint.parse_public_key(text)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak", "nb\u00a0sp"])
def test_an_origin_that_would_break_the_note_is_refused(origin):
    with pytest.raises(CheckpointRefused, match="without spaces and plus signs"):
        checkpoint.public_key_text(KEY, origin)
    with pytest.raises(CheckpointRefused, match="without spaces and plus signs"):
        checkpoint.sign(HEAD, KEY, origin)


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys" / "ledger.pem"
    made, found = checkpoint.load_or_create_key(path), checkpoint.load_or_create_key(path)

    assert made.private_bytes_raw() == found.private_bytes_raw()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_that_others_can_read_signs_nothing(tmp_path):
    path = tmp_path / "ledger.pem"
    checkpoint.load_or_create_key(path)
    path.chmod(0o640)

    with pytest.raises(CheckpointRefused, match="others may read"):
        checkpoint.load_or_create_key(path)


@pytest.mark.parametrize("other", [b"", b"not a key"])
def test_a_file_that_holds_no_key_is_refused(tmp_path, other):
    path = tmp_path / "ledger.pem"
    path.write_bytes(other)
    path.chmod(0o600)

    with pytest.raises(CheckpointRefused, match="holds no Ed25519 key"):
        checkpoint.load_or_create_key(path)


def test_a_key_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "ledger.pem"
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)

    with pytest.raises(CheckpointRefused, match="holds no Ed25519 key"):
        checkpoint.load_or_create_key(path)


@pytest.mark.parametrize(
    ("size", "now", "expected"),
    [
        (100, 60_000_000, False),
        (101, 59_999_999, False),
        (101, 60_000_000, True),
        (1099, 0, False),
        (1100, 0, True),
    ],
)
def test_a_checkpoint_is_due_each_minute_or_each_thousand_entries(size, now, expected):
    assert checkpoint.due(size, 100, 0, now) is expected
