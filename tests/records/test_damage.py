"""Every kind of file beside the pictures, in every state that it may be in, costs itself alone wherever it is read."""

import csv
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import phantoms
import pytest
from checked import tell
from damage import FILES, RECORDS, spoiled
from outputs import Output

from tractcap.reports.group_page import write_group_page
from tractcap.reports.participant_page import write_participant_page
from tractcap.work.output_folder import describe_dataset

Damage = Callable[[Path], None]

KINDS = ("tractogram", "overview", "check")


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "out")


def filled(output: Output) -> dict[str, Path]:
    """Two participants with two bundles and an overview each; the records that are damaged, by their kinds."""
    for who in ("01", "02"):
        bundle = output.add("ArcuateFasciculus_L", who)
        output.add("ForcepsMajor", who)
        overview = output.add("", who, kind="overview", stem=f"sub-{who}_desc-overview")
        if who == "01":
            check = tell(output, bundle.stem, "cci", Measures={"Retention": 0.5})
            tell(output, bundle.stem, "shape", Measures={"Streamlines": 7})
            found = {"tractogram": bundle, "overview": overview, "check": check}
    return found


def state(path: Path) -> tuple[int, int, int]:
    """Changes when a file is replaced or written to."""
    found = os.lstat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def rows(output: Output, name: str = "group_tractograms.tsv") -> list[dict[str, str]]:
    text = (output.root / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", RECORDS.values(), ids=RECORDS)
def test_pages_and_tables_have_all_else(output: Output, damage: Damage, kind: str) -> None:
    path = filled(output)[kind]
    damage(path)
    relative = path.relative_to(output.root).as_posix()
    assert write_participant_page(output.root, "01")
    write_group_page(output.root)
    text = (output.root / "sub-01.html").read_text(encoding="utf-8")
    assert text.count("<article ") == 3
    assert f"file {relative} can&#39;t be understood: " in text
    assert f'class="{"check" if kind == "check" else "card"} unreadable' in text
    assert f"Pictures of {1 if kind == 'tractogram' else 2} tractograms"[:-1] in text
    status = {(row["participant_id"], row["bundle"]): row["status"] for row in rows(output)}
    here = {"ArcuateFasciculus_L": "unreadable" if kind == "tractogram" else "drawn", "ForcepsMajor": "drawn"}
    assert {name: status["sub-01", name] for name in here} == here
    assert [status["sub-02", name] for name in here] == ["drawn", "drawn"]
    assert len(status) == 4
    everyone = (output.root / "group.html").read_text(encoding="utf-8")
    assert (f"{relative} can\\u0027t be understood: " in everyone) == (kind == "tractogram")
    if kind == "check":
        (row,) = rows(output, "group_checks.tsv")
        assert (row["cci_status"], row["shape_status"], row["shape_Streamlines"]) == ("unreadable", "done", "7")


def many(output: Output, of: dict[str, Any], place: Callable[[int], Path]) -> int:
    """Write records, each with another value that is odd; returns how many."""
    count = 0
    for told in spoiled(of):
        place(count).write_text(json.dumps(told))
        count += 1
    return count


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_an_odd_picture_costs_itself_alone(output: Output, damage: Damage) -> None:
    record = filled(output)["tractogram"]
    (picture,) = record.parent.glob(f"{record.stem}_mosaic.png")
    damage(picture)
    assert write_participant_page(output.root, "01")
    write_group_page(output.root)
    assert [row["status"] for row in rows(output)] == ["drawn"] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_no_value_of_any_key_costs_more_than_its_record(output: Output, kind: str) -> None:
    """All in one output: each has a card, and each tractogram a row."""
    whole = filled(output)[kind]
    told, folder = json.loads(whole.read_text()), whole.parent
    if kind == "check":
        told |= {"Flags": [{"Name": "low", "Measure": "Retention", "Value": 0.5, "Below": 0.7}], "Notes": ["a"]}
        told |= {name: [{"File": "a.png", "Title": "A", "Bytes": 1}] for name in ("Figures", "Tables")}
        whole.unlink()
        bundle = json.loads((folder / "sub-01_bundle-ForcepsMajor.json").read_text())

        def place(number: int) -> Path:
            source = {"Sources": [f"{number}.trk"]}
            (folder / f"sub-01_bundle-a{number}.json").write_text(json.dumps(bundle | source))
            return folder / f"sub-01_bundle-a{number}_check-cci.json"

    else:
        told |= {"Extent": {"low": [0, 0, 0], "high": [1, 1, 1], "values": [0, 1]}, "PictureBytes": [1] * 7}
        told["Made"] |= {"SlicesAt": [0, 0, 0], "Map": [1, 2]}
        told["Colorings"] = [{"kind": "data", "name": "fa", "color": [1, 2, 3], "limits": [0, 1]}]
        told |= {"StreamlinesLeftOut": {"stray": 1}, "Notes": ["a"]}

        def place(number: int) -> Path:
            return folder / f"sub-01_bundle-a{number}{'_desc-overview' * (kind == 'overview')}.json"

    count = many(output, told, place)
    assert count > 300
    assert write_participant_page(output.root, "01")
    write_group_page(output.root)
    text = (output.root / "sub-01.html").read_text(encoding="utf-8")
    others = text.count("tractcap didn’t write")
    assert text.count("<article ") + others >= 3 + count
    assert text.count('class="check unreadable"' if kind == "check" else 'class="card unreadable') > count // 2
    found = [row["status"] for row in rows(output) if row["participant_id"] == "sub-01" and row["status"] != "missing"]
    assert len(found) >= 2 + count * (kind != "overview") - 3
    assert found.count("drawn") >= 2


SMALL = ("--size", "64", "--views", "left")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tractcap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.mark.parametrize("kind", ["tractogram", "check"])
def test_a_rerun_makes_anew_what_it_can_not_understand_and_says_so(tmp_path: Path, kind: str) -> None:
    """One bundle for each damage, and one that is whole. Only a folder can't be replaced: that one fails."""
    names = {f"a{number}": damage for number, damage in enumerate(RECORDS)}
    (tmp_path / "in/sub-01").mkdir(parents=True)
    for name in ("whole", *names):
        phantoms.save(tmp_path / f"in/sub-01/{name}.tck", phantoms.asymmetric_bundle(3))
    asked = [tmp_path / "in", tmp_path / "out", "participant", *SMALL]
    asked += ["--checks", "shape"] if kind == "check" else ["--overview"]
    assert run(*asked).returncode == 0
    ending = "_check-shape" * (kind == "check")
    places = {name: tmp_path / f"out/sub-01/figures/{name}{ending}.json" for name in names}
    before = {name: path.read_text(encoding="utf-8") for name, path in places.items()}
    for name, path in places.items():
        RECORDS[names[name]](path)
    if kind == "tractogram":
        RECORDS["a pipe"](tmp_path / "out/sub-01/figures/sub-01_desc-overview.json")
    done = run(*asked)
    for name, path in places.items():
        assert f"{path} can't be understood: " in done.stderr, names[name]
        if names[name] != "a folder":
            assert path.read_text(encoding="utf-8") == before[name], names[name]
    if kind == "tractogram":
        assert f"{len(names) - 1} drawn, 1 kept from an earlier run, 1 failed" in done.stderr
        assert (tmp_path / "out/sub-01/figures/sub-01_desc-overview.json").is_file()
    else:
        assert f"{len(names) + 1} kept from an earlier run" in done.stderr
        assert f"{len(names)} done, 1 kept" in done.stderr
    assert done.returncode == 1
    text = (tmp_path / "out/sub-01.html").read_text(encoding="utf-8")
    assert text.count(" unreadable") >= 1, "the folder is still there"
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_a_file_of_ratings_costs_itself_alone_and_stays(output: Output, damage: Damage) -> None:
    output.add("ForcepsMajor", "01", source="a.trk")
    header = "participant_id\tsession_id\ttractogram\tbundle\trating\tnote\trater\trated_at"
    for rater in ("anna", "ben"):
        line = f"sub-01\tn/a\ta.trk\tX\tpass\tn/a\t{rater}\tn/a"
        (output.root / f"{rater}_desc-ratings.tsv").write_text(f"{header}\n{line}\n")
    odd = output.root / "anna_desc-ratings.tsv"
    damage(odd)
    before = state(odd)
    write_group_page(output.root)
    assert state(odd) == before
    (row,) = rows(output)
    assert "ben" in (output.root / "group.html").read_text(encoding="utf-8")
    assert row["rating"] == "pass"
    if row["raters"] == "1":
        assert "anna_desc-ratings.tsv" in (output.root / "group.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_what_describes_the_output_stops_nothing(tmp_path: Path, damage: Damage) -> None:
    """And stays as it is."""
    (tmp_path / "in/sub-01").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    phantoms.save(tmp_path / "in/sub-01/AF_L.tck", phantoms.asymmetric_bundle(3))
    describe_dataset(tmp_path / "out", None)
    odd = [tmp_path / "out" / name for name in ("dataset_description.json", ".bidsignore")]
    for path in odd:
        damage(path)
    before = [state(path) for path in odd]
    done = run(tmp_path / "in", tmp_path / "out", "participant", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "1 drawn" in done.stderr
    if damage is not FILES["a long number"]:  # which is no damage where keys are taken over as they are
        assert f"{odd[0]} was not written by tractcap, and is left as it is" in done.stderr
        assert state(odd[0]) == before[0]
    if stat.S_ISREG(os.lstat(odd[1]).st_mode) and odd[1].stat().st_size < 2**24:
        assert b"*.html" in odd[1].read_bytes()
    else:
        assert f"{odd[1]} can't be understood: " in done.stderr
        assert state(odd[1]) == before[1]
