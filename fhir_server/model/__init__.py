"""What a FHIR R4 resource is: its JSON, its structure, its codes, its ids and its owner."""
