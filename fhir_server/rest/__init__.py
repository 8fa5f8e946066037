"""The FHIR interface over HTTP, one file per interaction."""
