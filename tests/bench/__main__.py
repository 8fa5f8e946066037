"""`make bench`: what the portal costs, as ratios within one run; absolute figures swing."""

from rich.console import Console
from rich.table import Table

from tests.bench import filing, parsing, reading, stores


def main() -> None:
    """Measure and print; nothing is judged."""
    console = Console(width=118)
    table = Table("what", "SQLite", "PostgreSQL", title="Portal FHIR, ratios within one run")
    with stores.sqlite() as one, stores.postgresql() as other:
        with console.status("filing messages"):
            for results in filing.RESULTS:
                found = [filing.measure(fresh, results) for fresh in (one, other)]
                _filing(table, found, results)
        with console.status("reading results"):
            _reading(table, [reading.measure(fresh) for fresh in (one, other)])
    console.print(table)
    with console.status("reading messages"):
        parsed = _parsing()
    console.print(parsed)


def _filing(table: Table, found: list[filing.Filing], results: int) -> None:
    shape = f"ORU, {results} results, {filing.CONNECTIONS} connections"
    table.add_row(f"filed: messages/s ({shape})", *(f"{one.filed:,.0f}" for one in found))
    table.add_row("the same rows bare: messages/s", *(f"{one.raw:,.0f}" for one in found))
    table.add_row(
        "  messages to a commit · rows of a message",
        *(f"{one.group:.1f} · {one.rows:.0f}" for one in found),
    )
    table.add_row("  processor time of a message, ms", *(f"{one.cpu * 1000:.2f}" for one in found))
    table.add_row(
        "  wait for an answer at half load, p99, ms", *(f"{one.p99 * 1000:.0f}" for one in found)
    )
    table.add_row("filed / bare", *(f"{one.filed / one.raw:.2f}" for one in found))
    table.add_section()


def _reading(table: Table, found: list[reading.Reading]) -> None:
    shape = f"{reading.CONNECTIONS} connections"
    reads = [f"{one.reads:,.0f}" for one in found]
    table.add_row(f"reads with token and ledger: /s ({shape})", *reads)
    table.add_row("fixed bytes: /s", *(f"{one.fixed:,.0f}" for one in found))
    table.add_row("reads / fixed bytes", *(f"{one.reads / one.fixed:.2f}" for one in found))


def _parsing() -> Table:
    table = Table("processor time of a message, ms", "20 results", "40 results")
    found = [parsing.measure(results) for results in (20, 40)]
    table.add_row("read", *(f"{one.read:.2f}" for one in found))
    table.add_row("read and mapped", *(f"{one.mapped:.2f}" for one in found))
    table.add_row("read, mapped and judged", *(f"{one.judged:.2f}" for one in found))
    table.add_row("hl7apy: read", *(f"{one.hl7apy:.1f}" for one in found))
    table.add_row("hl7apy / read", *(f"{one.hl7apy / one.read:,.0f}" for one in found))
    table.add_row("hl7apy / read and mapped", *(f"{one.hl7apy / one.mapped:.0f}" for one in found))
    return table


if __name__ == "__main__":
    main()
