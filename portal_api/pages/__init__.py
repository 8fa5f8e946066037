"""Server-rendered pages for patients, clinicians, auditors and operators."""
