"""Ways to sign a person in."""
