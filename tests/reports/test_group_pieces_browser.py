"""The page of very many rows, which are loaded in pieces from files beside it: here as if a few were very many."""

import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from outputs import Output
from playwright.sync_api import expect
from reviewing import Server

from tractcap.reports import group_pieces
from tractcap.reports.group_page import write_group_page

pytestmark = pytest.mark.browser

KEYS = ("ForcepsMajor", "UncinateFasciculus_L", "UncinateFasciculus_R")

Opened = Callable[..., Any]


@pytest.fixture
def twelve(output: Output, monkeypatch: pytest.MonkeyPatch) -> Output:
    """Twelve participants of two sites; one bundle failed, one is missing, one is an outlier."""
    monkeypatch.setattr(group_pieces, "MOST_INSIDE", 5)
    monkeypatch.setattr(group_pieces, "_TOGETHER", 6)
    for at in range(1, 13):
        for key in KEYS:
            lengths = {"Mean": 80.0 + at, "Median": 80.0, "Minimum": 10.0, "Maximum": 120.0}
            told = {"Streamlines": 100 * at if at < 12 else 90000, "Lengths": lengths}
            status = "failed" if (at, key) == (1, KEYS[1]) else "drawn"
            if (at, key) != (3, KEYS[1]):
                output.add(key, f"{at:02d}", status=status, told=told if status == "drawn" else None)
    sites = [f"sub-{at:02d}\t{'west' if at < 6 else 'east'}" for at in range(1, 13)]
    (output.root / "participants.tsv").write_text("\n".join(["participant_id\tsite", *sites, ""]))
    return output


@pytest.fixture
def opened(viewer: Any) -> Opened:
    """Writes an output's page and opens it."""

    def open_page(output: Output, *group_by: str, **options: Any) -> Any:
        write_group_page(output.root, group_by=group_by)
        return viewer.open(output.root / "group.html", **options)

    return open_page


def column(page: Any, name: str) -> list[str]:
    heads = page.locator("#table-heads th").all_inner_texts()
    at = next(at for at, head in enumerate(heads) if head.startswith(name))
    return [row.locator("> *").nth(at).inner_text() for row in page.locator("#table-rows tr").all()]


def told(page: Any, text: str) -> None:
    expect(page.locator("#table-caption")).to_contain_text(text)


def test_a_served_page_loads_its_pieces_too(twelve: Output, browser: Any) -> None:
    write_group_page(twelve.root)
    server = Server(twelve.root).start()
    try:
        page = browser.new_page()
        page.goto(server.address)
        page.get_by_role("link", name="group").click()
        told(page, "1–36 of 36 rows")
        expect(page.locator("#table-rows tr").first).to_contain_text("sub-01")
    finally:
        server.stop()


