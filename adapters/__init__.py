"""Everything that speaks to the outside in another tongue."""
