"""Who runs the machine, as the ledger names them."""

from fhir_server.access import Access, Agent, NoRecord


def operator_access(user: str) -> Access:
    """Return the access of whoever runs the machine: no record, but a name on the ledger."""
    agent = Agent("operator", user=f"os:{user}", purpose="HOPERAT", behind=user)
    return Access(agent, f"cli-{user}"[:64], NoRecord(), {})
