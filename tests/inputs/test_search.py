"""What a search takes and leaves, how it counts and names, and where pictures of what it found go."""

import os
from pathlib import Path

import pytest
from trees import find

from tractcap.inputs.filters import Filters
from tractcap.inputs.layouts import Layout
from tractcap.inputs.matching_images import MatchingImages
from tractcap.inputs.search import Source, fingerprint, search
from tractcap.inputs.tractogram_source import divided


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def names(sources: list[Source]) -> list[str]:
    return [source.name for source in sources]


def test_a_folder_called_figures_is_left_aside_in_our_own_datasets_alone(tmp_path: Path) -> None:
    tree = ("figures/AF_left.trk", "sub-1/figures/sub-1_AF_left.trk", "sub-1/more/sub-1_CST_left.trk")
    assert names(find(plant(tmp_path / "any", *tree))) == [tree[0], tree[1], tree[2]]
    ours = plant(tmp_path / "ours", *tree)
    for tool, found in (("tractcap", [tree[2]]), ("qsirecon", list(tree))):
        (ours / "dataset_description.json").write_text(f'{{"GeneratedBy": [{{"Name": "x"}}, {{"Name": "{tool}"}}]}}')
        assert names(find(ours)) == found


def test_hidden_files_and_folders_are_left_aside(tmp_path: Path) -> None:
    plant(tmp_path, ".git/sub-1_AF_left.trk", "sub-1/.sub-1_AF_left.trk", "sub-1/sub-1_AF_left.trk")
    assert names(find(tmp_path)) == ["sub-1/sub-1_AF_left.trk"]


def test_the_order_is_that_of_folders_and_then_of_names(tmp_path: Path) -> None:
    tree = ["sub-1/a/sub-1_AF_L.trk", "sub-1/sub-1_CST_L.trk", "sub-1-2/sub-1-2_AF_L.trk", "sub-10/sub-10_AF_L.trk"]
    assert names(find(plant(tmp_path, *reversed(tree)))) == tree


@pytest.mark.parametrize(("count", "words"), [(1, "1 tractogram fit"), (2, "2 tractograms fit")])
def test_one_is_counted_as_one(tmp_path: Path, count: int, words: str) -> None:
    plant(tmp_path, "a/AF_left.trk", *(f"{n}.trk" for n in range(count)))
    (warning,) = search(tmp_path, Filters(), layouts=[Layout("{participant}/{bundle}")]).warnings
    assert warning.startswith(words)


@pytest.mark.parametrize(("count", "end"), [(10, "p08, p09"), (11, "p08, p09 and 1 more"), (12, "p09 and 2 more")])
def test_ten_are_named_and_others_counted(tmp_path: Path, count: int, end: str) -> None:
    plant(tmp_path, *(f"sub-p{n:02}/sub-p{n:02}_AF_left.trk" for n in range(count)))
    (people,) = search(tmp_path, Filters()).people
    assert people.startswith(f"{count} participants, by ")
    assert people.endswith(end)
    assert f"p{count - 1:02}" not in people or count == 10


def test_thousands_are_written_with_a_comma(tmp_path: Path) -> None:
    plant(tmp_path, *(f"sub-{n:04}_AF_left.trk" for n in range(1001)))
    assert search(tmp_path, Filters()).people[0].startswith("1,001 participants, by ")


