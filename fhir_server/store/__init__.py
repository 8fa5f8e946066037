"""Where resources, their versions and their index rows are kept. Opened by `fhir_server.record` alone."""
