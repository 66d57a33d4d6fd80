"""The group level of a large study in a real container, under a real limit."""

from pathlib import Path

import pytest
from outputs import Output

from conftest import Run

pytestmark = [pytest.mark.container, pytest.mark.timeout(300)]

MB = 2**20
PARTICIPANTS, BUNDLES = 420, 72


def add_study(output: Output) -> None:
    """Records that are copies of one, and participants' pages."""
    model = output.add("Tract", "x", pictures=False)
    text = model.read_text()
    for at in range(PARTICIPANTS):
        folder = output.root / f"sub-{at:04d}/figures"
        folder.mkdir(parents=True)
        of_participant = text.replace("sub-x", f"sub-{at:04d}").replace('"x"', f'"{at:04d}"')
        for bundle in range(BUNDLES):
            (folder / f"{bundle}.json").write_text(of_participant.replace("Tract", f"T{bundle}"))
        (output.root / f"sub-{at:04d}.html").write_text(f'<meta name="records" content="{BUNDLES}">')
    model.unlink()


def test_a_large_study_in_512_mb(contained: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    output = tmp_path / "out"
    add_study(Output(output))
    done = contained(tmp_path, "/out", "/out", "group", memory="512m")
    assert done.status == 0, done.stderr
    assert not done.oom_killed
    assert "memory 512 MB, bound by /sys/fs/cgroup" in done.stderr
    assert "can't be made" not in done.stderr
    assert 0 < done.peak <= 512 * MB
    assert len((output / "group_tractograms.tsv").read_text().splitlines()) == 1 + PARTICIPANTS * BUNDLES
