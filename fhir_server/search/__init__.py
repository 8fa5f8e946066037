"""FHIR search: parameters as data, resource → index rows, URL → query, query and access → SQL."""