def test_rows_and_measures_are_loaded_when_they_are_needed(twelve: Output, opened: Opened, viewer: Any) -> None:
    page = opened(twelve)
    told(page, "1–36 of 36 rows")
    assert len({url for url in viewer.loaded(".js") if "/rows-" in url}) == 6
    assert not [url for url in viewer.loaded(".js") if "/measure-" in url]
    page.get_by_role("button", name="Mean length, mm").click()
    expect(page.locator("[data-column=length_mean]")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#table-rows tr").first).to_contain_text("sub-12")
    assert column(page, "Mean length") == [f"{80 + at}.0" for at in range(12, 0, -1) for _ in KEYS if at > 3] + [
        *("83.0",) * 2, *("82.0",) * 3, *("81.0",) * 2, *("n/a",) * 2,
    ]  # fmt: skip
    assert len([url for url in viewer.loaded(".js") if "/measure-" in url]) == 1


def test_every_failure_outlier_and_missing_bundle_is_found(twelve: Output, opened: Opened) -> None:
    page = opened(twelve)
    page.locator(".tiles").get_by_role("button", name="failed").click()
    told(page, "1–1 of 1 rows")
    assert (column(page, "Participant"), column(page, "Status")) == (["sub-01"], ["failed"])
    page.locator(".tiles").get_by_role("button", name="missing").click()
    told(page, "1–1 of 1 rows")
    assert column(page, "Participant") == ["sub-03"]
    page.locator(".tiles").get_by_role("button", name="with outliers").click()
    told(page, "1–3 of 3 rows")
    assert set(column(page, "Participant")) == {"sub-12"}
    page.click("#table-reset")
    page.fill("#table-least", "1100")
    told(page, "1–6 of 6 rows")
    assert set(column(page, "Participant")) == {"sub-11", "sub-12"}
    page.fill("#find", "sub-11 forceps")
    told(page, "1–1 of 1 rows")


def test_distributions_are_quantiles_and_lead_to_their_outliers(twelve: Output, opened: Opened) -> None:
    page = opened(twelve)
    strip = page.locator(".strip", has_text="Uncinate fasciculus, left")
    expect(strip).to_contain_text("n 10")
    strip.get_by_role("button", name="outliers: 0 below, 1 above").click()
    told(page, "1–1 of 1 rows")
    assert column(page, "Streamlines")[0].replace(",", "").startswith("90000")
    assert page.locator("#strips .mark").count() == 0
    page.click("#outliers-title")
    expect(page.locator("#outliers-words")).to_contain_text("sub-12: 90,000, z +")


def test_pictures_of_any_row_are_two_clicks_away(twelve: Output, opened: Opened) -> None:
    page = opened(twelve)
    page.fill("#find", "sub-09 forceps")
    told(page, "1–1 of 1 rows")
    page.locator("#table-rows button").click()
    sought = page.locator(".thumb.sought")
    expect(sought).to_contain_text("sub-09")
    sought.locator("button").click()
    assert page.locator("#large img").get_attribute("src").endswith("sub-09_bundle-ForcepsMajor_mosaic.png")
    page.keyboard.press("Escape")
    page.get_by_text("One participant").click()
    page.select_option("#gallery-what", label="sub-01")
    expect(page.locator("#thumbs figcaption")).to_have_count(3)
    expect(page.locator("#thumbs")).to_contain_text("copy it again")


def test_groups_are_filtered_and_have_distributions_of_their_own(twelve: Output, opened: Opened) -> None:
    page = opened(twelve, "site")
    page.select_option("#table-group", label="west")
    told(page, "1–15 of 15 rows (all: 36)")
    assert set(column(page, "site")) == {"west"}
    page.select_option("#spread-of", label="Forceps major")
    expect(page.locator("#strips .label")).to_have_text(["east", "west"])
    expect(page.locator("#strips .strip").first).to_contain_text("n 7")
    page.select_option("#matrix-order", "group")
    page.locator("#matrix-box").focus()
    page.keyboard.press("Home")
    page.select_option("#matrix-shown", label="Mean length")
    expect(page.locator("#matrix-legend")).to_contain_text("Robust z")


def test_the_rows_that_are_shown_can_be_saved(twelve: Output, opened: Opened) -> None:
    page = opened(twelve, "site")
    page.fill("#find", "sub-04")
    told(page, "1–3 of 3 rows")
    with page.expect_download() as saved:
        page.click("#table-save")
    whole = (twelve.root / "group_tractograms.tsv").read_text().splitlines()
    assert saved.value.path().read_text().splitlines() == [
        whole[0], *(line for line in whole if line.startswith("sub-04\t"))
    ]  # fmt: skip


def test_a_page_without_its_pieces_says_so(twelve: Output, opened: Opened, viewer: Any) -> None:
    write_group_page(twelve.root)
    (folder,) = twelve.root.glob("group_rows_*")
    shutil.rmtree(folder)
    page = viewer.open(twelve.root / "group.html")
    expect(page.get_by_role("alert")).to_contain_text(f"Files of the folder {folder.name} can’t be read")
    viewer.troubles.clear()


def test_pieces_of_earlier_pages_are_removed(twelve: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    write_group_page(twelve.root)
    (first,) = twelve.root.glob("group_rows_*")
    assert not re.search(r"[^ -~\n]", "".join(path.read_text() for path in first.iterdir()))
    (twelve.root / ".group_rows_x.part").mkdir()
    write_group_page(twelve.root)
    assert list(twelve.root.glob("*group_rows_*")) == [first], "the same rows have the same files"
    twelve.add("ForcepsMajor", "01", told={"Streamlines": 5})
    write_group_page(twelve.root)
    (second,) = twelve.root.glob("*group_rows_*")
    assert second != first
    monkeypatch.undo()
    write_group_page(twelve.root)
    assert not list(twelve.root.glob("*group_rows_*"))
