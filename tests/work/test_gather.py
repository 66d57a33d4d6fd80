"""The group level, by its command."""

import os
import subprocess
import sys
from pathlib import Path

import phantoms
import pytest
from checked import tell
from outputs import Output

FAULTS = Path(__file__).parents[1] / "helpers/faults"


def run(*arguments: object, fault: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    paths = os.pathsep.join(filter(None, [str(FAULTS), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": paths, "FAULT": fault}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_the_group_of_what_participants_have_left(tmp_path: Path) -> None:
    """It needs the output alone, and writes pages anew that are behind."""
    for who in ("01", "02"):
        (tmp_path / f"in/sub-{who}").mkdir(parents=True)
        phantoms.save(tmp_path / f"in/sub-{who}/AF_L.tck", phantoms.asymmetric_bundle(3))
    out = tmp_path / "out"
    assert run(tmp_path / "in", out, "participant", "--size", "64", "--views", "left").returncode == 0
    page = (out / "sub-01.html").read_bytes()
    (out / "sub-01.html").unlink()
    (out / "sub-02.html").write_text("stale")
    os.utime(out / "sub-02.html", ns=(1, 1))
    done = run("nowhere", out, "group")
    assert done.returncode == 0, done.stderr
    written = ["group_tractograms.tsv", "group_tractograms.json", "group.html", "qc_studio/qc.json"]
    assert done.stdout.split() == [str(out / name) for name in written]
    assert (out / "sub-01.html").read_bytes() == page
    assert "stale" not in (out / "sub-02.html").read_text()
    assert len((out / "group_tractograms.tsv").read_text().splitlines()) == 3
    before = (out / "sub-01.html").stat().st_mtime_ns
    assert run("nowhere", out, "group").returncode == 0
    assert (out / "sub-01.html").stat().st_mtime_ns == before, "it was up to date"


def test_groups_of_participants(tmp_path: Path) -> None:
    """The input's participants.tsv counts; what it lacks is an error before anything is written."""
    output = Output(tmp_path / "out")
    for who in ("01", "02"):
        output.add("ForcepsMajor", who)
    wrong = run(tmp_path, tmp_path / "out", "group", "--group-by", "site")
    assert wrong.returncode == 2
    assert "--group-by needs participants.tsv, which is in none of" in wrong.stderr
    (tmp_path / "participants.tsv").write_text("participant_id\tsite\nsub-01\teast\n")
    wrong = run(tmp_path, tmp_path / "out", "group", "--group-by", "scanner")
    assert wrong.returncode == 2
    assert "has no column scanner" in wrong.stderr
    assert not (tmp_path / "out/group.html").exists()
    done = run(tmp_path, tmp_path / "out", "group", "--group-by", "site")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 records were new or changed, and were read" in done.stderr
    lines = [line.split("\t") for line in (tmp_path / "out/group_tractograms.tsv").read_text().splitlines()]
    assert [line[lines[0].index("group")] for line in lines] == ["group", "east", "n/a"]
    assert run(tmp_path, tmp_path / "out", "participant", "--group-by", "site").returncode == 2


def test_nothing_to_gather(tmp_path: Path) -> None:
    done = run(tmp_path, tmp_path / "out", "group")
    assert done.returncode == 3
    assert "run the participant level first" in done.stderr


@pytest.mark.parametrize(
    ("fault", "said"), [("raise", "injected"), ("segv", "SIGSEGV"), ("KILL", "SIGKILL"), ("hang", "it hung")]
)
def test_a_page_that_can_not_be_made_costs_itself_alone(tmp_path: Path, fault: str, said: str) -> None:
    output = Output(tmp_path)
    for who in ("01", "02", "03"):
        output.add("ForcepsMajor", who)
    done = run("nowhere", tmp_path, "group", "--timeout", 20, fault=f"page-{fault}:02")
    assert done.returncode == 1
    assert "the page sub-02.html can't be made: " in done.stderr
    assert said in done.stderr
    assert sorted(path.name for path in tmp_path.glob("*.html")) == ["group.html", "sub-01.html", "sub-03.html"]
    assert len((tmp_path / "group_tractograms.tsv").read_text().splitlines()) == 4
    again = run("nowhere", tmp_path, "group")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "sub-02.html").is_file()


_COUNTING = """
import sys
from collections import Counter
from pathlib import Path
opened = Counter()
sys.addaudithook(lambda event, given: opened.update([str(given[0])]) if event == "open" and given[1] else None)
from tractcap.reports.group_page import write_group_page
from tractcap.reports.participant_page import write_participant_page
for make in (lambda: write_participant_page(Path(sys.argv[1]), "01"), lambda: write_group_page(Path(sys.argv[1]))):
    opened.clear()
    make()
    found = {name: count for name, count in opened.items() if "/figures/" in name and name.endswith(".json")}
    print(len(found), max(count for name, count in found.items() if "_check-" not in name), max(found.values()))
"""


def test_each_record_is_read_once(tmp_path: Path) -> None:
    """For cards and methods text alike, and for all tables."""
    output = Output(tmp_path)
    for key in ("ForcepsMajor", "ArcuateFasciculus_L"):
        tell(output, output.add(key).stem, "shape", Measures={"Streamlines": 7})
    output.add("", kind="overview", stem="sub-01_desc-overview")
    command = [sys.executable, "-c", _COUNTING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["5 1 1", "5 1 1"]
