"""The record and its FHIR interface. Knows nothing of hospitals, tokens or pages."""
