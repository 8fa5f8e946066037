"""Receiving what hospitals send: who may send, who is meant, one message one transaction."""
