"""HL7 v2: bytes to frames, frames to segments, segments to FHIR. Pure: no socket, no database."""
