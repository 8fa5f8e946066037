"""The verifier on its own: no false alarm, one file, and words that an auditor understands."""

import ast
import io
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.access import Agent
from fhir_server.audit import checkpoint, merkle, publication, verify
from fhir_server.audit.columns import columns
from fhir_server.audit.event import AccessEvent, encode
from fhir_server.audit.merkle import Head
from fhir_server.audit.verify import Tampered, Verified

ORIGIN = "portal.example/ledger"
KEY = checkpoint.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = checkpoint.public_key_text(KEY, ORIGIN)
SECOND = 1_000_000

BODIES = [
    encode(
        AccessEvent("search-type", "0", seq * SECOND, Agent(role="client", client="a"), f"r{seq}"),
        id_=f"{seq:032x}",
        nonce=bytes(16),
    )
    for seq in range(40)
]
ENTRIES = [(seq, body, columns(body)._asdict()) for seq, body in enumerate(BODIES)]
HASHES = [merkle.leaf_hash(body) for body in BODIES]


def tree(size):
    return merkle.extend(Head(), HASHES[:size])


def notes(*sizes):
    return "".join(checkpoint.sign(tree(size), KEY, ORIGIN) + "\n" for size in sizes)


def leaves(count):
    return io.BytesIO(b"".join(HASHES[:count]))


@given(st.integers(0, 40), st.sets(st.integers(0, 40)), st.booleans(), st.booleans())
def test_a_ledger_that_grew_and_was_published_raises_no_alarm(size, sizes, with_leaves, with_head):
    sizes = sorted(each for each in sizes if each <= size)
    covered = max(sizes, default=0)
    head = tree(size)

    outcome = verify.verify(
        ENTRIES[:size],
        notes(*sizes),
        VKEY,
        leaves=leaves(covered) if with_leaves else None,
        head=(size, b"".join(head.peaks)) if with_head else None,
        copies=[notes(each) for each in sizes],
    )

    window = (size - max(covered, 1)) * SECOND if size > covered else 0
    assert outcome == Verified(size, covered, size - covered, window, ())


@given(st.integers(1, 40), st.sets(st.integers(1, 40), min_size=1), st.data())
def test_any_changed_entry_that_was_published_is_named(size, sizes, data):
    sizes = sorted({min(each, size) for each in sizes})
    changed = data.draw(st.integers(0, sizes[-1] - 1))
    body = BODIES[changed].replace(b'"client"', b'"clients"')
    entries = [*ENTRIES[:size]]
    entries[changed] = (changed, body, columns(body)._asdict())

    found = verify.verify(entries, notes(*sizes), VKEY, leaves=leaves(sizes[-1]))
    narrowed = verify.verify(entries, notes(*sizes), VKEY)

    assert isinstance(found, Tampered)
    assert (found.fault, found.first, found.last) == ("entry", changed, changed)
    assert isinstance(narrowed, Tampered)
    last = min(each for each in sizes if each > changed)
    first = max((each for each in sizes if each <= changed), default=0)
    assert (narrowed.fault, narrowed.first, narrowed.last) == ("entry", first, last - 1)


@pytest.mark.parametrize("key", ["", "a+b+c", VKEY.replace("+AQ", "+AA"), ORIGIN])
def test_what_is_no_key_is_refused_before_anything_is_judged(key):
    with pytest.raises(ValueError, match=r".+"):
        verify.verify([], "", key)


def test_a_witness_may_have_signed_the_checkpoints_as_well():
    note = notes(3).rstrip("\n") + "\n— witness.example AAAAAAAA\n"

    assert verify.verify(ENTRIES[:3], note, VKEY) == Verified(3, 3, 0, 0, ())


@pytest.mark.parametrize("signature", ["", "AAAA", "!", "rt7IjQ=="])
def test_a_damaged_signature_is_found(signature):
    signed = notes(3).splitlines()
    broken = "\n".join([*signed[:-2], f"— {ORIGIN} {signature}", ""])

    outcome = verify.verify(ENTRIES[:3], broken, VKEY)

    assert isinstance(outcome, Tampered)
    assert outcome.fault == "checkpoint"


def signed_as(name, origin):
    """A checkpoint of *origin* over which the key named *name* has put its signature."""
    text = checkpoint.sign(tree(3), KEY, origin).split("\n\n")[0] + "\n"
    key_id = bytes.fromhex(VKEY.split("+")[1])
    return f"{text}\n— {name} {b64encode(key_id + KEY.sign(text.encode())).decode()}\n"


@pytest.mark.parametrize("name", [ORIGIN, "other.example"])
def test_the_checkpoints_of_another_ledger_are_found(name):
    assert signed_as(ORIGIN, ORIGIN) == checkpoint.sign(tree(3), KEY, ORIGIN)

    outcome = verify.verify(ENTRIES[:3], signed_as(name, "other.example"), VKEY)

    assert outcome == Tampered(
        0, 2, "checkpoint", "A checkpoint of 3 entries is not signed by the key that you hold.", ()
    )


def test_the_verifier_takes_nothing_from_the_system_that_it_judges():
    source = ast.parse(Path(verify.__file__).read_text())
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    outside = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}

    assert {name.split(".")[0] for name in outside} == {"cryptography"}


@pytest.fixture
def files(published, tmp_path):
    """What the auditor has on the command line: export, checkpoints, key and leaf hashes."""
    (tmp_path / "export.ndjson").write_bytes(published.export())
    return [
        str(tmp_path / "export.ndjson"),
        str(published.folder / publication.CHECKPOINTS),
        published.vkey,
        str(published.folder / publication.LEAVES),
    ]


def test_the_command_line_says_that_all_is_well_and_what_is_not_covered(files, capsys):
    assert verify.main(files) == verify.main(files[:3]) == 0
    assert capsys.readouterr().out == 2 * (
        "The 13 entries that checkpoints cover are those that were published.\n"
        "Not yet covered by a checkpoint: 7 entries, 7 seconds.\n"
    )


def test_the_command_line_names_the_first_entry_that_does_not_fit(files, tmp_path, capsys):
    lines = Path(files[0]).read_bytes().splitlines(keepends=True)
    Path(files[0]).write_bytes(b"".join(lines[:5] + lines[6:]))
    (tmp_path / "key.txt").write_text(files[2] + "\n")

    assert verify.main([*files[:2], str(tmp_path / "key.txt"), files[3]]) == 1
    assert capsys.readouterr().out == "5 stands where 4 belongs.\n"


def test_a_damaged_line_of_the_export_is_found(files, capsys):
    lines = Path(files[0]).read_bytes().splitlines(keepends=True)
    Path(files[0]).write_bytes(b"".join([*lines[:18], b"{\n", *lines[19:]]))

    assert verify.main(files) == 1
    assert capsys.readouterr().out == "Entry 17 is not an AuditEvent.\n"


def test_the_command_line_says_how_it_is_used():
    with pytest.raises(SystemExit, match=r"usage: verify.py EXPORT CHECKPOINTS KEY \[LEAVES\]"):
        verify.main([])
