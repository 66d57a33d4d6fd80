"""Write the version of src/tractcap/version.py wherever else it stands.

    set_version.py [VERSION]

``make version VERSION=1.0.0`` calls it: with a version, that is written to version.py first.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = "src/tractcap/version.py"

VERSION = r"[0-9]+(?P<dot>[.-])[0-9]+(?P=dot)[0-9]+(?:(?:a|b|rc)[0-9]+)?"
BEFORE = r'^version: "?|__version__ = "|image\.version="|"(?:tool-version|VERSION)": "'
NAME = r'(?<![a-z.])tractcap(?:[:@ -]|==|--|: ")'
COPY = re.compile(f"(?P<before>{BEFORE}|{NAME})(?P<version>{VERSION})", re.MULTILINE)
"""What stands before a version of tractcap in files, and the version, which names of images write with dashes."""

FILES = ("CITATION.cff", "Dockerfile", "apptainer.def", "integrations/boutiques/tractcap.json", SOURCE)
FOLDERS = ("examples", "integrations")
"""All that names the version of this tree; other files may name one of the past."""


def main() -> None:
    """Write the version into all files."""
    given = sys.argv[1] if len(sys.argv) > 1 else ""
    version = given or COPY.search((ROOT / SOURCE).read_text(encoding="utf-8"))["version"]  # type: ignore[index]
    if not re.fullmatch(VERSION, version) or "-" in version:
        sys.exit(f"{version} is no version: give one such as 1.0.0 or 1.0.0rc1")
    within = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in (*(ROOT / name for name in FILES), *within):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            COPY.sub(lambda found: found["before"] + version.replace(".", found["dot"]), text), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
