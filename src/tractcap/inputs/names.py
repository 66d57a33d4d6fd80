"""Names of tractogram files. Standard library alone: the planner's process imports it."""

ENDINGS = (".trk.gz", ".tck.gz", ".trk", ".tck", ".trx", ".vtk", ".vtp")
"""Endings of the formats that can be read, longest first."""


def split_name(name: str) -> tuple[str, str]:
    """Split a file's name into its stem and its known ending in lower case (``""`` when it has none)."""
    for ending in ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)], ending
    return name, ""
