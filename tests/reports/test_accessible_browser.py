"""Everybody can use the pages: axe-core finds no violation in any state of them, in light and dark, wide and narrow."""

import re
from pathlib import Path
from typing import Any

import pytest
from checked import FLAG, tell
from outputs import BUNDLES, Output, draw
from playwright.sync_api import expect
from reviewing import Server

from tractcap.reports.group_page import write_group_page
from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.picture_sets import picture_sets

pytestmark = pytest.mark.browser
Viewer = Any  # of conftest.py

ROOT = Path(__file__).parents[2]
LOOKS = {
    f"{scheme}, {name}": {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    for scheme in ("light", "dark")
    for name, width in (("wide", 1400), ("narrow", 400))
}
_RUN = """async () => (await axe.run()).violations.map((rule) => [
    `${rule.id}: ${rule.help}`, ...rule.nodes.map((node) => `    ${node.html}: ${node.failureSummary}`)
].join("\\n"))"""


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's source."""
    found = list((ROOT / ".venv-accessibility").glob("lib/python3*/site-packages/axe_playwright_python/axe.min.js"))
    assert found, "axe-core is missing: run make test-pages, which installs it"
    return found[0].read_text(encoding="utf-8")


@pytest.fixture
def filled(output: Output) -> Output:
    """Two participants with all that pages may show: checks, flags, warnings, an overview, failures and ratings."""
    for participant in ("01", "02"):
        for key in BUNDLES[:5]:
            output.add(key, participant, turntable="webp", told={"Notes": ["odd"]} if key == "ForcepsMajor" else {})
        output.add("OpticRadiation_L", participant, status="failed", why="It is a picture of a cat.")
        output.add("AnteriorCommissure", participant, status="empty")
        sources = [f"sub-{participant}/dwi/sub-{participant}_bundle-{key}_tractogram.trk" for key in BUNDLES[:2]]
        colors = [{"kind": "color", "name": "", "color": [200, 30 * at, 40]} for at in range(2)]
        told = {"Sources": sources, "Colorings": colors}
        output.add("all", participant, kind="overview", stem=f"sub-{participant}_desc-overview", told=told)
    output.add("UncinateFasciculus_R", "01")
    stem = next(one.stem for one in picture_sets(output.root, "01") if one.record.bundle.key == BUNDLES[0])
    draw(output.root / "sub-01/figures/a.png", "a")
    measures = {"Measures": {"Retention": 0.15}, "Figures": [{"File": "a.png", "Title": "A"}], "Notes": ["thin"]}
    tell(output, stem, "cci", Flags=[FLAG], **measures)
    header = "tractogram\trating\trater\treasons\tnote\ttractogram_size"
    for rater, ratings in {"anna": ("pass", "fail", "fail"), "ben": ("pass", "unsure", "pass")}.items():
        lines = [
            f"sub-01/dwi/sub-01_bundle-{key}_tractogram.trk\t{rating}\t{rater}\ttoo_few\tthin\t{1234567 + at // 2}"
            for at, (key, rating) in enumerate(zip(BUNDLES, ratings, strict=False))
        ]
        (output.root / f"{rater}_desc-ratings.tsv").write_text("\n".join([header, *lines, "broken", ""]))
    (output.root / "sub-01/figures/other.json").write_text("{}")
    return output


def violations(shown: Any, axe: str) -> str:
    shown.add_style_tag(
        content=".card { content-visibility: visible !important; }"
    )  # axe passes over what isn't laid out
    shown.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
    shown.evaluate(axe)
    return "\n".join(shown.evaluate(_RUN))


@pytest.mark.parametrize("look", LOOKS)
def test_the_participant_s_page(viewer: Viewer, filled: Output, axe: str, look: str) -> None:
    path = write_participant_page(filled.root, "01")
    assert path
    shown = viewer.open(path, **LOOKS[look])
    assert not violations(shown, axe)
    shown.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    shown.locator(".card:not(.overview) .picture").first.focus()
    for key in ("f", "i"):
        shown.keyboard.press(key)
    assert not violations(shown, axe)  # the rater is asked for
    shown.keyboard.press("Escape")
    shown.locator("[data-do=export]").click()
    shown.locator("#imported").wait_for()
    assert not violations(shown, axe)
    shown.locator(".card:not(.overview) .picture").first.focus()
    for keys in (["?"], ["Escape", "Enter"], ["z"], ["z", "s"], ["Escape"]):
        for key in keys:
            shown.keyboard.press(key)
        assert not violations(shown, axe), keys
    shown.locator("[data-do=order]").click()
    assert not violations(shown, axe)
    shown.get_by_role("button", name="Hide and shuffle").click()
    assert not violations(shown, axe)
    for key in ("j", "Enter"):
        shown.keyboard.press(key)
    assert not violations(shown, axe)


@pytest.mark.parametrize("look", LOOKS)
def test_the_group_s_page(viewer: Viewer, filled: Output, axe: str, look: str) -> None:
    write_participant_page(filled.root, "01")
    write_group_page(filled.root)
    shown = viewer.open(filled.root / "group.html", **LOOKS[look])
    assert not violations(shown, axe)
    for what in ("outliers", "rating"):
        shown.select_option("#matrix-shown", what)
        assert not violations(shown, axe), what
    shown.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    shown.select_option("#gallery-what", label="Arcuate fasciculus, left")
    shown.locator("#thumbs button.picture").first.click()
    expect(shown.locator("#large")).to_be_visible()
    assert not violations(shown, axe)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_that_are_served(browser: Any, filled: Output, axe: str, look: str) -> None:
    """The list of pages, a rating that is saved, and one that isn't since the server is gone."""
    write_participant_page(filled.root, "01")
    write_group_page(filled.root)
    server = Server(filled.root).start()
    context = browser.new_context(**LOOKS[look])
    try:
        shown = context.new_page()
        shown.goto(server.address)
        expect(shown.locator("h1")).to_have_text("Pages")
        assert not violations(shown, axe)
        shown.locator("a", has_text="sub-01").click()
        shown.locator("[data-do=rater]").click()
        shown.locator("#who-name").fill("Anna")
        shown.keyboard.press("Enter")
        expect(shown.locator("#rater")).to_have_text("Anna")
        for key in ("j", "f"):
            shown.keyboard.press(key)
        expect(shown.locator(".saved").first).to_be_visible()
        assert not violations(shown, axe)
        server.kill()
        for key in ("j", "f"):
            shown.keyboard.press(key)
        expect(shown.locator("#saving.trouble")).to_be_visible()
        assert not violations(shown, axe)
    finally:
        context.close()
        server.kill()


def test_violations_are_found(viewer: Viewer, filled: Output, axe: str) -> None:
    path = write_participant_page(filled.root, "01")
    shown = viewer.open(path)
    shown.evaluate("document.querySelector('.picture img').removeAttribute('alt')")
    shown.evaluate("document.querySelector('.lead').style.color = '#dddddd'")
    found = re.findall(r"^([a-z-]+): ", violations(shown, axe), re.M)
    assert sorted(found) == ["color-contrast", "image-alt"]
