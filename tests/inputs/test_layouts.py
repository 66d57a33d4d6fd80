"""Whose tractograms are in trees that have no ``sub-``, and that nobody is mixed up with another."""

import gc
import os
import tomllib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from trees import find

from tractcap.errors import SettingsError
from tractcap.inputs import layouts as layouts_module
from tractcap.inputs.bundle_names import identify
from tractcap.inputs.filters import Filters
from tractcap.inputs.layouts import KNOWN, Layout, known
from tractcap.inputs.search import SearchResult, Source, search
from tractcap.quality_check_workflow import sources as of_program
from tractcap.work.check_files import mirrored

PEOPLE = ("100307", "HC_02", "patient-A")

EXAMPLES = {
    "{participant}/tractseg_output/TOM_trackings/{bundle}": "{who}/tractseg_output/TOM_trackings/AF_{side}.tck",
    "{participant}/TOM_trackings/{bundle}": "{who}/TOM_trackings/AF_{side}.tck",
    "{participant}/dpath/{bundle}_AS_avg*/path.pd": "{who}/dpath/{s}h.af_AS_avg33_mni_bbr/path.pd.trk",
    "{participant}/dpath/{bundle}_PP_avg*/path.pd": "{who}/dpath/{s}h.af_PP_avg33_mni_bbr/path.pd.trk",
    "{participant}/dpath/{bundle}_avg*/path.pd": "{who}/dpath/AF_{side}_avg16_syn_bbr/path.pd.trk",
    "{group}/{participant}/{desc:rec|org}_bundles/{bundle}": "x/{who}/rec_bundles/moved_AF_{side}__recognized.trk",
    "{participant}/AnatomicalTracts/T_{bundle}": "{who}/AnatomicalTracts/T_AF_{side}.vtp",
    "{participant}/FiberClustering/SeparatedClusters/tracts_{hemi:left|right}_hemisphere/{bundle}": (
        "{who}/FiberClustering/SeparatedClusters/tracts_{side}_hemisphere/AF.vtp"
    ),
    "{participant}/FiberClustering/SeparatedClusters/tracts_commissural/{bundle}": (
        "{who}/FiberClustering/SeparatedClusters/tracts_commissural/AF_{side}.vtp"
    ),
    "{participant}/FiberClustering/{desc}/**/{bundle}": "{who}/FiberClustering/InitialClusters/x/AF_{side}.vtp",
    "{participant}/PFT_Tracking/{participant}__{bundle}": "{who}/PFT_Tracking/{who}__AF_{side}.trk",
    "{participant}/Local_Tracking/{participant}__{bundle}": "{who}/Local_Tracking/{who}__AF_{side}.trk",
    "{participant}/Clean_Bundles/{participant}__{bundle}": "r/{who}/Clean_Bundles/{who}__AF_{side}_cleaned.trk",
    "{participant}/Recognize_Bundles/{bundle}": "r/{who}/Recognize_Bundles/AF_{side}.trk",
    "{participant}__{bundle}": "{who}/bundles/{who}__AF_{side}_m_cleaned.trk",
    "{bundle}/{participant}.*fz.{bundle}": "AF_{side}/{who}.qsdr.fz.AF_{side}.trk",
    "{bundle}/{participant}.*fib.gz.{bundle}": "AF_{side}/{who}.odf.gqi.fib.gz.AF_{side}.trk.gz",
    "{bundle}/{participant}.{bundle}": "AF_{side}/{who}.AF_{side}.trk.gz",
    "{participant}.*fz.{bundle}": "fib/{who}.gqi.fz.AF_{side}.trk.gz",
    "{participant}.*fib.gz.{bundle}": "fib/{who}.src.gz.odf.gqi.1.25.fib.gz.AF_{side}.trk",
}
"""A path of each pattern of the table."""

PLAIN = {"folders": "{who}/tracts/AF_{side}.tck", "names in folders": "a/{who}/x/{who}_AF_{side}.tck"}


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def grow(root: Path, template: str, people: tuple[str, ...] = PEOPLE) -> Path:
    return plant(root, *(template.format(who=who, side=s, s=s[0]) for who in people for s in ("left", "right")))


