"""What a run leaves, for comparing runs."""

from pathlib import Path

from tractcap.reports.group_cache import DATABASE


def files(out: Path) -> dict[str, bytes]:
    """All files of an output by their paths, but for logs and the group level's database, which know of times."""
    found = (path for path in out.rglob("*") if path.is_file() and path.parent.name != "logs" and path.name != DATABASE)
    return {str(path.relative_to(out)): path.read_bytes() for path in found}
