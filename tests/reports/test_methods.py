"""The text on methods, of pictures that were really drawn."""

import copy
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import fiber_images
import phantoms
import pytest

from tractcap import __version__, reports
from tractcap.records.tractogram_sidecar import TractogramRecord, parse
from tractcap.reports.methods import methods_text, references
from tractcap.reports.participant_page import write_participant_page

ALWAYS = {"vtk", "numpy", "boucheny"}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = tmp_path_factory.mktemp("study")
    phantoms.save_head(study / "head é.nii.gz")
    fiber_images.save_vortex(study / "peaks.nii.gz", study / "odf.nii.gz")
    for person in ("01", "02"):
        for seed, name in enumerate(("AF_L", "CST_R")):
            path = study / f"tracts/sub-{person}/{name}.tck"
            path.parent.mkdir(parents=True, exist_ok=True)
            phantoms.save(path, phantoms.asymmetric_bundle(5 + seed, seed=seed))
    return study


def drawn(study: Path, output: Path, *options: object) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tractcap", study / "tracts", output, "participant", "--size", "64", *options]
    found = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=study)
    assert found.returncode == 0, found.stderr
    return [json.loads(path.read_text()) for path in sorted(output.glob("sub-*/**/figures/*.json"))]


def records(told: list[dict[str, Any]]) -> list[TractogramRecord]:
    return [parse(one) for one in told]


def written(records: list[TractogramRecord]) -> str:
    return methods_text(records).plain


def cited(text: str) -> set[str]:
    """The references in the list; each of them must be named in the text too, and none must lack."""
    body, _, listed = text.partition("\n\nReferences\n\n")
    keys = {key for key, one in references().items() if f"- {one.plain}" in listed.splitlines()}
    assert len(keys) == len(listed.splitlines())
    assert {key for key, one in references().items() if re.search(rf"[(] ?{one.short}|; {one.short}", body)} == keys
    return keys


CASES: list[tuple[tuple[object, ...], set[str], tuple[str, ...]]] = [
    (
        (),
        {"pajevic"},
        (
            "Pictures of 4 tractograms of 2 participants were drawn",
            "seen from the left, the front, above, the right, behind and below.",
            "All pictures of a participant have the same frame",
            "The streamlines were drawn as lines",
            "Each pixel is the mean of 4 samples.",
            "the unit tangent",
            "All 22 streamlines were drawn",
        ),
    ),
    (
        ("--views", "left,axial", "--fit", "--style", "tubes", "--width", "0.5", "--color", "endpoints"),
        {"pajevic", "catmull"},
        (
            "seen from the left.",
            "Views of axial slices",
            "within 2 mm of the slice",
            "a frame and scale of its own",
            "as lit tubes 0.5 mm wide",
            "from its first to its last point",
            "Slices lead through the mean of all points of a tractogram",
        ),
    ),
    (
        ("--color", "density", "--colormap", "cividis", "--opacity", "0.25", "--animation", "gif", "--frames", "3"),
        {"calamante", "scipy", "matplotlib", "cividis", "bavoil"},
        (
            "visit each voxel of a grid of 2 mm",
            "the colour map cividis",
            "They range from the 2nd to the 98th percentile of the values",
            "the lowest to the highest of the tractograms of a participant.",
            "an opacity of 0.25",
            "Animations of 3 pictures",
        ),
    ),
    (
        ("--color", "density", "--color-range", "group"),
        {"calamante", "scipy", "matplotlib"},
        ("the 98th percentile", "They range from", "of the tractograms of all participants."),
    ),
    (
        ("--scalar", "FA=head é.nii.gz", "--color-range", "0,700"),
        {"nibabel", "scipy", "matplotlib"},
        ("the map “FA”, interpolated trilinearly", "They range from 0 to 700."),
    ),
    (
        ("--color", "position", "--overview"),
        {"quickbundles", "scipy", "matplotlib"},
        ("the nearest of 100 points on its core", "all tractograms of a participant together"),
    ),
    (("--color", "bundle"), {"okabe"}, ("Each bundle has a colour of its own",)),
    (("--color", "#123456"), set(), ("All streamlines have the same colour.",)),
    (
        ("--reference", "head é.nii.gz", "--slices-at", "-20,0,15.5"),
        {"pajevic", "nibabel", "otsu", "dipy", "scipy", "edges"},
        (
            "shown on head é.nii.gz, windowed",
            "half of Otsu's threshold",
            "Slices through it",
            "Its surface is shown behind them as if made of glass",
            "Slices lead through the point -20, 0, 15.5 mm (RAS+)",
            "The share of the points that lie outside",
        ),
    ),
    (
        ("--peaks", "peaks.nii.gz", "--odf", "odf.nii.gz"),
        {"pajevic", "dipy", "fury"},
        (
            "Peaks of fibre orientation and orientation distribution functions are shown in the voxels that slices",
            "in the voxels that slices lead through, in the colours of their directions",
            "Slices lead through the mean of all points of a tractogram",
            "the latter are sums of spherical harmonics",
        ),
    ),
    (
        ("--peaks", "peaks.nii.gz"),
        {"pajevic"},
        ("Peaks of fibre orientation are shown in the voxels that slices lead", "Slices lead through the mean of all"),
    ),
    (
        ("--reference", "head é.nii.gz", "--anatomy", "slices"),
        {"pajevic", "nibabel", "otsu", "dipy", "scipy"},
        ("Slices lead through the mean of all points", "Slices through it are", "The share of the points"),
    ),
]