class Tree:
    """A folder that lists a million tractograms which are nowhere; ``listed`` are the folders that were."""

    def __init__(self, root: Path, *levels: list[str], files: str) -> None:
        self._root, self._levels, self._files = root, levels, files
        self.listed: list[str] = []

    def scandir(self, path: Path) -> "Listing":
        below = os.path.relpath(path, self._root)
        self.listed.append(below)
        parts = [] if below == "." else below.split("/")
        if len(parts) < len(self._levels):
            return Listing(self._levels[len(parts)], True)
        return Listing([self._files.format(*parts, n=n) for n in range(50)], False)


class Listing:
    entry: "type[Entry]"

    def __init__(self, names: list[str], folders: bool) -> None:
        self._names, self._folders = names, folders

    def __enter__(self) -> "Listing":
        return self

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator["Entry"]:
        return (self.entry(name, self._folders) for name in self._names)


class Entry:
    def __init__(self, name: str, folder: bool) -> None:
        self.name, self._folder = name, folder

    def is_dir(self) -> bool:
        return self._folder

    def is_symlink(self) -> bool:
        return False


Listing.entry = Entry


def whose(sources: list[Source]) -> set[tuple[str, str]]:
    return {(source.participant, source.bundle.key) for source in sources}


BOTH = {(who, f"ArcuateFasciculus_{side}") for who in PEOPLE for side in "LR"}


