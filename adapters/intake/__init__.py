"""Receiving what hospitals send: who may send, which patient is meant, one message one transaction."""
