"""What a run leaves, for comparing runs."""

import difflib
from pathlib import Path

from tractcap.reports.group_cache import DATABASE


def files(out: Path) -> dict[str, bytes]:
    """All files of an output by their paths, but for logs and the group level's database, which know of times."""
    found = (path for path in out.rglob("*") if path.is_file() and path.parent.name != "logs" and path.name != DATABASE)
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def differences(found: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """One line a file that only one has, and the first lines that differ of those that both have."""
    told = []
    for name in sorted(found.keys() | expected.keys()):
        one, other = found.get(name), expected.get(name)
        if one is None or other is None:
            told.append(f"{name}: {'missing' if one is None else 'not expected'}")
        elif one != other:
            told.append(f"{name}: {len(one)} bytes, which aren't the {len(other)} expected")
            texts = ([part[:300] for part in content.decode(errors="replace").split("\n")] for content in (other, one))
            told += [] if name.endswith(".png") else [*difflib.unified_diff(*texts, n=0, lineterm="")][2:12]
    return told
