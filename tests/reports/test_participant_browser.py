"""A participant's page in a browser, opened from a file."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from checked import FLAG, tell
from outputs import BUNDLES, Output, draw
from PIL import Image
from playwright.sync_api import expect

from tractcap.reports.formatting import read_toml
from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.picture_sets import anchor, picture_sets
from tractcap.reports.ratings import read_ratings
from tractcap.version import __version__

pytestmark = pytest.mark.browser
Viewer = Any  # of conftest.py

LEFT, RIGHT = "ArcuateFasciculus_L", "ArcuateFasciculus_R"


def source(key: str) -> str:
    return f"sub-01/dwi/sub-01_bundle-{key}_tractogram.trk"


def selector(key: str) -> str:
    return f"#{anchor(source(key))}"


def write(output: Output, participant: str = "01") -> Path:
    path = write_participant_page(output.root, participant)
    assert path
    return path


@pytest.fixture
def filled(output: Output) -> Path:
    """Seven bundles drawn, one failed and one empty one."""
    for at, key in enumerate(BUNDLES):
        lengths = {"Mean": 100.0 - at, "Median": 90.0, "Minimum": 10.0, "Maximum": 150.0}
        told = {
            "Streamlines": 100 + at,
            "StreamlinesDrawn": 100 + at,
            "Lengths": lengths,
            "VolumeMillimetres3": (at * 3) % 7,
        }
        output.add(key, turntable="webp", told={**told, **({"Notes": ["odd"]} if key == "ForcepsMajor" else {})})
    output.add("OpticRadiation_L", status="failed", why="It is a picture of a cat.")
    output.add("AnteriorCommissure", status="empty")
    return write(output)


def until(shown: Any, holds: str) -> None:
    """Waits for an expression to hold; Playwright's own way needs what the page forbids."""
    for _ in range(200):
        if shown.evaluate(holds):
            return
        shown.wait_for_timeout(50)
    pytest.fail(f"It never held: {holds}")


def keys(shown: Any) -> list[str]:
    """Keys of the cards that are seen, in their order."""
    by_id = {selector(key)[1:]: key for key in (*BUNDLES, "OpticRadiation_L", "AnteriorCommissure")}
    return [
        by_id[one]
        for one in shown.evaluate("[...document.querySelectorAll('.card:not([hidden])')].map((card) => card.id)")
    ]


def expect_rating(shown: Any, key: str, given: str) -> None:
    """Waits for a bundle's rating; that of another window comes a moment later."""
    pressed = shown.locator(f"{selector(key)} [data-rate][aria-pressed=true]")
    expect(pressed).to_have_count(1 if given else 0)
    if given:
        expect(pressed).to_have_attribute("data-rate", given)


def rating(shown: Any, key: str) -> str:
    pressed = shown.locator(f"{selector(key)} [data-rate][aria-pressed=true]")
    return pressed.get_attribute("data-rate") if pressed.count() else ""


def focus(shown: Any, key: str) -> None:
    shown.locator(f"{selector(key)} .picture").focus()


def focused(shown: Any) -> str:
    return shown.evaluate("document.activeElement.closest('.card')?.id") or ""


def name_rater(shown: Any, name: str) -> None:
    shown.locator("[data-do=rater]").click()
    shown.locator("#who-name").fill(name)
    shown.keyboard.press("Enter")
    expect(shown.locator("#rater")).to_have_text(name or "unnamed")  # a dialog tells that it closes a moment later


