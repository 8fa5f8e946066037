"""Where resources, versions and index rows are kept. Opened by `fhir_server.record` alone."""
