"""The demonstration: synthetic hospitals, patients and a live feed, on loopback only."""
