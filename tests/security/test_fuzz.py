"""Whatever is asked, the answer is FHIR, is never a fault of ours, and is on the ledger (111).

Requests are generated: paths, queries, headers and bodies, out of what the interface knows and
out of noise. An answer tells nothing about the inside of this server.
"""

from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.model import json
from fhir_server.model.validate import judge
from fhir_server.rest.interactions import INTERACTIONS, parameters_of

INSIDE = (
    b"Traceback", b"sqlite", b"psycopg", b"sqlalchemy", b"SELECT ", b"INSERT ", b"site-packages",
    b"fhir_server", b".py", b"hidden_labels", b"release_at", b"KeyError", b"ValueError",
)  # fmt: skip
NAMES = sorted({name for kind in INTERACTIONS for name in parameters_of(kind)})
RESULT = ["_sort", "_count", "_include", "_total", "_summary", "_page", "_format", "_elements",
          "_has:x:y:z", "_revinclude", "_filter", "_before", "foo"]  # fmt: skip
MODIFIERS = ["", ":not", ":exact", ":contains", ":missing", ":Patient", ":in", ":", ":x y"]
VALUES = ["2857-1", "http://loinc.org|2857-1", "|x", "x|", "|", "final", "2026", "ge2026-11-24",
          "2026-11-24T10:00:00+01:00", "-date", "*", "Observation:subject", "1", "-1", "0", ",",
          "\\", "\\,", "%", "Patient/", "Patient/x/_history/1", "true", "json", "xml"]  # fmt: skip

few = settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)

noise = st.text(max_size=30) | st.text("\x00\r\n\x1b\x7f\u2028\u202e%'\"\\;<>{}|/.:", max_size=12)
kinds = st.sampled_from([*INTERACTIONS, "Medication", "observation", "$x", "_history", "metadata"])
segments = (
    kinds | st.sampled_from(["_history", "_search", "$everything", "..", ".", "1", ""]) | noise
)
values = st.sampled_from(VALUES) | noise
parameters = st.tuples(
    st.tuples(st.sampled_from([*NAMES, *RESULT]), st.sampled_from(MODIFIERS)).map("".join) | noise,
    values | st.tuples(values, values).map(",".join),
)
queries = st.lists(parameters, max_size=4)
methods = st.sampled_from(
    ["GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
)
headers = st.dictionaries(
    st.sampled_from(
        ["Accept", "Content-Type", "If-Match", "If-None-Match", "If-Modified-Since", "Prefer",
         "If-None-Exist", "X-Request-Id", "Content-Encoding"]
    ),
    st.sampled_from(
        ["application/fhir+json", "*/*", "text/html;q=0", 'W/"1"', "*", "return=minimal", "gzip",
         "", "Tue, 24 Nov 2026 10:00:00 GMT", ";;,=", "x" * 300, "\xff"]
    ),
    max_size=3,
)  # fmt: skip
leaves = st.none() | st.booleans() | st.integers() | noise | st.sampled_from(
    ["final", "2026-11-24", "Patient/x", "http://loinc.org", "#p", "5.10"]
)  # fmt: skip
elements = st.sampled_from(
    ["resourceType", "id", "meta", "status", "code", "coding", "subject", "reference", "value",
     "valueQuantity", "valueString", "effectiveDateTime", "extension", "url", "contained", "text",
     "div", "name", "participant", "member", "payload", "contentString", "_status", "identifier"]
)  # fmt: skip
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(elements, inner, max_size=6)
)


def holds(world: Any, asker: Any, method: str, path: str, **sent: Any) -> None:
    """Ask, and hold the answer to what all answers have in common."""
    before = world.entries()
    response = asker.ask(method, path, **sent)
    metadata = path.partition("?")[0] == "metadata" and method in {"GET", "HEAD"}
    assert response.status_code < 500, (method, path, sent)
    assert response.headers["content-type"].split(";")[0] in {
        "application/fhir+json",
        "application/json",
    } or response.status_code in {201, 304}
    if response.content:
        tree = judge(response.content)
        assert (response.status_code >= 400) == (tree["resourceType"] == "OperationOutcome")
        for told in INSIDE:
            assert told not in response.content, (told, method, path)
    added = world.entries() - before
    assert added >= 1 or metadata, (method, path)
    if not metadata:
        (entry,) = world.newest()
        assert entry.request_id == response.headers["x-request-id"]
        assert (entry.outcome == "0") == (response.status_code < 400)
        tree = judge(bytes(entry.body), "AuditEvent")
        assert json.encode(tree).decode().isprintable()


def test_case_111_whatever_is_asked_the_answer_is_fhir(world: Any) -> None:
    alan, nurse, auditor = (
        world.as_patient(world.alan),
        world.as_clinician(world.nurse),
        world.as_auditor(),
    )
    ids = st.sampled_from([world.alan, world.brian, *alan.ids("Observation"), "0" * 32])

    @few
    @given(
        st.sampled_from([alan, nurse, auditor]),
        methods,
        st.lists(segments | ids, max_size=5),
        queries,
        headers,
    )
    def ask(
        asker: Any, method: str, path: list[str], query: list[Any], sent: dict[str, str]
    ) -> None:
        # Dots are encoded, or the client itself would leave the interface.
        parts = [quote(one, safe="$", errors="replace").replace(".", "%2E") for one in path]
        address = "/".join(parts)
        asked = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
        encoded = {name: value.encode("latin-1") for name, value in sent.items()}
        holds(world, asker, method, f"{address}?{asked}" if asked else address, headers=encoded)

    ask()


def test_case_111_whatever_is_searched_for_the_answer_is_fhir(world: Any) -> None:
    system, auditor = world.as_client(), world.as_auditor()

    @few
    @given(st.sampled_from([*INTERACTIONS]), st.lists(parameters, min_size=1, max_size=3))
    def search(kind: str, query: list[tuple[str, str]]) -> None:
        asked = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
        holds(world, auditor if kind == "AuditEvent" else system, "GET", f"{kind}?{asked}")

    search()


def test_case_111_whatever_is_sent_the_answer_is_fhir(world: Any) -> None:
    system = world.as_client()
    kinds_sent = st.sampled_from([one for one in INTERACTIONS if one != "AuditEvent"])

    @few
    @given(kinds_sent, trees, st.binary(max_size=40), st.booleans(), st.booleans())
    def send(kind: str, tree: Any, tail: bytes, whole: bool, named: bool) -> None:
        content = tree | {"resourceType": kind} if named and isinstance(tree, dict) else tree
        body = json.encode(content) + (b"" if whole else tail)
        sent = {"Content-Type": "application/fhir+json"}
        holds(world, system, "POST", kind, content=body, headers=sent)

    send()
