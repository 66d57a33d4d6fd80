"""What is fuzzed of texts: files beside pictures, of datasets, what users write, and names of files."""

import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import sample_requests
from checked import FLAG, tell
from mutate import mutated_json, mutated_text
from outputs import Output
from target import Target
from trees import describe

TREE = (
    "sub-01/ses-1/dwi/sub-01_ses-1_space-T1w_tract-AF_hemi-L_run-2_tractogram.trk",
    "sub-02/dwi/sub-02_bundle-CST_L_tractogram.tck.gz",
    "S01/tractseg_output/TOM_trackings/AF_left.tck",
    "bert/dpath/lh.cst_AS_avg33_mni_bbr/path.pd.trk",
    "AF_L/S17.src.gz.gqi.fz.AF_L.trk.gz",
    "patient/S03/rec_bundles/CST_R.trx",
    "wave1/S05__UF_L_cleaned.vtk",
    "a b/Ünï.fib",
)
"""Paths of tractograms, as tools and people leave them."""


# what becomes of a file


def read_tractogram_record(path: Path) -> None:
    """It is written as it was read; of one that isn't understood it is told what is left."""
    from tractcap.errors import RecordError
    from tractcap.records import tractogram_sidecar

    try:
        record = tractogram_sidecar.load(path)
    except RecordError as error:
        tractogram_sidecar.unreadable(path, path.parent, error).text()
        raise
    assert tractogram_sidecar.parse(json.loads(record.text())) == record


def read_check_record(path: Path) -> None:
    """The same of a check's."""
    from tractcap.errors import RecordError
    from tractcap.records import check_sidecar

    try:
        record = check_sidecar.CheckRecord.load(path)
    except RecordError as error:
        check_sidecar.unreadable(path, path.parent, "cci", error).text()
        raise
    assert check_sidecar.CheckRecord.parse(json.loads(record.text())) == record


def read_page(path: Path) -> None:
    """The pages and tables of an output with this record, and a whole one."""
    from tractcap.reports.group_page import write_group_page
    from tractcap.reports.participant_page import write_participant_page

    output = Output(path.parent / "out")
    if not output.root.exists():
        output.add("ForcepsMajor", pictures=False)
    shutil.copy(path, output.root / "sub-01/figures/a.json")
    assert write_participant_page(output.root, "01")
    assert len(write_group_page(output.root)) > 1


def read_ratings(path: Path) -> None:
    """Beside those of another rater, and compared with them."""
    from tractcap.records.ratings_file import RatedState, RatingsTable, load, save
    from tractcap.reports import ratings

    folder = _emptied(path.parent / "out")
    (folder / "anna_desc-ratings.tsv").write_bytes(ratings_of("anna"))
    shutil.copy(path, folder / path.name)
    merged = ratings.read_ratings(folder, ["a.trk", "b.trk"])
    now = RatedState("9", "2026-01-01T00:00:00.000000009Z", "ab", "0.1.0")
    given = [merged.of(name, now) for name in ("a.trk", "b.trk")]
    assert any(one.rater == "anna" for one in (*given[0].present, *given[0].outdated))
    ratings.agreements(one.present for one in given)
    load(path, path.name)
    new = RatingsTable.parse("tractogram\trating\trater\nnew.trk\tfail\tcarl\n")
    save(folder / path.name, new, "{}")  # what isn't understood is refused; else the lines stay
    saved = RatingsTable.parse((folder / path.name).read_text(encoding="utf-8"))
    assert [row for row in saved.rows() if (row["tractogram"], row["rater"]) == ("new.trk", "carl")]


def read_qc_status(path: Path) -> None:
    """Ratings of QC-Studio, written and read again."""
    from tractcap.records.qc_status_file import load, save

    ratings, _ = load(path)
    save(path.parent / "again.tsv", ratings, "tractcap")
    assert len(load(path.parent / "again.tsv")[0]) == len(ratings)


def read_qc_config(path: Path) -> None:
    """A lab's ``qc.json``."""
    from tractcap.records.qc_status_file import load_config

    load_config(path)


