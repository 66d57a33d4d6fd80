"""What stands in a participant's page, without a browser."""

import json
import re
import shlex
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from jinja2 import UndefinedError
from outputs import BUNDLES, Output, numbers

from tractcap import __version__
from tractcap.cli import tractcap
from tractcap.records.options import PictureOptions
from tractcap.reports import formatting
from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.picture_sets import anchor

TEMPLATES = Path(formatting.__file__).parent / "templates"


class Found(HTMLParser):
    """Ids, links, texts by the element with an id around them, and names of elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.alts: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self.tags.append(tag)
        self.ids += [named["id"] or ""] if "id" in named else []
        self.links += [named[key] or "" for key in ("href", "src") if key in named]
        self.alts += [named.get("alt")] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def written(output: Output, participant: str = "01") -> str:
    path = write_participant_page(output.root, participant)
    assert path
    return path.read_text()


def card(text: str, source: str) -> str:
    """The words on a card, with single spaces."""
    article = re.search(rf'<article [^>]*id="{anchor(source)}".*?</article>', text, re.DOTALL)
    assert article
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", article[0])).split())


def add_all(output: Output) -> None:
    for key in BUNDLES:
        output.add(key, turntable="webp")


def test_same_input_same_bytes(tmp_path: Path) -> None:
    texts = []
    for name, keys in (("one", BUNDLES), ("two", BUNDLES[::-1])):
        output = Output(tmp_path / name)
        for key in keys:
            output.add(key)
        texts += [written(output), written(output)]
    assert len(set(texts)) == 1


def test_nothing_to_tell_of(output: Output) -> None:
    output.add("ForcepsMajor", "02")
    assert write_participant_page(output.root, "01") is None
    assert list(output.root.glob("*.html")) == []


def test_nothing_is_fetched_from_elsewhere(output: Output) -> None:
    add_all(output)
    text = written(output)
    assert text.count("fetch(") == 1  # to save ratings, where tractcap itself serves the page
    assert '<script type="application/json" id="served">null</script>' in text
    assert "default-src 'none'" in text
    assert "connect-src" not in text
    without_references = re.sub(r'<a href="https://doi\.org/[^"]*">', "", text)
    assert "http" not in without_references.replace("http-equiv", "")
    found = Found(without_references)
    assert {"link", "iframe", "base"}.isdisjoint(found.tags)
    assert all(link.startswith(("#", "sub-01/figures/")) for link in found.links)


def test_numbers(output: Output) -> None:
    told = {
        "Streamlines": 12345,
        "StreamlinesDrawn": 12300,
        "StreamlinesLeftOut": {"with fewer than two points": 45},
        "VolumeMillimetres3": 12345,
        "PointsOutsideReference": 0.0412,
        "Notes": ["4.1 % of the points lie outside T1w.nii.gz"],
    }
    lengths = {"Mean": 87.12, "Median": 85.24, "Minimum": 20.1, "Maximum": 150.3}
    about = {"Histogram": {"Start": 20.0, "BinWidth": 5.0, "Counts": [1, 0, 9, 2]}}
    output.add("ForcepsMajor", source="a.trk", told={**told, "Lengths": {**lengths, **about}})
    words = card(written(output), "a.trk")
    for expected in (
        "Streamlines 12,300 of 12,345",
        "Mean length 87.1 mm",
        "Median length 85.2 mm",
        "20.1–150.3 mm",
        "12.3 cm³",
        "Outside reference 4.1 %",
        "45 streamlines are left out: 45 with fewer than two points.",
        "4.1 % of the points lie outside T1w.nii.gz.",
    ):
        assert expected in words
    assert "Lengths from 20.1 to 150.3 mm, most between 30 and 35 mm" in written(output)


def test_bars_of_the_histogram(output: Output) -> None:
    lengths = {"Mean": 1, "Median": 1, "Minimum": 0, "Maximum": 4}
    about = {"Histogram": {"Start": 0, "BinWidth": 1, "Counts": [1000, 0, 500, 1]}}
    output.add("ForcepsMajor", told={"Lengths": {**lengths, **about}})
    bars = re.search(r'<figure class="histogram".*?<path d="([^"]*)"', written(output), re.DOTALL)
    assert bars
    assert [float(high) for high in re.findall(r"v-([\d.]+)", bars[1])] == [36, 18, 1]  # few are seen too
    assert [float(at) for at in re.findall(r"M([\d.]+) ", bars[1])] == [0, 80, 120]


def test_no_histogram_of_nothing(output: Output) -> None:
    lengths = {"Mean": 0, "Median": 0, "Minimum": 0, "Maximum": 0}
    about = {"Histogram": {"Start": 0, "BinWidth": 1, "Counts": [0, 0]}}
    output.add("ForcepsMajor", source="a.trk", told={"Lengths": {**lengths, **about}})
    text = written(output)
    assert '<figure class="histogram"' not in text
    assert "Mean length 0.0 mm" in card(text, "a.trk")


def test_failed_and_empty_ones(output: Output) -> None:
    output.add("ForcepsMajor", source="a.trk")
    output.add("ForcepsMinor", source="b.trk", status="failed", why="The header is no header.")
    output.add("CorticospinalTract_L", source="c.trk", status="empty")
    text = written(output)
    assert "Failed. The header is no header." in card(text, "b.trk")
    assert "Empty. It holds no streamlines." in card(text, "c.trk")
    header = " ".join(unescape(re.sub(r"<[^>]*>", " ", text[text.index("<header") : text.index("</header>")])).split())
    assert "1 drawn 1 failed 1 empty" in header
    assert "Corticospinal tract, left empty Forceps minor failed" in header
    found = Found(text)
    assert {f"#{anchor('b.trk')}", f"#{anchor('c.trk')}"} <= set(found.links)


def test_sidecars_of_undrawn_ones_need_not_hold_more(output: Output) -> None:
    path = output.add("ForcepsMajor", source="a.trk", status="failed")
    told = json.loads(path.read_text())
    sure = ("Kind", "Status", "Why", "Participant", "Session", "Title", "Bundle", "Sources", "GeneratedBy")
    path.write_text(json.dumps({key: told[key] for key in sure}))
    assert "Failed." in card(written(output), "a.trk")


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{{ 7 * 7 }}", "</script>"]
)
def test_names_do_nothing(output: Output, name: str) -> None:
    output.add("ForcepsMajor", stem="plain", source="a/plain.trk")
    plain = _tags(written(output))
    bundle = {"Original": name, "Key": name, "Readable": name, "Hemisphere": ""}
    told = {"Bundle": bundle, "Title": name, "Notes": [name], "ReferenceChosen": name}
    output.add("ForcepsMajor", stem="plain", source=f"a/{name}", told=told)
    text = written(output)
    assert _tags(text) == plain
    assert name in Found(text).texts
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data
    assert json.loads(data[1])["cards"][0]["source"] == f"a/{name}"


def _tags(text: str) -> list[str]:
    """Without those of the warnings."""
    return [tag for tag in Found(text).tags if tag not in {"ul", "li", "span", "svg", "path", "circle", "p"}]


@pytest.mark.parametrize("name", ["50%25", "a#b", "a?b", "a b", 'it\'s "quoted"', "ä", "\udce4", "a:b", "&amp;", "\\"])
def test_links_lead_to_files(output: Output, name: str) -> None:
    output.add("ForcepsMajor", stem=name, turntable="webp")
    found = Found(written(output))
    links = [link for link in found.links if not link.startswith(("#", "https://doi.org/"))]
    assert len(links) == 2
    for link in links:
        assert (bytes(output.root) + b"/" + unquote_to_bytes(link), True) == (
            bytes(output.root / f"sub-01/figures/{name}_mosaic.png"),
            (output.root / f"sub-01/figures/{name}_mosaic.png").is_file(),
        )


def test_bytes_that_are_no_text_are_shown(output: Output) -> None:
    output.add("ForcepsMajor", source="\udce4.trk", told={"Title": "\udce4"})
    text = written(output)
    assert "\ufffd.trk" in card(text, "\udce4.trk")
    assert "\\udce4" not in text.split('<script type="application/json"')[0]


def test_pictures_keep_their_place(output: Output) -> None:
    output.add("ForcepsMajor")
    assert 'width="60" height="44"' in written(output)


def test_pictures_are_loaded_late_and_turntables_not_at_all(output: Output) -> None:
    add_all(output)
    text = written(output)
    images = re.findall(r"<img [^>]*>", text)
    assert len(images) == len(BUNDLES)
    assert all('loading="lazy"' in image and 'decoding="async"' in image for image in images)
    assert all(Found(text).alts)
    assert not any("turntable" in link for link in Found(text).links)


def test_sessions(output: Output) -> None:
    for session in ("2", "1"):
        output.add("ArcuateFasciculus_L", session=session)
        output.add("ArcuateFasciculus_R", session=session)
    text = written(output)
    headings = [" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in re.findall(r"<h2>(.*?)</h2>", text)]
    assert headings[:2] == ["ses-1 2 tractograms", "ses-2 2 tractograms"]
    cards = data(text)
    assert [by["session"] for by in cards] == ["ses-1", "ses-1", "ses-2", "ses-2"]
    names = {one["id"]: (one["session"], one["key"]) for one in cards}
    for one in cards:  # pairs are of one session
        assert names[one["pair"]] == (one["session"], "ArcuateFasciculus_" + {"L": "R", "R": "L"}[one["side"]])


def data(text: str) -> list[dict[str, object]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    made = json.loads(found[1])["cards"]
    ids = [one["id"] for one in made]
    order = [one for one in Found(text).ids if one in ids]
    return sorted(made, key=lambda one: order.index(one["id"]))


def test_cards_are_ordered_by_name(output: Output) -> None:
    for key, stem in (("ForcepsMajor", "a"), ("ForcepsMinor", "b"), ("CorticospinalTract_L", "c")):
        output.add(key, stem=stem)
    keys = ["CorticospinalTract_L", "ForcepsMajor", "ForcepsMinor"]
    assert [one["key"] for one in data(written(output))] == keys


def test_what_sets_cards_apart_is_on_them(output: Output) -> None:
    """And only what does; left and right of one run are a pair."""
    for run in ("1", "2"):
        for side in "LR":
            stem = f"sub-01_run-{run}_{side}"
            told = {"Variant": {"run": run, "space": "T1w"}}
            output.add(f"ArcuateFasciculus_{side}", stem=stem, source=stem, told=told)
    text = written(output)
    for run in ("1", "2"):
        assert card(text, f"sub-01_run-{run}_L").startswith(f"Arcuate fasciculus, left run {run} ")
    assert "T1w" not in card(text, "sub-01_run-1_L").partition("File and drawing")[0]
    cards = {one["id"]: one for one in data(text)}
    assert [one["apart"] for one in cards.values()] == ["run 1", "run 2"] * 2
    assert all(cards[one["pair"]]["apart"] == one["apart"] for one in cards.values())
    assert 'aria-label="Arcuate fasciculus, left, run 1: open the pictures"' in text


def test_only_hemispheres_are_pairs(output: Output) -> None:
    output.add("ForcepsMajor")
    output.add("ArcuateFasciculus_L")
    output.add("CorticospinalTract_R")
    assert [one["pair"] for one in data(written(output))] == ["", "", ""]


def test_folders_without_participants(output: Output) -> None:
    output.add("ForcepsMajor", "")
    output.add("ForcepsMinor", "01")
    path = write_participant_page(output.root, "")
    assert path == output.root / "index.html"
    assert [one["key"] for one in data(path.read_text())] == ["ForcepsMajor"]


def test_anchors_are_those_that_others_link_to(output: Output) -> None:
    output.add("ForcepsMajor", source="sub-01/a.trk")
    output.add("", kind="overview", stem="overview", told={"Sources": ["sub-01/a.trk", "sub-01/b.trk"]})
    ids = Found(written(output)).ids
    assert ids.count(anchor("sub-01/a.trk")) == 1
    assert len(ids) == len(set(ids))


def test_a_file_drawn_twice_has_two_cards(output: Output) -> None:
    output.add("ForcepsMajor", source="a.trk")
    output.add("ForcepsMajor", source="a.trk", stem="other")
    ids = Found(written(output)).ids
    assert {anchor("a.trk"), anchor("a.trk") + "-2"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_an_overview_is_no_tractogram(output: Output) -> None:
    output.add("ForcepsMajor", source="a.trk")
    told = {"Sources": ["a.trk", "b.trk"], "Lengths": {"Mean": 80.0}}
    colors = [{"kind": "bundle", "name": "", "color": color} for color in ([230, 159, 0], [0, 158, 115])]
    output.add("", kind="overview", stem="overview", told={**told, "Colorings": colors})
    text = written(output)
    assert "1 tractogram," in text
    assert f'<span class="swatch" style="background: #e69f00"></span><a href="#{anchor("a.trk")}">' in text


def test_how_it_was_made(output: Output) -> None:
    output.add("ForcepsMajor")
    output.add("ForcepsMinor", told={"ReferenceChosen": "another one"})
    text = written(output)
    about = text[text.index('<dl class="about">') : text.index("</dl>")]
    words = " ".join(unescape(re.sub(r"<[^>]*>", " ", about)).split())
    for expected in (
        f"Software tractcap {__version__}",
        "512 MB, bound by a control group",
        "by direction",
        "Command lines in logs",
        "--size 800 --background '#000000'",
        "sub-01_T1w.nii.gz: another one (1 tractogram)",
        "Tractograms from sub-01/dwi",
    ):
        assert expected in words


@pytest.mark.parametrize(
    "options",
    [
        PictureOptions(),
        PictureOptions(
            views=("left", "axial"), size=64, background=(255, 136, 0), style="tubes", width=0.1 + 0.2, opacity=0.5,
            anatomy=(), slices_at=(-20.5, 0, 1e-7), slab=1.5, animation=("gif", "mp4"), frames=12, frame_size=64,
            exact=True, mosaic_only=True,
        ),
    ],
    ids=["defaults", "others"],
)  # fmt: skip
def test_the_command_line_takes_the_options_that_are_shown(output: Output, options: PictureOptions) -> None:
    made = {**numbers("")["Made"], "Look": options.plain()}
    output.add("ForcepsMajor", told={"Made": made})
    (shown,) = re.findall("<dt>Options</dt><dd>(.*?)</dd>", written(output))
    given = tractcap.make_context("tractcap", ["in", "out", "participant", *shlex.split(unescape(shown))]).params
    assert {name: given[name] for name in options.plain()} == {name: getattr(options, name) for name in options.plain()}


def test_methods(output: Output) -> None:
    output.add("ForcepsMajor", status="failed")
    assert "Methods text" not in written(output)
    output.add("ForcepsMinor")
    assert f"<p>Pictures of 1 tractogram of 1 participant were drawn with tractcap {__version__}, " in written(output)


@pytest.mark.parametrize("content", ["{", "[]", '{"Status": "drawn"}'])
def test_files_that_are_not_whole_are_told_of(output: Output, content: str) -> None:
    output.add("ForcepsMajor")
    (output.root / "sub-01/figures/half.json").write_text(content)
    assert "sub-01/figures/half.json" in written(output)


@pytest.mark.parametrize(
    "told",
    [
        {"Bundle": {}},
        {"Lengths": {"Histogram": {"Counts": [1]}}},
        {"Streamlines": "many"},
        {"SourceModified": 7},
        {"Made": 7},
    ],
)
def test_files_that_hold_something_else_leave_the_others_alone(output: Output, told: dict[str, object]) -> None:
    output.add("ForcepsMajor", source="a.trk")
    output.add("ForcepsMinor", stem="odd", told=told)
    text = written(output)
    assert "2 tractograms," in text
    assert "<b>1</b> unreadable" in text
    assert "<b>Unreadable.</b> Its JSON file sub-01/figures/odd.json can&#39;t be understood: " in text


def test_pictures_that_are_gone_leave_the_page(output: Output) -> None:
    output.add("ForcepsMajor", pictures=False)
    assert '_mosaic.png" alt=' in written(output)


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        formatting.render("participant_body.html")


def test_numbers_for_people() -> None:
    assert [formatting.percent(share) for share in (0, 1e-9, 0.0005, 0.1234, 0.9999, 1)] == [
        "0.0 %",
        "less than 0.1 %",
        "0.1 %",
        "12.3 %",
        "more than 99.9 %",
        "100.0 %",
    ]
    assert [formatting.whole(-0.4), formatting.tenths(-0.04), formatting.tenths(-1234.56)] == ["0", "0.0", "-1,234.6"]
    assert [formatting.size(count) for count in (0, 999, 1000, 1234567, 2**30, 5 * 2**43)] == [
        "0 bytes",
        "999 bytes",
        "1.0 KB",
        "1.2 MB",
        "1.0 GB",
        "40 TB",
    ]
    assert [formatting.volume(volume) for volume in (0, 999, 1000, 12345)] == [
        "0 mm³",
        "999 mm³",
        "1.0 cm³",
        "12.3 cm³",
    ]
    assert [formatting.plural(count, "bundle") for count in (0, 1, 1000)] == ["0 bundles", "1 bundle", "1,000 bundles"]


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_can_be_read(theme: str) -> None:
    text = (TEMPLATES / "base.css").read_text()
    light, dark = text[: text.index("{% macro")], text[text.index("{% macro") : text.index("{% endmacro")]
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light + (dark if theme == "dark" else "")))
    on = dict.fromkeys(("ink", "soft", "accent", "good-ink", "bad-ink", "warn-ink"), ("paper", "sheet", "hover"))
    on |= {"sheet": ("accent",)}
    pairs = [(ink, sheet) for ink, sheets in on.items() for sheet in sheets]
    pairs += [(f"{name}-ink", f"{name}-sheet") for name in ("good", "bad", "warn")]
    for ink, sheet in pairs:
        high, low = sorted((_luminance(colors[ink]), _luminance(colors[sheet])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, sheet)
