"""The command `portal-fhir`, one file per command group."""