@pytest.mark.parametrize(("length", "cut"), [(180, False), (181, True), (200, True)])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_name_that_leaves_no_room_for_what_is_put_behind_it_is_cut(length: int, cut: bool, letter: str) -> None:
    """To 180 bytes, never within a letter; the sum of the whole name is behind it, so that two stay apart."""
    body = letter * ((length - 1) // len(letter.encode()))
    body += "x" * (length - 1 - len(body.encode()))
    one, other = (Source(Path("/"), f"{body}{end}.trk").stem for end in "xy")
    assert one != other
    if cut:
        assert 178 < len(one.encode()) <= 180
        assert one[-9] == "+"
        assert body.startswith(one[:-9])
    else:
        assert (one, other) == (f"{body}x", f"{body}y")


@pytest.mark.parametrize(
    ("name", "folder", "stem", "title"),
    [
        ("sub-1/ses-2/sub-1_ses-2_AF_L.trk", "sub-1/ses-2/figures", "sub-1_ses-2_AF_L", "sub-1_ses-2_AF_L"),
        ("sub-1/AF_L.tck.gz", "sub-1/figures", "AF_L", "sub-1 AF_L"),
        ("AF_L.trx", "figures", "AF_L", "AF_L"),
        ("a/b/AF_L.trk", "a/b/figures", "AF_L", "AF_L"),
        ("HC_02_AF_L.trk", "sub-HC_02/figures", "HC_02_AF_L", "sub-HC_02 HC_02_AF_L"),
        ("a\u0007b.trk", "figures", "a\u0007b", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_where_pictures_go_and_what_they_are_called(name: str, folder: str, stem: str, title: str) -> None:
    source = Source(Path("/in"), name)
    assert (source.folder, source.stem, source.title) == (folder, stem, title)
    assert source.path == Path("/in") / name


def test_pictures_of_two_that_would_have_one_name_are_named_by_the_whole_path(tmp_path: Path) -> None:
    plant(tmp_path, "sub-1/a/AF_L.trk", "sub-1/b/AF_L.trk", "sub-1/b/CST_L.trk", "sub-2/a/AF_L.trk")
    found = find(tmp_path)
    assert [source.stem for source in found] == ["sub-1+a+AF_L.trk", "sub-1+b+AF_L.trk", "CST_L", "AF_L"]


def test_an_empty_bundle_is_a_json_file_that_stands_alone(tmp_path: Path) -> None:
    alone = "sub-1/sub-1_tract-AF_hemi-L_streamlines.json"
    plant(tmp_path, alone, "sub-1/sub-1_tract-CST_hemi-L_streamlines.json")
    plant(tmp_path, "sub-1/sub-1_tract-CST_hemi-L_streamlines.tck.gz", "sub-1/sub-1_tract-OR_model.json")
    plant(tmp_path, "sub-1/sub-1_tract-UF_hemi-L_streamlines.json", "sub-1/sub-1_tract-UF_hemi-L_streamlines.tsv")
    plant(tmp_path, "sub-1/figures/sub-1_tract-OR_hemi-L_streamlines.json")
    found = find(tmp_path)
    assert [(source.name, source.empty) for source in found] == [
        (alone, True),
        ("sub-1/sub-1_tract-CST_hemi-L_streamlines.tck.gz", False),
    ]


def test_a_fingerprint_is_the_size_and_when_it_was_last_changed(tmp_path: Path) -> None:
    """Of a folder, over all files in it."""
    plant(tmp_path, "a.trx/header.json", "a.trx/dpv/fa.float32", "b.trk", "empty.trx/.keep")
    for at, (name, size) in enumerate({"a.trx/header.json": 5, "a.trx/dpv/fa.float32": 7, "b.trk": 9}.items(), 1):
        (tmp_path / name).write_bytes(bytes(size))
        os.utime(tmp_path / name, ns=(at * 10**9, at * 10**9))
    assert fingerprint(tmp_path / "a.trx") == (12, 2 * 10**9)
    assert fingerprint(tmp_path / "b.trk") == (9, 3 * 10**9)
    (tmp_path / "empty.trx/.keep").unlink()
    assert fingerprint(tmp_path / "empty.trx") == (0, 0)
    with pytest.raises(FileNotFoundError):
        fingerprint(tmp_path / "gone.trk")


def test_a_change_within_the_same_second_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file system knows whole seconds alone, another change could not be told from this one."""
    path, now = tmp_path / "a.trk", [1000.5]

    def write(size: int, at: int) -> None:
        path.write_bytes(bytes(size))
        os.utime(path, ns=(at, at))

    def sleep(seconds: float) -> None:
        now[0] += seconds
        write(2, 1000 * 10**9)

    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("time.sleep", sleep)
    for at, size, until in (
        (10**12 + 1, 1, 1000.5),
        (998 * 10**9, 1, 1000.5),
        (10**12, 2, 1002.0),
        (10**12, 1, 1002.0),
    ):
        write(1, at)
        assert fingerprint(path) == (size, at)
        assert now == [until]


def test_a_name_that_a_layout_has_twice_is_the_same_in_both_places(tmp_path: Path) -> None:
    """Of several ways to divide what is behind it the one counts in which the bundle is known."""
    plant(tmp_path, "a/a_1_x_AF_L.trk", "b/a_1_AF_L.trk")
    found = search(tmp_path, Filters(), layouts=[Layout("{participant}/{participant}_{run}_{bundle}")])
    assert [(one.participant, dict(one.entities)["run"], one.bundle.key) for one in found.sources] == [
        ("a", "1_x", "ArcuateFasciculus_L")
    ]
    assert any("b/a_1_AF_L.trk" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("name", "asked", "kept"),
    [
        ("sub-1/dwi/sub-1_tract-AF_streamlines.tck", {"datatype": ("dwi",)}, True),
        ("sub-1/dwi/sub-1_tract-AF_streamlines.tck", {"datatype": ("anat",)}, False),
        ("sub-1/dwi/more/sub-1_tract-AF_streamlines.tck", {"datatype": ("dwi",)}, True),
        ("sub-1/sub-1_tract-AF_streamlines.tck", {"datatype": (None,)}, True),
        ("dwi", {"datatype": (None,)}, True),
        ("sub-1_tract-AF_streamlines.tck", {"suffix": ("streamlines",), "extension": (".tck",)}, True),
        ("sub-1_tract-AF_streamlines.tck", {"suffix": ("tractogram",)}, False),
        ("sub-1_tract-AF_run-02_streamlines.tck", {"run": ("2",)}, True),
        ("sub-1_tract-AF_run-02_streamlines.tck", {"run": ("3", "2")}, True),
        ("sub-1_tract-AF_run-02_streamlines.tck", {"run": ("*",)}, True),
        ("sub-1_tract-AF_streamlines.tck", {"run": ("*",)}, False),
        ("sub-1_tract-AF_streamlines.tck", {"run": (None, "2")}, True),
        ("sub-1_tract-AF_acq-02a_streamlines.tck", {"acq": ("2a",)}, False),
    ],
)
def test_files_are_filtered_by_what_their_paths_tell(
    tmp_path: Path, name: str, asked: dict[str, tuple[str | None, ...]], kept: bool
) -> None:
    name = name if "." in name else f"{name}.tck"
    assert len(search(plant(tmp_path, name), Filters(bids={"tractogram": asked})).sources) == kept


@pytest.mark.parametrize(
    ("stem", "parts"),
    [
        ("100307_CST_right", ("100307", "CST_right")),
        ("HC_02_AF_left", ("HC_02", "AF_left")),
        ("anna_AF_left", None),  # no digit
        ("01_xyz", None),  # no bundle
        ("SLF_I_left", None),  # a bundle whole
        ("T1_AF_left", ("T1", "AF_left")),
    ],
)
def test_a_name_is_divided_where_that_is_clear(stem: str, parts: tuple[str, str] | None) -> None:
    assert divided(stem) == parts


@pytest.mark.parametrize(
    ("tractogram", "image", "taken"),
    [
        ("space-T1w", "desc-preproc_T1w", True),
        ("space-T1w", "space-T1w_T1w", True),
        ("space-T1w", "T1w", False),
        ("space-T1w", "desc-brain_T1w", False),
        ("space-T1w", "space-MNI_desc-preproc_T1w", False),
        ("space-T1w", "desc-preproc_FA", False),
        ("space-MNI", "desc-preproc_T1w", False),
        ("space-MNI", "space-MNI_T1w", True),
        ("", "T1w", True),
        ("", "space-MNI_T1w", False),
        ("", "label-WM_T1w", False),
        ("", "dwi", False),
        ("", "desc-b0_dwi", True),
        ("", "desc-b0_mask", False),
        ("", "dwiref", True),
        ("", "param-FA_dwimap", True),
        ("", "param-MD_dwimap", False),
        ("", "desc-FA_dwi", True),
        ("", "desc-FA_T2w", False),
    ],
)
def test_which_image_a_tractogram_is_drawn_on(tmp_path: Path, tractogram: str, image: str, taken: bool) -> None:
    """One that shows the anatomy, of its space, or the one that its space is named for."""
    between = f"_{tractogram}" if tractogram else ""
    plant(tmp_path, f"sub-1/sub-1{between}_tract-AF_streamlines.tck", f"sub-1/sub-1_{image}.nii.gz")
    found = search(tmp_path, Filters())
    chosen = MatchingImages(found.images, Filters()).reference(found.sources[0])
    assert (chosen.path is not None) == taken, chosen.why


@pytest.mark.parametrize(
    ("name", "participant"),
    [
        ("sub-a_b/sub-a_b_AF_left.trk", "a_b"),  # as the folder has it, which knows where the label ends
        ("sub-a_b/x_sub-a_b_AF_left.trk", "a_b"),
        ("sub-a_b/AF_left.trk", "a_b"),
        ("sub-1/sub-10_AF_left.trk", "10"),  # the file's own, where it has another one
        ("sub-1/asub-1_sub-2_AF_left.trk", "2"),
        ("sub-1/sub-1_sub-2_AF_left.trk", "1"),
        ("sub-1/sub-2/AF_left.trk", "2"),
        ("sub-1_ses-2/AF_left.trk", "1"),
        ("sub-1_tracks/AF_left.trk", "1_tracks"),
        ("sub-_AF_left.trk", ""),
        ("sub/AF_left.trk", ""),
    ],
)
def test_whose_a_file_is_by_its_path(name: str, participant: str) -> None:
    assert Source(Path("/"), name).participant == participant


@pytest.mark.parametrize(
    ("filters", "entered"),
    [
        (Filters(), {"sub-1", "sub-1/ses-1", "sub-1/ses-2", "sub-2", "sub-2/ses-1", "sub-2/ses-2"}),
        (Filters(sessions=["ses-2"]), {"sub-1", "sub-1/ses-2", "sub-2", "sub-2/ses-2"}),
        (Filters(["1"]), {"sub-1", "sub-1/ses-1", "sub-1/ses-2"}),
        (Filters(["sub-2"], ["1"]), {"sub-2", "sub-2/ses-1"}),
    ],
)
def test_folders_of_others_are_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filters: Filters, entered: set[str]
) -> None:
    """A dataset may have many thousands of them, on a slow file system."""
    plant(tmp_path, *(f"sub-{who}/ses-{when}/sub-{who}_ses-{when}_AF_L.trk" for who in "12" for when in "12"))
    listed: list[str] = []
    scandir = os.scandir

    def recording(path: Path) -> object:
        listed.append(os.path.relpath(path, tmp_path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", recording)
    assert len(search(tmp_path, filters).sources) == sum("ses-" in folder for folder in entered)
    assert sorted(listed) == sorted({".", *entered}), "each once"
