"""The memory of the group level, however many records there are."""

import subprocess
import sys
from pathlib import Path

import pytest
from outputs import Output

MB = 2**20

_MEASURED = """
import re, sys
from pathlib import Path
from tractcap.reports import group_pieces
from tractcap.reports.group_page import write_group_page
group_pieces.MOST_INSIDE = 300
write_group_page(Path(sys.argv[1]))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024)
"""


def study(output: Output, participants: int) -> Path:
    """As many participants with 40 bundles each, whose records are copies with other names."""
    text = output.add("Tract", "x", pictures=False).read_text()
    for at in range(participants):
        folder = output.root / f"sub-{at:04d}/figures"
        folder.mkdir(parents=True)
        for bundle in range(40):
            copy = text.replace("sub-x", f"sub-{at:04d}").replace('"x"', f'"{at:04d}"').replace("Tract", f"T{bundle}")
            (folder / f"{bundle}.json").write_text(copy)
    return output.root


def peak(root: Path) -> int:
    """The most bytes that writing the group's page and tables took."""
    done = subprocess.run([sys.executable, "-c", _MEASURED, str(root)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.timeout(600)
def test_memory_hardly_grows_with_the_number_of_records(tmp_path: Path) -> None:
    """By less than 600 bytes each, for the part of the page that all rows have, and the database's bounded cache."""
    few, many = (tmp_path / name for name in ("few", "many"))
    few.mkdir(), many.mkdir()
    small, large = peak(study(Output(few), 25)), peak(study(Output(many), 250))
    assert large - small < 9000 * 600
    assert large < 64 * MB