def test_search(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    assert len(keys(shown)) == len(BUNDLES) + 2
    shown.keyboard.press("/")
    shown.keyboard.type("left arc")
    assert keys(shown) == [LEFT]
    expect(shown.locator("#shown")).to_have_text("1 of 9 shown", use_inner_text=True)
    shown.locator("#search").fill("no such bundle")
    expect(shown.locator("#nothing")).to_be_visible()
    shown.locator("[data-do=reset]").click()
    assert len(keys(shown)) == len(BUNDLES) + 2
    expect(shown.locator("#nothing")).to_be_hidden()


def test_sort(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    drawn = [key for key in keys(shown) if key in BUNDLES]
    assert drawn == sorted(BUNDLES)
    undrawn = ["AnteriorCommissure", "OpticRadiation_L"]
    expected = {
        "streamlines": [*BUNDLES, *undrawn],
        "mean": [*BUNDLES[::-1], *undrawn],
        "volume": [*sorted(BUNDLES, key=lambda key: (BUNDLES.index(key) * 3) % 7), *undrawn],
        "status": ["OpticRadiation_L", "AnteriorCommissure", *sorted(BUNDLES)],
        "name": sorted([*BUNDLES, *undrawn]),
    }
    for order, cards in expected.items():
        shown.select_option("#sort", order)
        assert keys(shown) == cards
    shown.locator("#direction").click()
    assert keys(shown) == expected["name"][::-1]
    shown.select_option("#sort", "streamlines")
    assert keys(shown) == [*BUNDLES[::-1], *undrawn[::-1]]  # without a number: last in both directions


def test_sort_and_filter_by_rating(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    for key, given in ((LEFT, "p"), (RIGHT, "f"), ("ForcepsMajor", "u")):
        focus(shown, key)
        shown.keyboard.press(given)
    shown.select_option("#sort", "rating")
    assert keys(shown)[:3] == [RIGHT, "ForcepsMajor", LEFT]
    for value, cards in {"pass": [LEFT], "fail": [RIGHT], "unsure": ["ForcepsMajor"]}.items():
        shown.select_option("#rating", value)
        assert keys(shown) == cards
    shown.select_option("#rating", "none")
    assert len(keys(shown)) == len(BUNDLES) + 2 - 3
    focus(shown, "UncinateFasciculus_L")
    shown.keyboard.press("p")
    assert "UncinateFasciculus_L" in keys(shown)  # stays while it is looked at


def test_filter_by_status(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    expected = {"failed": ["OpticRadiation_L"], "empty": ["AnteriorCommissure"], "drawn": sorted(BUNDLES)}
    for value, cards in {**expected, "warned": ["ForcepsMajor"]}.items():
        shown.select_option("#status", value)
        assert keys(shown) == cards


def test_flags_and_checks(viewer: Viewer, filled: Path, output: Output) -> None:
    """Flagged bundles and failed checks can be filtered; checks open, and are there in the large view too."""
    stems = {one.record.bundle.key: one.stem for one in picture_sets(output.root)}
    draw(output.root / "sub-01/figures/a.png", "a")
    told = {"Measures": {"Retention": 0.15}, "Figures": [{"File": "a.png", "Title": "A"}]}
    tell(output, stems[LEFT], "cci", Flags=[FLAG], **told)
    tell(output, stems[RIGHT], "cci", "failed", why="It broke.")
    shown = viewer.open(write(output))
    for value, cards in {"flagged": [LEFT], "unmade": [RIGHT]}.items():
        shown.select_option("#status", value)
        assert keys(shown) == cards
    shown.select_option("#status", "flagged")
    expect(shown.locator(f"{selector(LEFT)} .flags")).to_have_text(
        "Few streamlines support each other: retention 0.15, below 0.2.", use_inner_text=True
    )  # waited for: what is out of sight isn't laid out
    assert not shown.locator(f"{selector(LEFT)} .check").first.is_visible()
    shown.locator(f"{selector(LEFT)} .checks summary").click()
    expect(shown.locator(f"{selector(LEFT)} .check h4")).to_have_text("Cluster confidence done", use_inner_text=True)
    shown.locator(f"{selector(LEFT)} .picture").click()
    expect(shown.locator("#panel .check")).to_be_visible()
    expect(shown.locator("#panel .flags")).to_be_visible()


def test_open_checks_leave_no_space_empty(viewer: Viewer, filled: Path, output: Output) -> None:
    """Wherever the card is in its row: it takes the whole one, and the next card comes beside the one before it."""
    stems = {one.record.bundle.key: one.stem for one in picture_sets(output.root)}
    for key in BUNDLES:
        for name in ("cci", "shape", "segments"):
            tell(output, stems[key], name, Measures={"Streamlines": 9, "Sampled": 9})
    shown = viewer.open(write(output))
    for key in sorted(BUNDLES)[:2]:
        shown.locator(f"{selector(key)} .checks summary").click()
        card, beside = (shown.locator(place).bounding_box() for place in (selector(key), ".cards"))
        assert card["width"] == pytest.approx(beside["width"], abs=1)
        checks = [one.bounding_box() for one in shown.locator(f"{selector(key)} .check").all()]
        assert max(box["x"] + box["width"] for box in checks) > 0.9 * card["width"]
        tops = shown.evaluate("[...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().top)")
        assert sorted(tops.count(top) for top in set(tops))[:2] == [1, 2]  # each other row has two
        shown.locator(f"{selector(key)} .checks summary").click()


def test_summary_leads_to_cards_that_are_hidden(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    shown.locator("#search").fill("arcuate")
    shown.locator(".undrawn a", has_text="Optic radiation").click()
    until(shown, f"document.activeElement.closest('.card')?.id === '{selector('OpticRadiation_L')[1:]}'")
    expect(shown.locator(selector("OpticRadiation_L"))).to_be_visible()


def test_address_leads_to_a_card(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled, address=selector("UncinateFasciculus_R"))
    until(shown, f"document.activeElement.closest('.card')?.id === '{selector('UncinateFasciculus_R')[1:]}'")
    assert shown.locator(selector("UncinateFasciculus_R")).bounding_box()["y"] > 50  # not below the bar


def test_arrows_walk(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    order = [selector(key)[1:] for key in keys(shown)]
    walked = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowLeft"):
        shown.keyboard.press(key)
        walked.append(order.index(focused(shown)))
    assert walked == [0, 1, 3, 2, 0, 0]  # of two columns


def test_rating_by_keys(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    focus(shown, LEFT)
    for key, given in {
        "1": "pass",
        "2": "fail",
        "3": "unsure",
        "4": "",
        "p": "pass",
        "f": "fail",
        "u": "unsure",
    }.items():
        shown.keyboard.press(key)
        expect_rating(shown, LEFT, given)
    expect(shown.locator("#progress")).to_have_text("1 of 9 rated", use_inner_text=True)
    until(shown, "document.querySelector('#said').textContent === 'Arcuate fasciculus, left: unsure'")
    for key in ("5", "n"):
        shown.keyboard.press(key)
        shown.keyboard.type(" 1 two\t3")
        shown.keyboard.press("Escape")
        assert focused(shown) == selector(LEFT)[1:]
    expect_rating(shown, LEFT, "unsure")  # what was typed was no key
    expect(shown.locator(f"{selector(LEFT)} .note-text")).to_have_text("1 two 3 1 two 3", use_inner_text=True)


def test_reasons_by_keys_and_buttons(viewer: Viewer, filled: Path, tmp_path: Path) -> None:
    """Several for a card, shown, counted, filtered, exported, imported, and kept as the rating changes."""
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    reasons = shown.locator(f"{selector(LEFT)} .reasons")
    expect(reasons).to_be_hidden()
    focus(shown, LEFT)
    for key in ("f", "i", "-"):
        shown.keyboard.press(key)
    expect(reasons.locator("[aria-pressed=true]")).to_have_text(
        [re.compile("incomplete"), re.compile("too few streamlines")], use_inner_text=True
    )
    shown.keyboard.press("-")
    shown.keyboard.press("w")
    reasons.get_by_role("button", name="incomplete").click()
    focus(shown, RIGHT)
    for key in ("u", "w", "+"):
        shown.keyboard.press(key)
    expect(shown.locator("#tally")).to_have_text(
        "1 fail, 1 unsure: 2 wrong space or flipped, 1 too many streamlines", use_inner_text=True
    )
    shown.select_option("#rating", "reason:too_many")
    assert keys(shown) == [RIGHT]
    text = exported(shown, tmp_path)["sub-01_desc-ratings.tsv"]
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [one["reasons"] for one in rows] == ["wrong_space", "wrong_space,too_many"]
    levels = json.loads((tmp_path / "sub-01_desc-ratings.json").read_text())["reasons"]["Levels"]
    assert levels["too_many"] == "too many streamlines"
    elsewhere = viewer.open(filled)
    name_rater(elsewhere, "Ben")
    take(elsewhere, *text.replace("wrong_space\t", "wrong_space,odd\t").splitlines())
    expect(elsewhere.locator(f"{selector(LEFT)} .given")).to_contain_text("Anna: fail, wrong space or flipped, odd")
    name_rater(elsewhere, "Anna")
    expect(elsewhere.locator(f"{selector(LEFT)} .reasons")).to_contain_text("odd", use_inner_text=True)
    elsewhere.locator(f"{selector(LEFT)} .picture").click()
    elsewhere.keyboard.press("b")
    expect(elsewhere.locator("#panel .reason[aria-pressed=true]")).to_have_count(2)


def test_the_reasons_of_a_lab(viewer: Viewer, filled: Path, output: Output) -> None:
    (output.root / "rating_reasons.tsv").write_text("reason\tkey\tdescription\nhole\th\tit has a hole\n")
    shown = viewer.open(write(output))
    focus(shown, LEFT)
    shown.keyboard.press("h")
    expect(shown.locator(f"{selector(LEFT)} .reason[aria-pressed=true]")).to_have_text(
        re.compile("it has a hole"), use_inner_text=True
    )
    expect(shown.locator(f"{selector(LEFT)} .reason")).to_have_count(1)
    (output.root / "rating_reasons.tsv").write_text("reason\n")
    shown = viewer.open(write(output))
    expect(shown.locator(".notice").first).to_contain_text("rating_reasons.tsv is no list of reasons")
    expect(shown.locator(f"{selector(LEFT)} .reason")).to_have_count(9)


def test_rating_by_buttons(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    button = shown.locator(f"{selector(LEFT)} [data-rate=fail]")
    button.click()
    expect_rating(shown, LEFT, "fail")
    button.click()
    expect_rating(shown, LEFT, "")


def test_ratings_last(viewer: Viewer, filled: Path) -> None:
    first = viewer.open(filled)
    name_rater(first, "Anna")
    focus(first, LEFT)
    first.keyboard.press("2")
    expect(first.locator("#progress")).to_have_text("1 of 9 rated")
    again = viewer.open(filled, within=first.context)
    expect_rating(again, LEFT, "fail")
    expect(again.locator("#rater")).to_have_text("Anna", use_inner_text=True)
    focus(again, RIGHT)
    again.keyboard.press("1")
    until(first, f"document.querySelector('{selector(RIGHT)}').dataset.rated === 'pass'")  # two windows
    focus(first, "ForcepsMajor")
    first.keyboard.press("3")
    expect(first.locator("#progress")).to_have_text("3 of 9 rated")
    third = viewer.open(filled, within=first.context)
    expect(third.locator("#progress")).to_have_text("3 of 9 rated", use_inner_text=True)


def test_other_folders_have_their_own_ratings(viewer: Viewer, filled: Path, tmp_path: Path) -> None:
    first = viewer.open(filled)
    focus(first, LEFT)
    first.keyboard.press("2")
    other = Output(tmp_path / "other")
    other.add(LEFT)
    expect_rating(viewer.open(write(other), within=first.context), LEFT, "")


def test_rater_is_asked_for_once(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    who = shown.locator("#who")
    focus(shown, LEFT)
    shown.keyboard.press("1")
    expect(who).to_be_visible()
    shown.keyboard.press("Escape")
    shown.keyboard.press("2")
    expect(who).to_be_hidden()
    expect_rating(shown, LEFT, "fail")
    name_rater(shown, "Anna")
    expect_rating(shown, LEFT, "fail")  # what was nobody's is hers
    name_rater(shown, "Ben")
    expect_rating(shown, LEFT, "")
    expect(shown.locator(f"{selector(LEFT)} .given")).to_contain_text("Anna: fail", use_inner_text=True)


def test_a_file_that_changed_since(viewer: Viewer, output: Output) -> None:
    output.add(LEFT)
    first = viewer.open(write(output))
    name_rater(first, "Anna")
    focus(first, LEFT)
    first.keyboard.press("1")
    expect(first.locator(".outdated")).to_have_count(0)
    output.add(LEFT, told={"SourceModified": [1_700_000_000_123_456_788]})  # one nanosecond
    again = viewer.open(write(output), within=first.context)
    expect(again.locator(f"{selector(LEFT)} .outdated")).to_have_text(
        "Rated before the file changed", use_inner_text=True
    )
    again.select_option("#rating", "changed")
    expect(again.locator(".card:not([hidden])")).to_have_count(1)
    focus(again, LEFT)
    again.keyboard.press("n")
    again.keyboard.type("still to be looked at")
    again.keyboard.press("Escape")
    expect(again.locator(".outdated")).to_have_count(1)
    again.keyboard.press("1")
    expect(again.locator(".outdated")).to_have_count(0)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"PicturesSHA256": "b"}, "Rated by other pictures of the file"),
        ({"PicturesSHA256": "a", "SourceModified": [1]}, ""),  # a copy of the file
        ({"PicturesSHA256": "b", "SourceModified": [1]}, "Rated before the file changed"),
        ({"PicturesSHA256": "a", "SourceBytes": [1]}, "Rated before the file changed"),
    ],
)
def test_a_rating_of_another_state_is_shown_as_such(
    viewer: Viewer, output: Output, tmp_path: Path, told: dict[str, Any], said: str
) -> None:
    """Of one's own, of another's that is imported, and again from what is exported."""
    output.add(LEFT, told={"PicturesSHA256": "a"})
    first = viewer.open(write(output))
    name_rater(first, "Anna")
    focus(first, LEFT)
    first.keyboard.press("1")
    text = exported(first, tmp_path)["sub-01_desc-ratings.tsv"]
    output.add(LEFT, told=told)
    write(output)
    for within, rater in ((first.context, "Anna"), (None, "Ben")):
        shown = viewer.open(output.root / "sub-01.html", within=within)
        name_rater(shown, rater)
        if within is None:
            take(shown, *text.splitlines())
        given = shown.locator(f"{selector(LEFT)} .given")
        if said:
            expect(given).to_contain_text(said if within else said.lower(), use_inner_text=True)
            expect(given.locator(".icon")).to_have_count(1 if within else 0)
        elif within:
            expect(given).to_be_hidden()
        else:
            expect(given).to_have_text(re.compile(r"^Anna: pass \([\d-]+\)$"), use_inner_text=True)


def exported(shown: Any, folder: Path) -> dict[str, str]:
    """Files that the page hands over, by name."""
    downloads: list[Any] = []
    shown.on("download", lambda download: downloads.append(download))
    shown.locator("[data-do=export]").click()
    for _ in range(100):
        if len(downloads) == 2:
            break
        shown.wait_for_timeout(50)
    for one in downloads:
        one.save_as(folder / one.suggested_filename)
    return {one.suggested_filename: (folder / one.suggested_filename).read_text() for one in downloads}


def test_export(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna\tB")
    focus(shown, LEFT)
    shown.keyboard.press("1")
    shown.keyboard.press("n")
    shown.keyboard.insert_text('ends\tearly,\n"so"')
    shown.keyboard.press("Escape")
    focus(shown, RIGHT)
    shown.keyboard.press("2")
    files = exported(shown, filled.parent)
    assert sorted(files) == ["sub-01_desc-ratings.json", "sub-01_desc-ratings.tsv"]
    rows = list(csv.DictReader(io.StringIO(files["sub-01_desc-ratings.tsv"]), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert list(rows[0]) == list(json.loads(files["sub-01_desc-ratings.json"]))
    assert list(rows[0]) == list(read_toml("rating_columns.toml"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", rows[0].pop("rated_at"))
    assert rows[0] == {
        "participant_id": "sub-01",
        "session_id": "n/a",
        "tractogram": source(LEFT),
        "bundle": LEFT,
        "rating": "pass",
        "note": 'ends early, "so"',
        "rater": "Anna B",
        "tractogram_size": "1234567",
        "tractogram_time": "2023-11-14T22:13:20.123456789Z",
        "picture_hash": "n/a",
        "reasons": "n/a",
        "blinded": "n/a",
        "tractcap_version": __version__,
    }
    assert (rows[1]["tractogram"], rows[1]["rating"], rows[1]["note"]) == (source(RIGHT), "fail", "n/a")
    assert len(rows) == 2
    read = read_ratings(filled.parent, [source(key) for key in BUNDLES])  # as the group's page does
    assert (len(read.by_tractogram), read.problems) == (2, [])
    assert read.of(source(LEFT)).present[0].state.time == rows[0]["tractogram_time"]


def test_export_of_nothing(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    shown.locator("[data-do=export]").click()
    expect(shown.locator("#imported")).to_contain_text("nothing to export", use_inner_text=True)


HEADER = "participant_id\tsession_id\ttractogram\tbundle\trating\tnote\trater\trated_at"


def row(key: str, given: str, rater: str = "Ben", at: str = "2030-01-01T00:00:00Z", note: str = "n/a") -> str:
    return f"sub-01\tn/a\t{source(key)}\t{key}\t{given}\t{note}\t{rater}\t{at}"


def take(shown: Any, *lines: str, ending: str = "\n") -> str:
    text = ending.join(lines) + ending
    file = {"name": "ben.tsv", "mimeType": "text/tab-separated-values", "buffer": text.encode()}
    shown.locator("#imported").evaluate("(told) => { told.hidden = true; }")
    shown.locator("#import").set_input_files(file)
    shown.locator("#imported").wait_for()
    return shown.locator("#imported").inner_text()


def test_no_text_that_is_exported_is_a_formula(viewer: Viewer, filled: Path, output: Output) -> None:
    """Wherever it is read again it is what it was."""
    shown = viewer.open(filled)
    name_rater(shown, "=cmd|' /C calc'!A0")
    focus(shown, LEFT)
    shown.keyboard.press("1")
    shown.keyboard.press("n")
    shown.keyboard.insert_text("'+1+1")
    shown.keyboard.press("Escape")
    text = exported(shown, output.root)["sub-01_desc-ratings.tsv"]
    fields = [field for line in text.splitlines() for field in line.split("\t")]
    assert not [field for field in fields if re.match("[=+@-]", field)]
    assert {"'=cmd|' /C calc'!A0", "''+1+1"} <= {*fields}
    [rating] = read_ratings(output.root, [source(LEFT)]).of(source(LEFT)).present
    assert (rating.rater, rating.note) == ("=cmd|' /C calc'!A0", "'+1+1")
    elsewhere = viewer.open(filled)
    assert "1 rating taken" in take(elsewhere, *text.splitlines())
    name_rater(elsewhere, "=cmd|' /C calc'!A0")
    expect_rating(elsewhere, LEFT, "pass")
    expect(elsewhere.locator(f"{selector(LEFT)} .note-text")).to_have_text("'+1+1", use_inner_text=True)


def test_import(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    for key in (LEFT, RIGHT):
        focus(shown, key)
        shown.keyboard.press("1")
    lines = [
        HEADER,
        row(LEFT, "fail", "Anna"),  # newer than what is here
        row(RIGHT, "fail", "Anna", "2001-01-01T00:00:00Z"),  # older
        row("ForcepsMajor", "unsure", note="thin"),
        row("NoSuchBundle", "pass"),
        row("UncinateFasciculus_L", "perfect"),
        "too\tshort",
        row("UncinateFasciculus_R", "pass", at="yesterday"),
        "",
    ]
    told = take(shown, *lines)
    assert "2 ratings taken, 1 not newer than what is here, 4 left out." in told
    assert "ben.tsv, line 5: no tractogram here is called “sub-01/dwi/sub-01_bundle-NoSuchBundle" in told
    assert "line 6: “perfect” is none of pass, fail and unsure." in told
    assert "line 7: it has 2 fields, not 8." in told
    assert "line 8: “yesterday” is no date." in told
    assert (rating(shown, LEFT), rating(shown, RIGHT), rating(shown, "ForcepsMajor")) == ("fail", "pass", "")
    expect(shown.locator(f"{selector('ForcepsMajor')} .given")).to_contain_text(
        "Ben: unsure – thin (2030-01-01)", use_inner_text=True
    )
    assert "0 ratings taken, 3 not newer" in take(shown, *lines[:4])
    again = viewer.open(filled, within=shown.context)
    expect_rating(again, LEFT, "fail")


def test_import_of_what_was_exported(viewer: Viewer, filled: Path, tmp_path: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    focus(shown, LEFT)
    shown.keyboard.press("1")
    text = exported(shown, tmp_path)["sub-01_desc-ratings.tsv"]
    elsewhere = viewer.open(filled)
    name_rater(elsewhere, "Anna")
    assert "1 rating taken." in take(elsewhere, *text.splitlines(), ending="\r\n")
    expect_rating(elsewhere, LEFT, "pass")


def test_import_of_something_else(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    assert "doesn't name tractogram and rating" in take(shown, "<script>alert(1)</script>")


def test_ratings_without_storage(viewer: Viewer, filled: Path) -> None:
    refuse = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    shown = viewer.open(filled, script=refuse)
    expect(shown.locator("#not-kept")).to_be_visible()
    name_rater(shown, "Anna")
    focus(shown, LEFT)
    shown.keyboard.press("1")
    focus(shown, RIGHT)
    shown.keyboard.press("2")
    assert (rating(shown, LEFT), rating(shown, RIGHT)) == ("pass", "fail")
    expect(shown.locator("#progress")).to_have_text("2 of 9 rated", use_inner_text=True)
    shown.locator(".theme-button").click()
    assert viewer.open(filled).locator("#not-kept").is_hidden()


def test_large_view(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    focus(shown, LEFT)
    shown.keyboard.press("Enter")
    picture = shown.locator("#stage img")
    assert "_mosaic.png" in picture.get_attribute("src")
    views = shown.locator("[data-view]")
    expected = ["mosaic", "left", "anterior", "superior", "right", "posterior", "inferior", "turntable .webp"]
    assert [one.get_attribute("data-view") for one in views.all()] == expected
    for view in expected[1:]:
        shown.keyboard.press("ArrowRight")
        ending = "_turntable.webp" if "turntable" in view else f"_view-{view}.png"
        assert f"{LEFT}{ending}" in picture.get_attribute("src")
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("ArrowLeft")
    views.nth(3).click()
    assert "_view-superior.png" in picture.get_attribute("src")
    shown.keyboard.press("2")
    expect_rating(shown, LEFT, "fail")
    assert shown.locator("#panel [data-rate=fail]").get_attribute("aria-pressed") == "true"
    shown.keyboard.press("5")
    shown.keyboard.type("p?")
    shown.keyboard.press("Escape")
    expect(shown.locator("#large")).to_be_visible()  # Escape left the note alone
    shown.keyboard.press("ArrowDown")
    assert f"{RIGHT}_view-superior.png" in picture.get_attribute("src")
    shown.locator("[data-large=previous]").click()
    assert f"{LEFT}_view-superior.png" in picture.get_attribute("src")
    expect(shown.locator("#panel .note-text")).to_have_text("p?", use_inner_text=True)
    shown.keyboard.press("Escape")
    expect(shown.locator("#large")).to_be_hidden()
    assert focused(shown) == selector(LEFT)[1:]


def test_large_view_passes_over_what_is_hidden(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    shown.locator("#search").fill("left")
    focus(shown, LEFT)
    shown.keyboard.press("Enter")
    expect(shown.locator("#large-place")).to_have_text("1 of 4", use_inner_text=True)
    shown.keyboard.press("ArrowDown")
    expect(shown.locator("#large-name")).to_have_text("Corticospinal tract, left", use_inner_text=True)


def test_large_view_of_what_failed(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    focus(shown, "OpticRadiation_L")
    shown.keyboard.press("Enter")
    expect(shown.locator("#stage")).to_contain_text("Failed\nIt is a picture of a cat.", use_inner_text=True)


def test_every_pixel(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    focus(shown, LEFT)
    shown.keyboard.press("Enter")
    image = shown.locator("#stage img")
    assert image.evaluate("(image) => image.clientWidth") > 60
    shown.keyboard.press("z")
    assert image.evaluate("(image) => image.clientWidth") == 60
    image.click()
    assert image.evaluate("(image) => image.clientWidth") > 60


def test_a_picture_that_turns_is_opened_by_a_click(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    shown.locator(f"{selector(LEFT)} .picture").hover()
    shown.locator(f"{selector(LEFT)} .turning").wait_for()
    shown.mouse.down()
    shown.mouse.up()
    expect(shown.locator("#large")).to_be_visible()


def test_side_by_side(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    expect(shown.locator("[data-pair]")).to_have_count(6)
    shown.locator(f"{selector(RIGHT)} [data-pair]").click()
    images = shown.locator("#stage img")

    def files() -> list[str]:
        return [one.get_attribute("src").rpartition("bundle-")[2] for one in images.all()]

    assert files() == [f"{LEFT}_mosaic.png", f"{RIGHT}_mosaic.png"]
    shown.locator("[data-view=right]").click()
    assert files() == [f"{LEFT}_view-left.png", f"{RIGHT}_view-right.png"]  # from outside both
    shown.locator("[data-view=superior]").click()
    assert files() == [f"{LEFT}_view-superior.png", f"{RIGHT}_view-superior.png"]
    shown.keyboard.press("2")
    assert (rating(shown, LEFT), rating(shown, RIGHT)) == ("", "fail")
    images.first.click()
    shown.keyboard.press("1")
    assert (rating(shown, LEFT), rating(shown, RIGHT)) == ("pass", "fail")
    shown.keyboard.press("ArrowDown")
    expect(shown.locator("#large-name")).to_have_text("Corticospinal tract: left and right", use_inner_text=True)
    shown.keyboard.press("s")
    expect(images).to_have_count(1)


def test_turntable_is_loaded_when_it_is_asked_for(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    passed = "for (const one of document.querySelectorAll('.picture')) for (const by of ['enter', 'leave']) "
    shown.evaluate(passed + "one.dispatchEvent(new PointerEvent(`pointer${by}`, { pointerType: 'mouse' }))")
    shown.wait_for_timeout(500)
    assert viewer.loaded("_turntable.webp") == []
    shown.locator(f"{selector(LEFT)} .picture").hover()
    shown.locator(f"{selector(LEFT)} img.turning").wait_for()
    assert [Path(url).name for url in viewer.loaded("_turntable.webp")] == [f"sub-01_bundle-{LEFT}_turntable.webp"]
    shown.mouse.move(0, 0)
    expect(shown.locator(".turning")).to_have_count(0)
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("ArrowRight")
    shown.locator(f"{selector(LEFT)} img.turning").wait_for()  # by focus too


def test_turntable_stays_still_for_those_who_want_it(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled, reduced_motion="reduce")
    shown.locator(f"{selector(LEFT)} .picture").hover()
    shown.wait_for_timeout(500)
    assert viewer.loaded("_turntable.webp") == []


def test_video(viewer: Viewer, output: Output) -> None:
    output.add(LEFT, turntable="mp4")
    shown = viewer.open(write(output))
    shown.locator(".picture").hover()
    shown.locator("video.turning").wait_for()
    video = "document.querySelector('video.turning')"
    until(shown, f"{video}.readyState > 1 && !{video}.paused")
    assert shown.evaluate(f"[{video}.muted, {video}.loop]") == [True, True]


def test_themes(viewer: Viewer, filled: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = viewer.open(filled, color_scheme="light")
    dark = viewer.open(filled, color_scheme="dark")
    colors = light.evaluate(background), dark.evaluate(background)
    assert colors[0] != colors[1]
    dark.get_by_label("Light theme").click()
    assert dark.evaluate(background) == colors[0]
    assert viewer.open(filled, within=dark.context).evaluate(background) == colors[0]  # it is kept
    dark.get_by_label("Dark theme").click()
    assert dark.evaluate(background) == colors[1]


def test_print_is_on_white(viewer: Viewer, filled: Path) -> None:
    colors = "[document.body, document.querySelector('.undrawn a')].map((one) => getComputedStyle(one).color)"
    light = viewer.open(filled, color_scheme="light")
    dark = viewer.open(filled, color_scheme="dark")
    for shown in (light, dark):
        shown.emulate_media(media="print")
        assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        expect(shown.locator("#bar")).to_be_hidden()
    assert dark.evaluate(colors) == light.evaluate(colors)


def test_help(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    focus(shown, LEFT)
    shown.keyboard.press("Enter")
    shown.keyboard.press("?")
    expect(shown.locator("#help")).to_be_visible()
    shown.keyboard.press("1")
    shown.keyboard.press("Escape")
    expect(shown.locator("#help")).to_be_hidden()
    expect(shown.locator("#progress")).to_have_text("0 of 9 rated", use_inner_text=True)


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_nothing_is_cut(viewer: Viewer, output: Output, width: int) -> None:
    name = "Averyveryveryveryveryveryveryveryveryveryveryveryverylongnamewithoutanyspacesinit"
    bundle = {"Original": name.upper() + "2", "Key": name, "Readable": name, "Hemisphere": ""}
    output.add(LEFT, told={"Bundle": bundle, "Notes": [name * 3]})
    output.add(name, session=name, status="failed", why=name * 3)
    shown = viewer.open(write(output), viewport={"width": width, "height": 844})
    for details in shown.locator("summary").all():
        details.click()
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    outside = """[...document.querySelectorAll("main *, header *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".hidden, .skip"))
        .map((one) => one.outerHTML.slice(0, 80))"""
    assert shown.evaluate(outside) == []
    shown.locator(".picture").first.click()
    assert shown.evaluate("document.querySelector('#large').scrollWidth") <= width


@pytest.mark.parametrize(
    "name", ["<script>document.title = 'taken'</script>", "<img src=x onerror=\"document.title='taken'\">"]
)
def test_names_do_nothing(viewer: Viewer, output: Output, name: str) -> None:
    bundle = {"Original": name, "Key": f"{name}_L", "Readable": name, "Hemisphere": "L"}
    told = {"Bundle": bundle, "Title": name, "Notes": [name]}
    output.add("x", source=name, told=told)
    output.add(
        "y",
        source=f"{name}2",
        status="failed",
        why=name,
        told={"Bundle": {**bundle, "Key": f"{name}_R", "Hemisphere": "R"}},
    )
    shown = viewer.open(write(output))
    name_rater(shown, name)
    shown.keyboard.press("ArrowRight")
    shown.keyboard.press("1")
    shown.keyboard.press("n")
    shown.keyboard.type(name)
    shown.keyboard.press("Escape")
    shown.keyboard.press("Enter")
    shown.keyboard.press("s")
    shown.keyboard.press("Escape")
    take(
        shown,
        HEADER,
        f"n/a\tn/a\t{name}\tn/a\tfail\t{name}\t{name}{name}\t2030-01-01",
        f"n/a\tn/a\t{name}3\tn/a\tfail\tn/a\tn/a\tn/a",
    )
    shown.wait_for_timeout(200)
    assert "taken" not in shown.title()
    assert shown.locator(f"text={name}").count() > 3


@pytest.mark.parametrize("name", ["50%25", "a#b", "a?b", "a b", 'it\'s "quoted"', "ä", "\udce4", "a:b", "&amp;", "\\"])
def test_pictures_are_found(viewer: Viewer, output: Output, name: str) -> None:
    output.add(LEFT, stem=name, source=f"{name}.trk", turntable="webp")
    shown = viewer.open(write(output))
    until(shown, "document.querySelector('.picture img').naturalWidth === 60")
    shown.locator(".picture").first.click()
    views = shown.locator("[data-view]").count()
    for _ in range(views):
        shown.keyboard.press("ArrowRight")
        until(shown, "document.querySelector('#stage img').naturalWidth > 0")
    shown.keyboard.press("Escape")
    name_rater(shown, "Anna")
    shown.locator(".picture").focus()
    shown.keyboard.press("1")
    expect(shown.locator("#progress")).to_have_text("1 of 1 rated", use_inner_text=True)


def test_a_hundred_bundles(viewer: Viewer, output: Output) -> None:
    for at in range(100):
        output.add(f"Bundle{at:03}", views=(), turntable="webp")
    shown = viewer.open(write(output))
    until(shown, "document.querySelector('.picture img').naturalWidth === 60")
    shown.wait_for_timeout(500)
    loaded = {Path(url).name for url in viewer.loaded("_mosaic.png")}
    assert "sub-01_bundle-Bundle000_mosaic.png" in loaded
    assert "sub-01_bundle-Bundle099_mosaic.png" not in loaded
    assert len(loaded) < 50
    shown.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    until(shown, "[...document.querySelectorAll('.picture img')].at(-1).naturalWidth === 60")
    shown.locator("#search").fill("bundle050")
    expect(shown.locator(".card:not([hidden])")).to_have_count(1)


def test_without_scripts(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled, java_script_enabled=False)
    expect(shown.locator("#bar")).to_be_hidden()
    assert shown.locator(f"{selector(LEFT)} .picture").get_attribute("href").endswith("_mosaic.png")
    expect(shown.locator("noscript")).to_contain_text("need JavaScript", use_inner_text=True)


def test_everything_has_a_name(viewer: Viewer, filled: Path) -> None:
    shown = viewer.open(filled)
    focus(shown, LEFT)
    for press in ("", "Enter", "s"):
        if press:
            shown.keyboard.press(press)
        nameless = """[...document.querySelectorAll("button, a, input, select, textarea, dialog, [role]")]
            .filter((one) => !one.textContent.trim() && !one.labels?.length)
            .filter((one) => !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby"))
            .filter((one) => one.role !== "status")
            .map((one) => one.outerHTML)"""
        assert shown.evaluate(nameless) == []
    ids = shown.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_a_page_without_its_folder_says_that_it_belongs_to_it(output: Output, filled: Path, viewer: Viewer) -> None:
    """Where a black box would be, on the cards and in the large view; nothing where the folder is there."""
    shown = viewer.open(filled)
    until(shown, "document.querySelector('.card img').complete")
    expect(shown.locator(".lost")).to_have_count(0)
    alone = output.root.parent / "copied" / filled.name
    alone.parent.mkdir()
    alone.write_bytes(filled.read_bytes())
    shown = viewer.open(alone)
    sentence = (
        f"The picture sub-01/figures/sub-01_bundle-{LEFT}_mosaic.png isn’t there. "
        "The folder sub-01 belongs beside this page: copy it along."
    )
    shown.locator(selector(LEFT)).scroll_into_view_if_needed()
    until(shown, f"document.querySelector('{selector(LEFT)} .lost') !== null")
    expect(shown.locator(f"{selector(LEFT)} .picture")).to_have_text(sentence, use_inner_text=True)
    shown.locator(f"{selector(LEFT)} .picture").click()
    until(shown, "document.querySelector('#stage .lost') !== null")
    expect(shown.locator("#stage")).to_contain_text("The folder sub-01 belongs beside this page", use_inner_text=True)
    shown.keyboard.press("Escape")
    blind(shown, "7")
    expect(shown.locator(selector(LEFT))).not_to_contain_text("ArcuateFasciculus", use_inner_text=True)
    assert all("sub-01/figures" in trouble or "ERR_FILE_NOT_FOUND" in trouble for trouble in viewer.troubles)
    viewer.troubles.clear()


def test_a_session_by_keys(viewer: Viewer, filled: Path) -> None:
    """From one unrated to the next, also in the large view, undone step by step, and where one stopped."""
    shown = viewer.open(filled)
    name_rater(shown, "Anna")
    order = keys(shown)
    ids = [selector(key)[1:] for key in order]
    shown.keyboard.press("j")
    assert focused(shown) == ids[0]
    for key in ("p", "j", "f", "i", "j", "j"):
        shown.keyboard.press(key)
    assert focused(shown) == ids[3]
    shown.keyboard.press("Enter")
    shown.keyboard.press("u")
    shown.keyboard.press("j")
    expect(shown.locator("#large-place")).to_have_text("5 of 9", use_inner_text=True)
    shown.keyboard.press("Escape")
    until(shown, f"document.activeElement.closest('.card')?.id === '{ids[4]}'")
    shown.keyboard.press("g")
    assert focused(shown) == ids[3]
    for card, given, reasons in ((3, "", 0), (1, "fail", 0), (1, "", 0), (0, "", 0)):
        shown.keyboard.press("Backspace" if card else "Control+z")
        assert focused(shown) == ids[card]
        expect_rating(shown, order[card], given)
        expect(shown.locator(f"#{ids[card]} .reason[aria-pressed=true]")).to_have_count(reasons)
    shown.keyboard.press("Backspace")
    until(shown, "document.querySelector('#said').textContent === 'There is nothing to undo'")
    expect(shown.locator("#progress")).to_have_text("0 of 9 rated", use_inner_text=True)


def test_undo_restores_a_rating_of_another_state(viewer: Viewer, output: Output) -> None:
    output.add(LEFT)
    first = viewer.open(write(output))
    name_rater(first, "Anna")
    focus(first, LEFT)
    first.keyboard.press("1")
    output.add(LEFT, told={"SourceBytes": [1]})
    again = viewer.open(write(output), within=first.context)
    again.keyboard.press("j")  # it counts as unrated
    assert focused(again) == selector(LEFT)[1:]
    again.keyboard.press("2")
    expect(again.locator(".outdated")).to_have_count(0)
    again.keyboard.press("Backspace")
    expect_rating(again, LEFT, "pass")
    expect(again.locator(".outdated")).to_have_count(1)


def blind(shown: Any, seed: str) -> None:
    shown.locator("[data-do=order]").click()
    shown.locator("#order-seed").fill(seed)
    shown.get_by_role("button", name="Hide and shuffle").click()
    expect(shown.locator("#order-state")).to_have_text(f"on, seed {seed}", use_inner_text=True)


ORDER = "(cards) => cards.filter((card) => card.checkVisibility()).map((card) => card.id)"
SAID = """[...document.querySelectorAll("[aria-label], [alt], [title]")].filter((node) => node.checkVisibility())
    .flatMap((node) => ["aria-label", "alt", "title"].map((name) => node.getAttribute(name) || ""))"""


def given_away(shown: Any) -> list[str]:
    """Which of the words that name bundles, people, sessions or others' ratings are seen or read out."""
    words = ("arcuate", "corticospinal", "optic", "sub-01", "ses-", "left", "right", "a cat", "ben")
    said = "\\n".join([shown.locator("body").inner_text(), shown.title(), *shown.evaluate(SAID)]).lower()
    return [word for word in words if word in said]


def test_blinded(viewer: Viewer, output: Output, tmp_path: Path) -> None:
    """Nothing that is seen or read out names a bundle, its person or session before it is rated."""
    for session in ("1", "2"):
        for key in BUNDLES[:4]:
            output.add(key, session=session, turntable="webp", told={"Notes": ["an odd arcuate"], "HeadingPixels": 4})
        output.add("OpticRadiation_L", session=session, status="failed", why="The optic radiation is a cat.")
    path = write(output)
    shown = viewer.open(path)
    name_rater(shown, "Anna")
    take(shown, HEADER, row(LEFT, "fail").replace("sub-01/", "sub-01/ses-1/").replace("sub-01_", "sub-01_ses-1_"))
    shown.locator("#imported button").click()
    plain = shown.locator(".card").evaluate_all(ORDER)
    blind(shown, "7")
    order = shown.locator(".card").evaluate_all(ORDER)
    assert sorted(order) == sorted(plain)
    assert order != plain
    assert given_away(shown) == []
    assert shown.locator(".masked .picture").first.get_attribute("href") == "#"
    shown.keyboard.press("j")
    assert focused(shown) == order[0]
    drawn = next(at for at, one in enumerate(order) if shown.locator(f"#{one} .picture img").count())
    shown.locator(f"#{order[drawn]} .picture").focus()
    shown.keyboard.press("Enter")
    expect(shown.locator("#large-name")).to_have_text(f"Bundle {drawn + 1}", use_inner_text=True)
    assert given_away(shown) == []
    shown.keyboard.press("s")
    expect(shown.locator("#large .shot")).to_have_count(1)
    expect(shown.locator("#views button")).to_have_count(1)
    shown.keyboard.press("p")
    expect(shown.locator("#views button")).to_have_count(8)  # rated: its name and all of its pictures are shown
    assert given_away(shown) != []
    shown.keyboard.press("Escape")
    until(shown, f"document.activeElement.closest('.card')?.id === '{order[drawn]}'")
    shown.keyboard.press("j")
    for key in ("1", "j", "1", "2"):  # the last one by its name
        shown.keyboard.press(key)
    rows = list(csv.DictReader(io.StringIO(exported(shown, tmp_path)["sub-01_desc-ratings.tsv"]), delimiter="\t"))
    assert sorted(one["blinded"] for one in rows) == ["7", "7", "n/a", "n/a"]

    again = viewer.open(path, within=shown.context)  # stays so, in the same order
    assert again.locator(".card").evaluate_all(ORDER) == order
    expect(again.locator(".masked")).to_have_count(7)
    again.locator(".masked.failed .picture").first.click()
    expect(again.locator("#stage .blank")).to_be_visible()
    assert "a cat" not in again.locator("#large").inner_text()
    elsewhere = viewer.open(path)
    blind(elsewhere, "7")
    assert elsewhere.locator(".card").evaluate_all(ORDER) == order
    elsewhere.locator("[data-do=order]").click()
    elsewhere.get_by_role("button", name="Show names").click()
    expect(elsewhere.locator("h1")).to_have_text("sub-01", use_inner_text=True)
    assert elsewhere.locator(".card").evaluate_all(ORDER) == plain


def test_a_key_just_after_the_large_view_is_closed_acts_from_its_card(filled: Path, viewer: Viewer) -> None:
    shown = viewer.open(filled)
    first, second = shown.locator(".card:not(.overview)").evaluate_all(ORDER)[:2]
    shown.locator(f"#{first} .picture").click()
    shown.evaluate("""() => {
        const closed = new Promise((done) => document.querySelector("#large").addEventListener("close", done));
        document.querySelector("[data-large=close]").click();
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
        return closed;
    }""")
    assert focused(shown) == second
    shown.keyboard.press("Enter")
    expect(shown.locator("#large")).to_be_visible()
    shown.keyboard.press("Escape")
    expect(shown.locator("#large")).to_be_hidden()
    assert focused(shown) == second


def test_the_words_on_a_mosaic_are_cut_off(viewer: Viewer, output: Output) -> None:
    """All of the views is seen, and nothing else: not what stands above or below them."""
    output.add(LEFT, told={"HeadingPixels": 10})
    picture = Image.new("RGB", (60, 56), "red")  # two rows of 20 pixels, 10 above, 6 below
    picture.paste("lime", (0, 10, 60, 50))
    picture.save(output.root / f"sub-01/figures/sub-01_bundle-{LEFT}_mosaic.png")
    shown = viewer.open(write(output))
    blind(shown, "1")
    shown.locator(".picture").scroll_into_view_if_needed()
    until(shown, "document.querySelector('.picture img').naturalWidth === 60")
    assert colors(shown.locator(".picture")) == {(0, 255, 0)}
    focus(shown, LEFT)
    shown.keyboard.press("Enter")
    place = "document.querySelector('#stage canvas')"
    until(shown, f"{place}.getContext('2d') && !{place}.hasAttribute('aria-busy')")
    seen = colors(shown.locator("#stage"))
    assert (0, 255, 0) in seen
    assert (255, 0, 0) not in seen


def colors(place: Any) -> set[tuple[int, ...]]:
    """The colours that a place shows, but for its edges, where they are mixed."""
    image = Image.open(io.BytesIO(place.screenshot())).convert("RGB")
    inner = image.crop((20, 20, image.width - 20, image.height - 20))
    return {color for _, color in inner.getcolors(1 << 24) or []}
