"""The ledger of accesses: one event, its place in the Merkle tree, signed checkpoints, verification."""
