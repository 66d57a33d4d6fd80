"""The page of all participants in a browser, opened as a file."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from tractcap.reports.group_page import write_group_page
from tractcap.reports.participant_page import write_participant_page

pytestmark = pytest.mark.browser

KEYS = ("ForcepsMajor", "UncinateFasciculus_L", "UncinateFasciculus_R")


@pytest.fixture
def opened(viewer):
    """Writes an output's page and opens it."""

    def open_page(output, **options):
        write_group_page(output.root)
        return viewer.open(output.root / "group.html", **options)

    return open_page


@pytest.fixture
def eight(output):
    """Eight participants; one failed, one is empty, one is missing, one is an outlier."""
    for at in range(1, 9):
        for key in KEYS:
            lengths = {"Mean": 80.0 + at, "Median": 80.0, "Minimum": 10.0, "Maximum": 120.0}
            told = {"Streamlines": 100 * at if at < 8 else 90000, "Lengths": lengths}
            status = {("1", KEYS[1]): "failed", ("2", KEYS[1]): "empty"}.get((f"{at}", key), "drawn")
            if (at, key) != (3, KEYS[1]):
                output.add(key, f"0{at}", status=status, told=told if status == "drawn" else None)
        (output.root / f"sub-0{at}.html").write_text("<!doctype html><title>participant</title>")
    return output


def column(page, name):
    heads = page.locator("#table-heads th").all_inner_texts()
    at = next(at for at, head in enumerate(heads) if head.startswith(name))
    return [row.locator("> *").nth(at).inner_text() for row in page.locator("#table-rows tr").all()]


def told(page, text):
    expect(page.locator("#table-caption")).to_contain_text(text)


def test_the_table_sorts_both_ways_with_what_is_not_known_last(eight, opened):
    page = opened(eight)
    page.get_by_role("button", name="Mean length, mm").click()
    assert page.locator("[data-column=length_mean]").get_attribute("aria-sort") == "descending"
    down = column(page, "Mean length")
    assert down == sorted(down[:-3], key=float, reverse=True) + ["n/a"] * 3
    page.get_by_role("button", name="Mean length, mm").click()
    assert page.locator("[data-column=length_mean]").get_attribute("aria-sort") == "ascending"
    assert column(page, "Mean length") == sorted(down[:-3], key=float) + ["n/a"] * 3