def test_the_table_of_layouts_is_documented_and_tried() -> None:
    assert [pattern.text for pattern in KNOWN] == list(EXAMPLES)
    table = tomllib.loads(Path(layouts_module.__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    assert all(tool["documentation"].startswith("https://") for tool in table.values())
    page = (Path(__file__).parents[2] / "docs/bids.md").read_text(encoding="utf-8")
    assert all(f"`{pattern.text}`".replace("|", "\\|") in page for pattern in KNOWN)


@pytest.mark.parametrize("template", [*EXAMPLES.values(), *PLAIN.values()])
def test_three_people_with_two_bundles_each(tmp_path: Path, template: str) -> None:
    """Each is found, by a layout that is said, alone or with all others, and has a pair and a place of its own."""
    found = search(grow(tmp_path, template), Filters())
    assert whose(found.sources) == BOTH
    assert len(found.sources) == 6
    (people,) = found.people
    assert people.startswith("3 participants, by ")
    assert people.endswith(": 100307, HC_02, patient-A")
    assert found.warnings == ()
    assert len({(source.folder, source.stem) for source in found.sources}) == 6
    assert {source.folder for source in found.sources} == {f"sub-{who}/figures" for who in PEOPLE}
    assert len(mirrored(found.sources)) == 6
    for label in ("HC_02", "sub-HC_02"):
        assert find(tmp_path, [label]) == [one for one in found.sources if one.participant == "HC_02"]


@pytest.mark.parametrize("pattern", KNOWN, ids=lambda pattern: pattern.text)
def test_a_layout_is_told_by_its_tool(tmp_path: Path, pattern: Layout) -> None:
    (people,) = search(grow(tmp_path, EXAMPLES[pattern.text]), Filters()).people
    assert f"by the layout of {pattern.tool}, {pattern.text}" in people


@pytest.mark.parametrize(("template", "key"), [(one, "ArcuateFasciculus") for one in EXAMPLES.values()])
def test_a_tools_folders_of_people_that_bids_names(tmp_path: Path, template: str, key: str) -> None:
    found = find(grow(tmp_path, template, ("sub-01", "sub-02")))
    assert whose(found) == {(who, f"{key}_{side}") for who in ("01", "02") for side in "LR"}


@pytest.mark.parametrize(
    ("root", "template"),
    [
        ("tractseg_output", "TOM_trackings/AF_{side}.tck"),
        ("", "tractseg_output/TOM_trackings/AF_{side}.tck"),
        ("HC_02", "dpath/AF_{side}_avg33_mni_bbr/path.pd.trk"),
        ("dpath", "{s}h.af_avg33_mni_bbr/path.pd.trk"),
        ("HC_02", "AnatomicalTracts/T_AF_{side}.vtp"),
    ],
)
def test_one_persons_folder_of_a_tool(tmp_path: Path, root: str, template: str) -> None:
    found = search(grow(tmp_path / root, template, ("",)), Filters())
    assert whose(found.sources) == {("", "ArcuateFasciculus_L"), ("", "ArcuateFasciculus_R")}
    assert len(mirrored(found.sources)) == (2 if "TOM" in template or "Anat" in template else 0)


# where nothing is known of a tree


def test_the_level_at_which_paths_differ_names_people(tmp_path: Path) -> None:
    grow(tmp_path / "patients/lab", "{who}/AF_{side}.tck", ("p1", "p2"))
    grow(tmp_path / "controls/lab", "{who}/AF_{side}.tck", ("c1", "c2"))
    plant(tmp_path / "controls/lab", "c1/more/CST_left.tck")
    found = search(tmp_path, Filters())
    assert {source.participant for source in found.sources} == {"p1", "p2", "c1", "c2"}
    assert "--layout '*/*/{participant}/**/{bundle}'" in found.people[0]
    again = search(tmp_path, Filters(), layouts=[Layout("*/*/{participant}/**/{bundle}")])
    assert whose(again.sources) == whose(found.sources), "what is said can be given"


def test_people_are_never_mixed_where_paths_differ_at_two_levels(tmp_path: Path) -> None:
    for wave in ("wave1", "wave2"):
        grow(tmp_path, f"{{who}}/{wave}/AF_{{side}}.tck", ("01", "02"))
    found = search(tmp_path, Filters())
    assert {source.participant for source in found.sources} == {f"{who}-wave{n}" for who in ("01", "02") for n in "12"}
    assert {source.participant for source in find(tmp_path, ["01-wave2"])} == {"01-wave2"}
    known = search(tmp_path, Filters(), layouts=[Layout("{participant}/wave{session}/{bundle}.tck")]).sources
    assert {(source.participant, source.session, source.folder) for source in known} == {
        (who, wave, f"sub-{who}/ses-{wave}/figures") for who in ("01", "02") for wave in "12"
    }
    assert len(search(tmp_path, Filters(["01"], ["2"]), layouts=[known[0].pattern]).sources) == 2


@pytest.mark.parametrize(
    "names",
    [
        ("AF_left/one.tck", "CST_left/one.tck"),  # folders of bundles
        ("ses-1/AF_left.tck", "ses-2/AF_left.tck"),  # one person's sessions
        ("association/AF_left.tck", "projection/CST_left.tck"),  # nothing is there twice
    ],
)
def test_folders_that_are_nobody(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert {source.participant for source in find(plant(tmp_path, *names))} == {""}


def test_folders_beat_what_names_begin_with(tmp_path: Path) -> None:
    plant(tmp_path, "anna/T1_AF_left.tck", "ben/T1_AF_left.tck")
    assert {source.participant for source in find(tmp_path)} == {"anna", "ben"}


@pytest.mark.parametrize(
    ("name", "participant", "key"),
    [
        ("100307_CST_right.tck", "100307", "CorticospinalTract_R"),
        ("HC_02_AF_left.trk", "HC_02", "ArcuateFasciculus_L"),
        ("sub-HC_02_AF_left.trk", "HC_02", "ArcuateFasciculus_L"),
        ("sub-HC_02_bundle-AF_L_streamlines.trk", "HC_02", "ArcuateFasciculus_L"),
        ("sub-HC_02/sub-HC_02_AF_left.trk", "HC_02", "ArcuateFasciculus_L"),
        ("sub-patient-A/AF_left.trk", "patient-A", "ArcuateFasciculus_L"),
        ("sub-01_AF_left.tck", "01", "ArcuateFasciculus_L"),
        ("sub-01_tracks/sub-01_AF_left.tck", "01", "ArcuateFasciculus_L"),
        ("sub-01_ses-2__AF_L_ic.trk", "01", "ArcuateFasciculus_L"),
        ("S17__AF_L_ic.trk", "S17", "ArcuateFasciculus_L"),
        ("S17__AF_L_m.trk", "S17", "ArcuateFasciculus_L"),
        ("S17__AF_L_cleaned.trk", "S17", "ArcuateFasciculus_L"),
        ("S17__MyTract_L_cleaned.trk", "S17", "MyTract_L"),
        ("SLF_I_left.trk", "", "SuperiorLongitudinalFasciculus1_L"),
        ("T_PREC_left.trk", "", "ThalamoPrecentral_L"),
        ("my_AF_left.trk", "", "my_AF_left"),
        ("AF_left_2.trk", "", "AF_left_2"),
    ],
)
def test_names_of_a_participant_and_a_bundle(tmp_path: Path, name: str, participant: str, key: str) -> None:
    (source,) = find(plant(tmp_path, name))
    assert (source.participant, source.bundle.key) == (participant, key)


def test_people_whose_labels_no_bids_name_may_have_are_apart(tmp_path: Path) -> None:
    plant(tmp_path, *(f"sub-{who}/AF_left.trk" for who in ("HC_01", "HC_02", "HC02", "HC-02")))
    found = find(tmp_path)
    assert {source.participant for source in found} == {"HC_01", "HC_02", "HC02", "HC-02"}
    assert len({source.folder for source in found}) == 4


# what can't be told


def test_two_labels_that_would_be_one_place_are_left_out(tmp_path: Path) -> None:
    plant(tmp_path, "01/AF_left.trk", "02/AF_left.trk", "sub-01/AF_left.trk")
    found = search(tmp_path, Filters())
    assert {source.name for source in found.sources} == {"02/AF_left.trk"}
    assert any("found as 01 and as sub-01" in sentence for sentence in found.warnings)
    with pytest.raises(SettingsError, match="'01' and 'sub-01' would have the same page"):
        of_program({"01": {"AF": "a.trk"}, "sub-01": {"AF": "b.trk"}})
    assert {
        source.participant for source in of_program({"01": {"AF": "a.trk"}, "HC_01": {"AF": "b.trk"}}).values()
    } == {
        "01",
        "HC_01",
    }


def test_a_label_in_two_groups_is_left_out(tmp_path: Path) -> None:
    plant(tmp_path, *(f"{group}/{who}/rec_bundles/AF_L.trk" for group in "ab" for who in ("1", f"{group}2")))
    found = search(tmp_path, Filters())
    assert {source.participant for source in found.sources} == {"a2", "b2"}
    assert "participant 1 is in the groups a, b" in found.warnings[0]
    layouts = [Layout("{participant}/{participant2}/rec_bundles/{bundle}")]
    assert {one.participant for one in search(tmp_path, Filters(), layouts=layouts).sources} == {
        "a-1",
        "a-a2",
        "b-1",
        "b-b2",
    }


def test_a_bundle_that_one_person_has_twice_is_said(tmp_path: Path) -> None:
    plant(tmp_path, "sub-1/a/AF_L.trk", "sub-1/b/AF_left.trk", "sub-1/b/AF_R.trk", "sub-1/b/sub-1_run-2_AF_L.trk")
    (sentence,) = search(tmp_path, Filters()).warnings
    assert sentence == (
        "1 bundle found twice in one participant, and nothing in their paths sets them apart: "
        "sub-1/a/AF_L.trk and sub-1/b/AF_left.trk"
    )


def test_what_fits_no_layout_is_left_out_by_name(tmp_path: Path) -> None:
    plant(tmp_path, "01/wave1/tracts/AF_left.trk", "01/wave1/AF_left.trk", "01/wave1/tracts/AF_right.tck")
    found = search(tmp_path, Filters(), layouts=[Layout("{participant}/wave{session}/tracts/{bundle}.trk")])
    assert [(one.participant, one.session, one.bundle.key) for one in found.sources] == [
        ("01", "1", "ArcuateFasciculus_L")
    ]
    assert found.warnings == (
        "2 tractograms fit no --layout, and are left out: 01/wave1/AF_left.trk, 01/wave1/tracts/AF_right.tck",
    )
    assert "by --layout" in found.people[0]


def test_what_fits_two_layouts_or_one_in_two_ways_is_an_error(tmp_path: Path) -> None:
    plant(tmp_path, "a/b/AF_left.trk")
    with pytest.raises(SettingsError, match="fits two layouts"):
        search(tmp_path, Filters(), layouts=[Layout("{participant}/*/{bundle}"), Layout("*/{participant}/{bundle}")])
    same = [Layout("{participant}/*/{bundle}"), Layout("{participant}/b/{bundle}.trk")]
    assert [one.participant for one in search(tmp_path, Filters(), layouts=same).sources] == ["a"]
    plant(tmp_path / "flat", "HC_02_AF_left.trk")
    flat = [Layout("{participant}_{bundle}")]
    assert whose(search(tmp_path / "flat", Filters(), layouts=flat).sources) == {("HC_02", "ArcuateFasciculus_L")}
    plant(tmp_path / "flat", "a_b_c.trk")
    with pytest.raises(SettingsError, match=r"a_b_c\.trk fits --layout .* in several ways"):
        search(tmp_path / "flat", Filters(), layouts=flat)


@pytest.mark.parametrize("text", ["{bundle}.trk", "tracts/x.trk", "{who}/{bundle}", "{participant", "/{participant}"])
def test_a_layout_that_is_no_pattern(text: str) -> None:
    with pytest.raises(SettingsError, match="--layout"):
        Layout(text).checked()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("{participant}/*/{desc:org|rec(|a+}_{bundle}", "a+"),
        ("{participant}/" + 200 * "*" + "/{desc}_{bundle}", "a+"),
        ("{participant}/" + 200 * "**/" + "x/{desc}_{bundle}", "a+"),
        ("{participant}/*/{desc:a.}_{bundle}", None),
    ],
)
def test_words_in_a_layout_are_plain_and_stars_are_one(tmp_path: Path, text: str, label: str | None) -> None:
    """As long as the path is, a name that doesn't fit takes no longer than one that does."""
    plant(tmp_path, "S1/x/a+_AF_L.trk", "S1/tracts/CC.trk", f"S1/{'a/' * 30}CC.trk")
    found = search(tmp_path, Filters(), layouts=[Layout(text).checked()])
    assert [dict(one.entities).get("desc") for one in found.sources] == ([] if label is None else [label])


def test_a_path_that_fits_in_more_ways_than_can_be_tried(tmp_path: Path) -> None:
    plant(tmp_path, f"{'-'.join('a' * 120)}/AF_L.trk")
    parts = "-".join("{" + name + "}" for name in ("participant", "session", "run", "acq", "dir", "desc", "model"))
    with pytest.raises(SettingsError, match="in several ways"):
        search(tmp_path, Filters(), layouts=[Layout(f"{parts}/{{bundle}}").checked()])


def test_layouts_have_entities(tmp_path: Path) -> None:
    plant(tmp_path, "01/csd/run1/AF_left.trk", "01/gqi/run1/AF_left.trk")
    found = search(tmp_path, Filters(), layouts=[Layout("{participant}/{model}/run{run}/{bundle}").checked()])
    assert [dict(source.variant) for source in found.sources] == [
        {"model": "csd", "run": "1"},
        {"model": "gqi", "run": "1"},
    ]


# what sets a bundle apart


@pytest.mark.parametrize("entity", ["run", "acq", "model", "track", "label", "desc", "space", "rec", "anything"])
def test_entities_set_bundles_apart(tmp_path: Path, entity: str) -> None:
    names = [f"sub-01_{entity}-{value}_bundle-AF_{side}_streamlines.tck" for value in "ab" for side in "LR"]
    found = find(plant(tmp_path, *names))
    assert {source.variant for source in found} == {((entity, "a"),), ((entity, "b"),)}
    assert {source.path.name: other.path.name for source, other in mirrored(found).items()} == {
        name: name.replace("AF_L", "AF_X").replace("AF_R", "AF_L").replace("AF_X", "AF_R") for name in names
    }


def test_what_names_the_bundle_sets_nothing_apart(tmp_path: Path) -> None:
    plant(tmp_path, "sub-1_tract-AF_hemi-L_tractogram.trx", "sub-1_desc-LeftArcuate_tractography.trk")
    assert [source.variant for source in find(tmp_path)] == [(), ()]


def test_how_it_was_found_or_cleaned_and_where_sets_apart(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "sub-1_desc-det-afq-CST_L_tractography.trk",
        "sub-1_desc-det-afq-clean-CST_L_tractography.trk",
        "sub-1__CST_L_cleaned.trk",
        "a/dataset_description.json",
        "a/sub-1_CST_L.trk",
        "b/dataset_description.json",
        "b/sub-1_CST_L.trk",
    )
    found = search(tmp_path, Filters())
    assert {source.bundle.key for source in found.sources} == {"CorticospinalTract_L"}
    assert len({source.variant for source in found.sources}) == 5
    assert not found.warnings


@pytest.mark.parametrize("hemi", ["left", "Left", "l", "L", "lh", "LH"])
def test_hemi_in_all_spellings(tmp_path: Path, hemi: str) -> None:
    other = {"left": "right", "Left": "Right", "l": "r", "L": "R", "lh": "rh", "LH": "RH"}[hemi]
    plant(tmp_path, *(f"sub-01_tract-AF_hemi-{one}_tractogram.trx" for one in (hemi, other)))
    found = find(tmp_path)
    assert {source.bundle.key for source in found} == {"ArcuateFasciculus_L", "ArcuateFasciculus_R"}
    assert len(mirrored(found)) == 2
    assert identify(f"tract-AF_hemi-{hemi}").hemisphere == "L"


@pytest.mark.parametrize(("label", "key"), [("AF_L", "ArcuateFasciculus_R"), ("My_L", "My_R"), ("MyLeft", "MyLeft_R")])
def test_hemi_beats_the_name(tmp_path: Path, label: str, key: str) -> None:
    (source,) = find(plant(tmp_path, f"sub-01_tract-{label}_hemi-right_tractogram.trx"))
    assert (source.bundle.key, source.bundle.hemisphere) == (key, "R")


# one rotten thing


def test_a_folder_that_cannot_be_read_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, "sub-1/AF_L.trk", "sub-2/AF_L.trk", "sub-3/AF_L.trk")
    scandir = os.scandir
    raised = {"sub-1": PermissionError(13, "Permission denied"), "sub-2": RuntimeError("odd")}

    def odd(path: Path) -> Iterator[os.DirEntry[str]]:
        if error := raised.get(Path(path).name):
            raise error
        return scandir(path)

    monkeypatch.setattr(os, "scandir", odd)
    found = search(tmp_path, Filters())
    assert [source.participant for source in found.sources] == ["3"]
    first, second = found.failed
    assert first == f"the folder {tmp_path}/sub-1 can't be read: Permission denied; what it holds is left out"
    assert second.startswith(f"{tmp_path}/sub-2 can't be understood (RuntimeError('odd'))")
    raised[tmp_path.name] = PermissionError(13, "Permission denied")
    with pytest.raises(SettingsError, match="can't be read: Permission denied"):
        search(tmp_path, Filters())