def read_reasons(path: Path) -> None:
    """A list of reasons for ratings."""
    from tractcap.records.rating_reasons import load

    assert load(path)


def read_dataset(path: Path) -> None:
    """Whatever describes a dataset, its tractograms are found."""
    from tractcap.inputs.filters import Filters
    from tractcap.inputs.search import search

    folder = path.parent / "in"
    if not folder.exists():
        _touch(folder, TREE[:2])
    shutil.copy(path, folder / path.name)
    found = search(folder, Filters())
    assert len(found.sources) == 2, found
    assert not found.failed, found.failed


def read_output(path: Path) -> None:
    """Whatever describes an output and what was drawn into it, both can be gone on with."""
    from tractcap.work.output_folder import describe_dataset

    folder = _emptied(path.parent / "derivatives/out")
    shutil.copy(path, folder / path.name)
    describe_dataset(folder, path.parent, ["sub-01/figures"])
    assert (folder / path.name).read_bytes() == path.read_bytes() or json.loads((folder / path.name).read_text())
    assert b"/*.html" in (folder / ".bidsignore").read_bytes()


def read_sidecar(path: Path) -> None:
    """A map is read, whatever its JSON file is."""
    from tractcap.inputs.images import ImageFile

    image = path.with_suffix(".nii")
    if not image.exists():
        nib.Nifti1Image(np.ones((3, 3, 3), "f4"), np.eye(4)).to_filename(image)
    unit = ImageFile(image).values().unit
    assert len(unit) < 100, len(unit)
    assert unit.isprintable(), repr(unit)


def read_rules(path: Path) -> None:
    """Rules, and the flags that they raise."""
    from tractcap.checks import checks
    from tractcap.checks.flags import raised, read, sentence

    rules = read(path)
    for name, check in checks().items():
        for value in (-1e9, None, 1e9):
            for flag in raised(rules, name, {one.key: value for one in check.measures}):
                assert sentence(flag)


def read_filters(path: Path) -> None:
    """A filter file, and what it keeps."""
    from tractcap.inputs.filters import REFERENCE, TRACTOGRAM, Filters, read

    filters = Filters(bids=read(path))
    for kind in (TRACTOGRAM, REFERENCE):
        filters.keep(kind, {"run": "01", "space": "T1w", "extension": ".trk"})
    assert isinstance(filters.description, str)


def read_layout(path: Path) -> None:
    """A pattern of paths, as it is given to ``--layout``, and what it finds."""
    from tractcap.inputs.filters import Filters
    from tractcap.inputs.layouts import Layout

    pattern = Layout(os.fsdecode(path.read_bytes()).replace("\0", "")).checked()
    folder = path.parent / "in"
    if not folder.exists():
        _touch(folder, TREE)
    for filters in (Filters(), Filters(["01", "S01"], ["1"], ["AF"])):
        _search(folder, filters, [pattern])


def read_names(path: Path) -> None:
    """A tree of files of these names, one a line."""
    from tractcap.inputs.filters import Filters
    from tractcap.inputs.layouts import Layout

    folder = _emptied(path.parent / "in")
    _touch(folder, os.fsdecode(path.read_bytes()).split("\n"))
    for filters in (Filters(), Filters(["01", "S01"]), Filters(tracts=["AF", "CST_L"])):
        _search(folder, filters)
    _search(folder, Filters(), [Layout("{participant}/**/{bundle}")])


def read_piece(path: Path) -> None:
    """The file of a piece of the work, beside nothing else."""
    from tractcap.records import tractogram_piece_files

    folder = path.parent
    there = tractogram_piece_files.is_drawn(path, sample_requests.draw(folder))
    newest = tractogram_piece_files.newest(folder)
    request, files = tractogram_piece_files.complete(folder)
    json.dumps([request.plain(), newest and newest.plain(), there])
    assert files == [path]


def _search(folder: Path, filters: Any, layouts: Sequence[Any] = ()) -> None:
    """Nothing is found that can't be told of, and no two tractograms' pictures lie in one place."""
    from tractcap.inputs.search import search

    found = search(folder, filters, layouts=layouts)
    assert not found.failed, found.failed
    for source in found.sources:
        assert (source.title, source.bundle.readable, source.variant) is not None
    places = {(source.folder, source.stem) for source in found.sources}
    assert len(places) == len(found.sources), found.sources


