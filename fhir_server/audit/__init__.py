"""The ledger of accesses: the event, its place in the tree, signed checkpoints, verification."""