FAULTS = [ValueError("odd"), KeyError("odd"), RecursionError(), MemoryError(), OSError("odd"), RuntimeError("odd")]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("function", ["search.known", "tractogram_source.identify"])
def test_a_name_that_raises_anything_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, function: str
) -> None:
    odd = f"odd{function.partition('.')[0]}{type(fault).__name__}"  # another each time: some are kept
    plant(tmp_path, "sub-1/AF_L.trk", f"sub-1/{odd}.trk", f"sub-1/{odd}_tractogram.json", "sub-2/AF_L.trk")
    real = {"search.known": known, "tractogram_source.identify": identify}[function]

    def raising(name: str, *more: str) -> object:
        if odd in name:
            raise fault
        return real(name, *more)

    monkeypatch.setattr(f"tractcap.inputs.{function}", raising)
    found = search(tmp_path, Filters())
    assert whose(found.sources) == {("1", "ArcuateFasciculus_L"), ("2", "ArcuateFasciculus_L")}
    assert len(found.failed) == 2
    assert found.failed[0].startswith(f"{tmp_path}/sub-1/{odd}.trk can't be understood ({type(fault).__name__}")


@pytest.mark.parametrize("fault", FAULTS[:-2], ids=lambda fault: type(fault).__name__)
def test_an_entry_that_raises_anything_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def is_dir(entry: Entry) -> bool:
        if entry.name == "Odd7_left.tck":
            raise fault
        return Entry.is_dir(entry)

    tree = Tree(tmp_path, ["sub-1"], files="Odd{n}_left.tck")
    monkeypatch.setattr(os, "scandir", tree.scandir)
    monkeypatch.setattr(Listing, "entry", type("Odd", (Entry,), {"is_dir": is_dir}))
    found = search(tmp_path, Filters())
    assert len(found.sources) == 49
    (sentence,) = found.failed
    assert sentence.startswith(f"{tmp_path}/sub-1/Odd7_left.tck can't be understood ({type(fault).__name__}")