def _touch(folder: Path, names: Sequence[str]) -> None:
    """Make files of these names, as far as a file system can."""
    for name in names:
        path = folder / name.replace("\0", "").lstrip("/")
        if ".." in path.parts or len(path.parts) > 40:
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        except OSError:
            continue  # too long, or a file where a folder is


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


# whole ones


def _beside(make: Callable[[Output], Path]) -> bytes:
    """A file of an output."""
    with tempfile.TemporaryDirectory() as folder:
        return make(Output(Path(folder))).read_bytes()


@cache
def tractogram_records() -> Sequence[bytes]:
    """One of each status, and one with all that may be told."""
    told: Mapping[str, Any] = {
        "Extent": {
            **{f"{which}low": [0, 0, 0] for which in ("", "most_", "framed_")},
            **{f"{which}high": [1, 1, 1] for which in ("", "most_", "framed_")},
            "center": [0.5, 0.5, 0.5],
            "values": [0, 1],
            "valued": 2,
            "sampled": 2,
            "streamlines": 1,
            "points": 2,
            "measured_by": {"vtk_space": "RAS", "way": 2, "kind": "data", "name": "fa", "path": "", "map": None},
        },
        "StreamlinesLeftOut": {"stray": 1},
        "Notes": ["a"],
        "Colorings": [{"kind": "data", "name": "fa", "color": [1, 2, 3], "limits": [0, 1]}],
        "Software": {"VTK": "9.6"},
        "Later": {"x": [1, None]},
    }
    kinds: Sequence[Mapping[str, Any]] = [{"status": "failed"}, {"status": "empty"}, {}, {"told": told}]
    return [_beside(lambda output, kind=kind: output.add("AF_L", **kind)) for kind in kinds]


@cache
def check_records() -> Sequence[bytes]:
    """One with nothing, and one with all that may be told."""
    told = {
        "Measures": {"Retention": 0.5}, "With": {"atlas": {"path": "a"}}, "Notes": ["a"], "Flags": [FLAG],
        "Figures": [{"File": "a.png", "Title": "A", "Bytes": 1}], "Tables": [{"File": "a.tsv", "Title": "A"}],
    }  # fmt: skip

    def make(output: Output, **more: Any) -> Path:
        return tell(output, output.add("AF_L").stem, "cci", **more)

    return [_beside(make), _beside(lambda output: make(output, **told))]


def ratings_of(rater: str) -> bytes:
    """A file of a rater, as the pages export it."""
    lines = [
        (
            "participant_id",
            "session_id",
            "tractogram",
            "bundle",
            "rating",
            "note",
            "rater",
            "rated_at",
            "reasons",
            "tractogram_size",
            "tractogram_time",
            "picture_hash",
        ),
        (
            "sub-01",
            "n/a",
            "a.trk",
            "AF_L",
            "pass",
            "n/a",
            rater,
            "2026-01-02T03:04:05Z",
            "n/a",
            "9",
            "2026-01-01T00:00:00.000000009Z",
            "ab",
        ),
        (
            "sub-01",
            "1",
            "b.trk",
            "AF_R",
            "fail",
            "“half”, of it",
            rater,
            "2026-01-02T03:04:05.678+01:00",
            "too_few,odd",
            "n/a",
            "n/a",
            "n/a",
        ),
        ("sub-02", "n/a", "a.trk", "CST_L", "unsure", "", rater, "n/a", "", "", "", ""),
    ]
    return "".join("\t".join(line) + "\n" for line in lines).encode()


@cache
def descriptions() -> Sequence[bytes]:
    """Of another tool's dataset, and of an output of tractcap."""
    from tractcap.work.output_folder import describe_dataset

    with tempfile.TemporaryDirectory() as folder:
        other = describe(Path(folder) / "other", "dipy") / "dataset_description.json"
        other.write_text(json.dumps(json.loads(other.read_text()) | {"DatasetDOI": "doi:10.0/x"}))
        (Path(folder) / "ours").mkdir()
        describe_dataset(Path(folder) / "ours", None)
        return [path.read_bytes() for path in (other, Path(folder) / "ours" / other.name)]