def test_the_table_sorts_with_the_keyboard(eight, opened):
    page = opened(eight)
    page.get_by_role("button", name="Participant", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert column(page, "Participant")[0] == "sub-08"


def test_filters_leave_the_rows_that_match_all_of_them(eight, opened):
    page = opened(eight)
    told(page, "1–24 of 24 rows")
    page.fill("#find", "uncinate sub-0")
    told(page, "16 rows (all: 24)")
    page.select_option("#table-bundle", label="Uncinate fasciculus, left")
    told(page, "8 rows")
    page.select_option("#table-status", label="missing")
    told(page, "1–1 of 1 rows")
    assert column(page, "Participant") == ["sub-03"]
    page.click("#table-reset")
    page.fill("#table-least", "300")
    page.fill("#table-most", "500")
    told(page, "8 rows")
    assert set(column(page, "Streamlines")) == {"300", "400", "500"}
    page.fill("#find", "nobody")
    told(page, "No row matches")


def test_the_numbers_on_top_lead_to_their_rows(eight, opened):
    page = opened(eight)
    page.locator(".tiles").get_by_role("button", name="failed").click()
    told(page, "1–1 of 1 rows")
    assert column(page, "Status") == ["failed"]
    page.locator(".tiles").get_by_role("button", name="with outliers").click()
    told(page, "3 rows")
    assert set(column(page, "Participant")) == {"sub-08"}
    assert set(column(page, "Outliers")) == {"streamlines"}


def test_the_rows_that_are_shown_can_be_saved(eight, opened):
    eight.add("-Odd_L", "04")
    page = opened(eight)
    page.fill("#find", "sub-04")
    told(page, "4 rows")
    with page.expect_download() as saved:
        page.click("#table-save")
    lines = saved.value.path().read_text().splitlines()
    whole = (eight.root / "group_tractograms.tsv").read_text().splitlines()
    assert lines == [whole[0], *(line for line in whole if line.startswith("sub-04\t"))]
    assert "\t'-Odd" in "".join(lines), "which a spreadsheet would carry out"


def test_no_picture_is_loaded_before_a_bundle_is_opened(eight, opened, viewer):
    page = opened(eight)
    page.wait_for_timeout(300)
    page.mouse.wheel(0, 3000)
    page.wait_for_timeout(300)
    assert viewer.loaded(".png") == []
    page.select_option("#gallery-what", label="Forceps major")
    page.locator("#thumbs img").first.scroll_into_view_if_needed()
    expect(page.locator("#thumbs img").first).to_have_js_property("complete", True)
    assert viewer.loaded(".png")
    assert all("ForcepsMajor_view-left.png" in url for url in viewer.loaded(".png"))


def test_far_pictures_wait(output, opened, viewer):
    for at in range(300):
        output.add("ForcepsMajor", f"{at:03d}", pictures=False)
    output.add("ForcepsMajor", "000")
    page = opened(output)
    page.select_option("#gallery-what", label="Forceps major")
    page.locator("#pictures").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    expect(page.locator("#thumbs figure")).to_have_count(300)
    assert 0 < len(viewer.loaded(".png")) < 150
    viewer.troubles.clear()  # of pictures that aren't there


def test_what_was_not_drawn_is_shown_among_the_pictures(eight, opened):
    page = opened(eight)
    page.select_option("#gallery-what", label="Uncinate fasciculus, left")
    expect(page.locator("#gallery-caption")).to_contain_text("5 drawn, 1 failed, 1 empty, 1 missing")
    for number, word in enumerate(("Failed", "Empty", "Missing")):  # waited for: what is out of sight isn't laid out
        expect(page.locator("#thumbs figure").nth(number)).to_contain_text(word, ignore_case=True)
    expect(page.locator("#thumbs figure").first).to_contain_text("copy it again")
    page.select_option("#gallery-only", label="those to look at")
    expect(page.locator("#thumbs figure")).to_have_count(4)


def test_one_participants_bundles_are_shown(eight, opened):
    page = opened(eight)
    page.get_by_text("One participant").click()
    page.select_option("#gallery-what", label="sub-03")
    expect(page.locator("#thumbs figcaption")).to_have_count(3)
    page.click("#gallery-next")
    expect(page.locator("#gallery-caption")).to_have_text("sub-04: 3 drawn.")


def test_a_picture_opens_large_and_the_keyboard_turns_pages(eight, opened):
    page = opened(eight)
    page.select_option("#gallery-what", label="Forceps major")
    page.locator("#thumbs button").first.click()
    assert page.locator("#large img").get_attribute("src").endswith("sub-01_bundle-ForcepsMajor_mosaic.png")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#large-title")).to_have_text("Forceps major, sub-02")
    page.select_option("#large-view", "superior")
    assert page.locator("#large img").get_attribute("src").endswith("_view-superior.png")
    page.keyboard.press("Escape")
    expect(page.locator("#large")).to_be_hidden()


def test_a_cell_of_the_overview_leads_to_its_picture(eight, opened):
    page = opened(eight)
    page.locator("#matrix-box").focus()
    for key in ("Home", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#matrix-caption")).to_contain_text("sub-0")
    where = page.locator("#matrix-caption").inner_text().split(" · ")
    page.keyboard.press("Enter")
    expect(page.locator("#gallery-caption")).to_contain_text(where[1])
    expect(page.locator(".thumb.sought")).to_contain_text(where[0])


def test_the_overview_tells_what_the_pointer_is_at(eight, opened):
    page = opened(eight)
    page.select_option("#matrix-shown", label="Streamlines")
    box = page.locator("#matrix-box").bounding_box()
    page.mouse.move(box["x"] + 90, box["y"] + box["height"] - 8)
    expect(page.locator("#matrix-caption")).to_contain_text("sub-08 ·")
    expect(page.locator("#matrix-caption")).to_contain_text("outlier: streamlines")
    expect(page.locator("#matrix-caption")).to_contain_text("(z +")


def test_outliers_are_marked_and_told_in_words(eight, opened):
    page = opened(eight)
    marks = page.locator("#strips .mark")
    expect(marks).to_have_count(3)
    assert re.match(r"sub-08: 90,000, z \+\d", marks.first.get_attribute("aria-label"))
    page.click("#outliers-title")
    expect(page.locator("#outliers-words")).to_contain_text("sub-08: 90,000", use_inner_text=True)
    page.select_option("#spread-measure", label="Median length")
    expect(marks).to_have_count(0)
    expect(page.get_by_text("MAD is 0: nothing is marked")).to_have_count(3)


def test_links_lead_to_the_participants_pages(eight, opened):
    for at in range(1, 9):
        write_participant_page(eight.root, f"0{at}")
    page = opened(eight)
    page.select_option("#gallery-what", label="Forceps major")
    links = page.eval_on_selector_all("#thumbs a, #table-rows a", "links => links.map(link => link.href)")
    assert len(links) == 8 + 24
    with_anchor = [link for link in links if re.search(r"/sub-0\d\.html#tract-[0-9a-f]{10}$", link)]
    assert len(with_anchor) == len(links) - 1  # the missing one leads to the page alone
    page.locator("#table-rows a").nth(1).click()
    expect(page.locator(":target")).to_contain_text("Uncinate fasciculus, left")


def test_the_theme_is_dark_where_it_is_wanted(eight, opened):
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (opened(eight, color_scheme=scheme) for scheme in ("light", "dark"))
    bright = [sum(map(int, re.findall(r"\d+", page.evaluate(ground))[:3])) for page in (light, dark)]
    assert bright[0] > 600
    assert bright[1] < 150
    light.locator(".theme-button").click()
    assert light.evaluate(ground) == dark.evaluate(ground)


def test_names_of_markup_are_text(output, opened):
    name = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"
    for label in ("01", "02"):
        output.add(
            "x", label, source=f"{label}{name}", told={"Bundle": {"Key": name, "Readable": name, "Hemisphere": ""}}
        )
    output.add("x", "03", status="failed", why=name, told={"Bundle": {"Key": name, "Readable": name, "Hemisphere": ""}})
    page = opened(output)
    page.select_option("#gallery-what", label=name)
    page.locator("#thumbs button").first.click()
    page.wait_for_timeout(200)
    assert page.title() == "All participants – tractcap"
    expect(page.locator("#large-title")).to_contain_text(name)
    assert column(page, "Bundle")[0] == name


def test_a_phone_shows_all_within_its_width(eight, opened):
    page = opened(eight)
    page.set_viewport_size({"width": 390, "height": 844})
    page.select_option("#gallery-what", label="Forceps major")
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_500_participants_with_50_bundles_open_sort_and_show(output, opened, viewer):
    text = output.add("Tract", "x", pictures=False).read_text()
    shutil.rmtree(output.root / "sub-x")
    for at in range(500):
        folder = output.root / f"sub-{at:03d}" / "figures"
        folder.mkdir(parents=True)
        for bundle in range(50):
            if (at, bundle) != (250, 25):
                made = re.sub(r'Tract(?=["_])', f"Tract{bundle:02d}", text).replace('"x"', f'"{at:03d}"')
                made = made.replace('"Mean": ', f'"Mean": {1 + at % 7}').replace("sub-x", f"sub-{at:03d}")
                (folder / f"{bundle}.json").write_text(made)
    page = opened(output)
    told(page, "1–50 of 25,000 rows")
    page.get_by_role("button", name="Mean length, mm").click()
    numbers = [float(text.split()[-1]) for text in column(page, "Mean length")]
    assert numbers == sorted(numbers, reverse=True)
    page.fill("#find", "sub-250 tract25")
    told(page, "1–1 of 1 rows (all: 25,000)")
    assert column(page, "Status") == ["missing"]
    assert page.evaluate("document.querySelectorAll('*').length") < 8000
    page.select_option("#matrix-rows", label="all at once")
    assert viewer.loaded(".png") == []