def test_links_to_files_that_are_not_there_are_found(tmp_path: Path) -> None:
    (tmp_path / "sub-1").mkdir()
    for name in ("AF_L.trk", "CST_L.trx", "T1w.nii.gz"):
        (tmp_path / "sub-1" / name).symlink_to("../.git/annex/objects/x")
    found = search(tmp_path, Filters())
    assert [source.name for source in found.sources] == ["sub-1/AF_L.trk", "sub-1/CST_L.trx"]
    assert [image.name for image in found.images] == ["sub-1/T1w.nii.gz"]


@pytest.mark.parametrize(
    "content", [b"[]", b'{"GeneratedBy": [1', b"\xff\xfe", b'{"GeneratedBy": 3}', b"[" * 100_000, b"", None]
)
def test_an_odd_description_of_a_dataset_costs_nothing(tmp_path: Path, content: bytes | None) -> None:
    plant(tmp_path, "sub-1/AF_L.trk")
    if content is None:
        os.mkfifo(tmp_path / "dataset_description.json")
    else:
        (tmp_path / "dataset_description.json").write_bytes(content)
    found = search(tmp_path, Filters())
    assert ([source.name for source in found.sources], found.failed) == (["sub-1/AF_L.trk"], ())


# what there is instead


@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        (Filters(["99"]), "no tractogram is of participant 99; there are: 01, 02"),
        (Filters(["01"], ["9"]), "no tractogram is of session 9; there are: 1"),
        (Filters(["01"], tracts=["CST"]), "no tractogram is of bundle CST; there are: ArcuateFasciculus_L"),
    ],
)
@pytest.mark.parametrize("tree", ["sub-{who}/ses-1/AF_L.trk", "{who}/ses-1/tracts/AF_L.trk"])
def test_what_there_is_where_nothing_fits(tmp_path: Path, filters: Filters, sentence: str, tree: str) -> None:
    plant(tmp_path, *(tree.format(who=who) for who in ("01", "02")))
    assert search(tmp_path, filters).nothing == sentence