@cache
def rules() -> Sequence[bytes]:
    """Ours, and one."""
    from tractcap.checks.flags import OURS

    one = b'[[flag]]\nname = "few"\ncheck = "profile"\nmeasure = "MeanNAME"\nbelow = 0.2\n'
    return [OURS.read_bytes(), one]


@cache
def told_of_piece() -> bytes:
    """What a worker tells of a piece."""
    from tractcap import __version__

    request = sample_requests.draw(Path("out")).plain()
    return json.dumps({"version": __version__, "draw": request, "need": 9, "facts": {"reach": [0, 0, 0]}}).encode()


@cache
def pieces() -> Sequence[bytes]:
    """A piece of one band of pixels."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("0/0", bytes(700))
        file.writestr("told.json", told_of_piece())
    return [made.getvalue()]


def _lines(*texts: str) -> Callable[[], Sequence[bytes]]:
    return lambda: [one.encode() for one in texts]


def _json(*values: Any) -> Callable[[], Sequence[bytes]]:
    return lambda: [json.dumps(one).encode() for one in values]


_SIDECARS = _json({"Units": "mm²/s", "Sources": ["x"]}, {"Description": "FA", "Units": ""})
_QC_STATUS = _lines(
    "qc_task\tparticipant_id\tsession_id\trater_id\tfinal_qc\tnotes\ttimestamp\n"
    'bundle-AF\t01\t1.0\tZoe\tFAIL\t"[too_few] a ""thin"" one"\t2026-03-01 10:00:00\n'
    "bundle-AF\tsub-02\tses-1\tBen\tUNCERTAIN\tnan\t\n"
)
_QC_CONFIG = _json(
    {"a_qc": {"montage_path": ["a/b_mosaic.png"]}, "b_qc": {"svg_montage_path": "b.svg", "iqm_path": None}}
)
_REASONS = _lines("reason\tkey\tdescription\nhole\th\tit has a hole\nthin\t-\ttoo thin\n")
_FILTERS = _json(
    {"tractogram": {"run": 1, "space": ["T1w", None], "desc": "*"}, "t1w": {"acquisition": None}},
    {"scalar": {"session": "01", "extension": ".nii.gz"}},
)
_LAYOUTS = _lines(
    "{participant}/wave{session}/tracts/{bundle}.trk",
    "{participant}/**/{desc:rec|org}_bundles/{bundle}",
    "{participant2}/{participant}/*_{run}_{bundle}.*",
    "*/{participant}/{bundle}",
)

TARGETS = {
    "record": Target("a.json", tractogram_records, read_tractogram_record, mutated_json),
    "check": Target("a_check-cci.json", check_records, read_check_record, mutated_json),
    "page": Target("a.json", tractogram_records, read_page, mutated_json),
    "ratings": Target("ben_desc-ratings.tsv", lambda: [ratings_of("ben")], read_ratings, mutated_text),
    "qc_status": Target("a_QC_status.tsv", _QC_STATUS, read_qc_status, mutated_text),
    "qc_config": Target("qc.json", _QC_CONFIG, read_qc_config, mutated_json),
    "reasons": Target("reasons.tsv", _REASONS, read_reasons, mutated_text),
    "dataset": Target("dataset_description.json", descriptions, read_dataset, mutated_json),
    "output": Target("dataset_description.json", descriptions, read_output, mutated_json),
    "sidecar": Target("a.json", _SIDECARS, read_sidecar, mutated_json),
    "rules": Target("flags.toml", rules, read_rules, mutated_text),
    "filters": Target("filters.json", _FILTERS, read_filters, mutated_json),
    "layout": Target("layout.txt", _LAYOUTS, read_layout, mutated_text, blamed="--layout"),
    "names": Target("names.txt", _lines("\n".join(TREE)), read_names, mutated_text, blamed="--layout"),
}  # fmt: skip
"""By what they are called on the command line."""
