"""FHIR search: parameters as data, resource to index rows, URL to query, query and access to SQL."""