def test_labels_that_are_not_there_beside_others_are_said(tmp_path: Path) -> None:
    plant(tmp_path, "sub-01/AF_L.trk", "sub-02/AF_L.trk")
    found = search(tmp_path, Filters(["01", "99"], tracts=["AF", "CST"]))
    assert [source.participant for source in found.sources] == ["01"]
    assert found.warnings == (
        "no tractogram is of participant 99; there are: 01, 02",
        "no tractogram is of bundle CST; there are: ArcuateFasciculus_L",
    )


# as flat as may be


@pytest.mark.parametrize(
    ("who", "levels", "files", "layouts"),
    [
        ("sub-{n:05d}", [["dwi"]], "{0}_bundle-Tract{n}L_streamlines.tck", ()),
        ("sub-{n:05d}", [["ses-1", "ses-2"], ["dwi"]], "{0}_{1}_bundle-Tract{n}L_streamlines.tck", ()),
        ("P{n:05d}", [["tractseg_output"], ["TOM_trackings"]], "Tract{n}_left.tck", ()),
        ("P{n:05d}", [["tracts"]], "Tract{n}_left.tck", ()),
        ("P{n:05d}", [["wave1"]], "Tract{n}_left.tck", (Layout("{participant}/wave{session}/{bundle}"),)),
    ],
)
def test_one_among_twenty_thousand_people(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
    levels: list[list[str]],
    files: str,
    layouts: tuple[Layout, ...],
) -> None:
    """Others' folders aren't listed, nor held: of a million tractograms there is the memory of fifty."""
    tree = Tree(tmp_path, [who.format(n=n) for n in range(20_000)], *levels, files=files)
    monkeypatch.setattr(os, "scandir", tree.scandir)
    label = who.format(n=17)
    tracemalloc.start()
    try:
        found = search(tmp_path, Filters([label]), layouts=layouts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {source.participant for source in found.sources} == {label.removeprefix("sub-")}
    assert len(found.sources) == 50 * len(levels[0])
    assert all(folder == "." or folder.startswith(label) for folder in tree.listed)
    assert len(tree.listed) == len(set(tree.listed)) <= 6
    assert peak < 32 * 2**20


def test_a_tractogram_is_some_hundred_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(tmp_path, [f"sub-{n:05d}" for n in range(200)], ["dwi"], files="{0}_bundle-Tract{n}L_streamlines.tck")
    monkeypatch.setattr(os, "scandir", tree.scandir)
    tracemalloc.start()
    try:
        found: SearchResult = search(tmp_path, Filters())
        assert len(found.sources) == 10_000
        before, peak = tracemalloc.get_traced_memory()
        del found  # what it takes is what it gives back: caches hold of some what is asked for again
        gc.collect()
        held = before - tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 100 < held / 10_000 < 300
    assert peak / 10_000 < 370, "while it is searched for"
