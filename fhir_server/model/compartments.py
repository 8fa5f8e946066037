"""Whose record a resource belongs to: one patient's, or nobody's."""

DIRECTORY = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})
"""Types that belong to no patient; rows of any other type without a patient are seen by nobody."""


def is_directory(resource_type: str) -> bool:
    """Tell whether resources of this type belong to no patient's record."""
    return resource_type in DIRECTORY
