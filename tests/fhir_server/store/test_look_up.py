"""A piece reads what it needs once: many resources in one statement, and never the same twice."""

from sqlalchemy import event

from fhir_server.access import Access, Agent, NoRecord
from fhir_server.model.ids import bucket_of, new_id
from fhir_server.record import Record, Writer

ACCESS = Access(Agent("operator"), "r", NoRecord(), {})


def organization(name: str) -> dict[str, str]:
    return {"resourceType": "Organization", "name": name}


def test_many_are_read_at_once_and_each_write_is_seen(record: Record) -> None:
    bucket = 7
    ids = [new_id(bucket) for _ in range(600)]
    statements: list[str] = []

    def write(writer: Writer) -> None:
        for id_ in ids[:10]:
            writer.file(organization("before"), id_=id_, patient="", release_at=writer.now)

    def piece(writer: Writer) -> list[str]:
        writer.look_up("Organization", ids)
        writer.look_up("Organization", ids)
        assert writer.current("Organization", ids[0]) is not None
        assert writer.current("Organization", ids[-1]) is None
        changed = writer.file(organization("after"), id_=ids[0], patient="", release_at=writer.now)
        assert changed.stored.version == 2
        assert writer.current("Organization", ids[0]) == changed.stored
        return [id_ for id_ in ids if writer.current("Organization", id_) is not None]

    record.submit(ACCESS, write, buckets=[bucket]).result(timeout=30)
    event.listen(
        record.engines.writer,
        "before_cursor_execute",
        lambda _c, _u, statement, *_: statements.append(statement),
    )
    found = record.submit(ACCESS, piece, buckets=[bucket]).result(timeout=30)
    assert found == ids[:10]
    reads = [one for one in statements if one.startswith("SELECT resource.")]
    assert len(reads) == 2
    assert {bucket_of(id_) for id_ in ids} == {bucket}


def test_what_an_attempt_undid_is_read_as_it_was(record: Record) -> None:
    id_ = new_id(7)

    def act(writer: Writer) -> None:
        writer.look_up("Organization", [id_])
        writer.file(organization("x"), id_=id_, patient="", release_at=writer.now)
        raise KeyError(id_)

    def piece(writer: Writer) -> bool:
        try:
            writer.attempt(lambda: act(writer))
        except KeyError:
            return writer.current("Organization", id_) is None
        return False

    assert record.submit(ACCESS, piece, buckets=[7]).result(timeout=30)
