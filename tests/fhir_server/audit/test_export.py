"""The export: every byte of the ledger, of one moment, in lines that need nothing to be read."""

import base64

from sqlalchemy import delete

from fhir_server.audit import export, ledger, merkle
from fhir_server.audit.columns import columns
from fhir_server.audit.merkle import Head
from fhir_server.model import json
from fhir_server.store.engine import open_engines
from fhir_server.store.tables import audit_head


def test_an_export_holds_head_checkpoints_and_every_entry_with_its_columns(installation):
    installation.append(2)
    installation.publish()
    bodies = [row["body"] for row in installation.rows()]
    head = merkle.extend(Head(), map(merkle.leaf_hash, bodies))

    found = [json.decode(line) for line in installation.export().splitlines()]

    assert found == [
        {
            "size": 2,
            "peaks": base64.b64encode(head.peaks[0]).decode(),
            "checkpoints": [installation.published.note],
        },
        *(
            {
                "seq": seq,
                "columns": columns(body)._asdict(),
                "body": base64.b64encode(body).decode(),
            }
            for seq, body in enumerate(bodies)
        ),
    ]


def test_an_empty_ledger_is_one_line(installation):
    assert installation.export() == b'{"size":0,"peaks":"","checkpoints":[]}\n'


def test_a_ledger_without_a_head_is_exported_as_it_stands(installation):
    installation.append(1)
    with installation.as_owner() as connection:
        connection.execute(delete(audit_head))

    first, entry = installation.export().splitlines()

    assert json.decode(first) == {"size": 0, "peaks": "", "checkpoints": []}
    assert json.decode(entry)["seq"] == 0


def test_what_is_appended_while_an_export_runs_is_not_half_in_it(database_url, installation):
    engines = open_engines(database_url)
    try:
        with engines.writer.begin() as connection:
            ledger.append(connection, [installation.body()])
        with export.snapshot(engines.reader) as connection:
            lines = export.lines(connection)
            first = json.decode(next(lines))
            with engines.writer.begin() as writing:
                ledger.append(writing, [installation.body()])
            rest = list(lines)
    finally:
        engines.dispose()

    assert (first["size"], len(rest)) == (1, 1)
