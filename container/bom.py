#!/usr/bin/python3
"""Write the image's bill of materials as CycloneDX: Python's distributions by cyclonedx-py, and Debian's packages.

bom.py FILE
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

CYCLONEDX = ("/opt/bom/bin/cyclonedx-py", "environment", "--output-reproducible", "--of", "JSON")
FIELDS = "${Package} ${Version} ${Architecture}\n"


def main(bill: Path) -> None:
    """Take what cyclonedx-py says of the environment, name it after the image, add Debian's packages."""
    told = json.loads(output(*CYCLONEDX, "/opt/tractcap/bin/python"))
    version = next(part["version"] for part in told["components"] if part["name"] == "tractcap")
    told["metadata"]["component"] = {"type": "container", "name": "tractcap", "version": version}
    told["components"] += debian()
    bill.parent.mkdir(exist_ok=True)
    bill.write_text(json.dumps(told, indent=1) + "\n")


def debian() -> Iterator[dict[str, str]]:
    """Debian's packages, with the addresses that scanners look up."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines())
    for line in output("dpkg-query", "-Wf", FIELDS).splitlines():
        name, version, machine = line.split()
        query = f"arch={machine}&distro={release['VERSION_CODENAME']}"
        address = f"pkg:deb/debian/{name}@{quote(version, safe='')}?{query}"
        yield {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}


def output(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603  our own


if __name__ == "__main__":
    main(Path(sys.argv[1]))
