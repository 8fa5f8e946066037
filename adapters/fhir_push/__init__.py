"""FHIR Bundles that hospitals push: taken apart into what a message of HL7 v2 becomes, too."""