OPTIONAL = (
    "Views of",
    "in the voxels that slices lead",
    "98th percentile",
    "They range from",
    "an opacity of",
    "Animations of",
    "together",
    "Slices lead through",
    "Slices through it",
    "Its surface",
    "The share of the points",
)
"""What is said where it was done, and by no case that doesn't name it."""


@pytest.mark.parametrize(("options", "references", "words"), CASES)
def test_what_was_done_is_said_and_nothing_else(
    study: Path, tmp_path: Path, options: tuple[object, ...], references: set[str], words: tuple[str, ...]
) -> None:
    few = () if "--views" in options or not options else ("--views", "left")
    told = records(drawn(study, tmp_path, *options, *few))
    text = written(told)
    for one in words:
        assert one in text
    assert cited(text) == ALWAYS | references
    said, meant = ({mark for mark in OPTIONAL if mark in where} for where in (text, " ".join(words)))
    assert said == meant
    assert str(study) not in text
    assert text == written(told)
    assert not re.search(r"None|nan|\[|  |\.\.", text.partition("\n\nReferences")[0])


@pytest.fixture(scope="module")
def told(study: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return drawn(study, tmp_path_factory.mktemp("out"), "--views", "left")


def test_nothing_is_said_of_nothing(told: list[dict[str, Any]]) -> None:
    assert written([]) == ""
    undrawn = [one | {"Status": "failed"} for one in told]
    assert written(records(undrawn)) == ""


def test_what_was_not_drawn_is_counted(told: list[dict[str, Any]]) -> None:
    told = copy.deepcopy(told)
    told[0]["Status"] = "failed"
    told[1]["Status"] = "empty"
    told[2]["StreamlinesLeftOut"] = {"with fewer than two points": 2}
    text = written(records(told))
    assert "Pictures of 2 tractograms of 1 participant" in text
    assert "1 further tractogram could not be drawn. 1 further tractogram held no streamlines." in text
    assert "Of 11 streamlines, 2 were left out: 2 with fewer than two points." in text


def test_versions_and_styles_of_several_runs(told: list[dict[str, Any]]) -> None:
    told = copy.deepcopy(told)
    told[0]["GeneratedBy"][0]["Version"] = "0.0.9"
    told[0] |= {"Style": "tubes", "WidthMillimetres": 0.51234, "SamplesPerPixel": 1, "Software": {"VTK": "9.6.2"}}
    text = written(records(told))
    assert f"tractcap 0.0.9 and {__version__}," in text
    assert "of 3 tractograms were drawn as lines" in text
    assert "of 1 tractogram were drawn as lit tubes 0.512 mm wide" in text
    assert "the mean of 4 samples, but for 1 tractogram." in text
    assert "VTK 9.6.2 (Schroeder et al., 2006)" in text


def test_what_an_earlier_version_told_is_enough(told: list[dict[str, Any]]) -> None:
    told = copy.deepcopy(told)
    for one in told:
        one["Made"]["Look"] = {"views": ["left"], "size": 64}
        for key in ("Lengths", "VolumeVoxelMillimetres", "StreamlinesLeftOut", "Extent"):
            one.pop(key, None)
    assert "Pictures of 4 tractograms of 2 participants were drawn" in written(records(told))


class Reader(HTMLParser):
    """Text, and the elements that it lies in; each must be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.links += [str(value) for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        assert data.isspace() or self.open[-1] in ("p", "li", "a")
        self.text += data


def test_the_page_says_the_same_and_is_escaped(told: list[dict[str, Any]], tmp_path: Path) -> None:
    told = copy.deepcopy(told)
    figures = tmp_path / "sub-01/figures"
    figures.mkdir(parents=True)
    for number, one in enumerate(told):
        one["Made"]["Reference"] = {"path": "/x/<script>alert(1)&.nii", "bytes": 1, "modified": 1}
        (figures / f"{number}.json").write_text(json.dumps(one))
    made = write_participant_page(tmp_path, "01")
    assert made
    html = made.read_text().partition('<div class="methods">')[2].partition("</div>")[0]
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    assert "<script>" not in html
    paragraphs = written(records(told)).partition("\n\nReferences")[0].split("\n\n")
    for paragraph in paragraphs:
        assert paragraph in reader.text
    assert "<script>alert(1)&.nii" in paragraphs[3]
    assert all(link.startswith("https://doi.org/10.") and "<" not in link for link in reader.links)
    assert len(reader.links) > 5


def test_every_reference_is_told_apart() -> None:
    assert len({one.short for one in references().values()}) == len(references())
    assert len({one.plain for one in references().values()}) == len(references())


def test_the_template_cites_every_reference_and_no_other() -> None:
    template = Path(reports.__file__).parent / "templates/methods.txt"
    text = template.read_text(encoding="utf-8").partition("#}")[2]
    cited = {key for keys in re.findall(r"cite\(([^)]*)\)", text) for key in re.findall('"([a-z]+)"', keys)}
    packages = set(re.findall(r'\("\w+", "(\w+)"\)', text))
    assert cited | packages == set(references())
