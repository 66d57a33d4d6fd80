"""A participant's page that is served: whole sessions of rating, whatever happens to server, disk and network."""

import csv
import io
import os
import random
import resource
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from outputs import BUNDLES, Output
from playwright.sync_api import expect
from reviewing import Server

from tractcap.reports.participant_page import write_participant_page
from tractcap.reports.picture_sets import anchor
from tractcap.reports.ratings import read_ratings

pytestmark = pytest.mark.browser

LEFT, RIGHT, FORCEPS = "ArcuateFasciculus_L", "ArcuateFasciculus_R", "ForcepsMajor"
SAVED = "Every rating is saved."
RATING_OF_KEY = {"p": "pass", "f": "fail", "u": "unsure"}

Window = Callable[..., Any]


def source(key: str) -> str:
    return f"sub-01/dwi/sub-01_bundle-{key}_tractogram.trk"


def card(page: Any, key: str) -> Any:
    return page.locator(f"#{anchor(source(key))}")


@pytest.fixture
def server(output: Output) -> Iterator[Server]:
    """Of an output with seven bundles of a participant; not started yet."""
    for key in BUNDLES:
        output.add(key)
    write_participant_page(output.root, "01")
    running = Server(output.root)
    yield running
    if running.process and running.process.poll() is None:
        running.stop()


@pytest.fixture
def window(browser: Any, server: Server) -> Iterator[Window]:
    """Opens the page as a rater does, in a browser of its own or ``within`` an earlier one's."""
    contexts, errors = [], []

    def open_page(rater: str = "", *, within: Any = None, clock: str = "", viewport: Any = None) -> Any:
        if within is None:
            within = browser.new_context(viewport=viewport or {"width": 1400, "height": 900})
            contexts.append(within)
        page = within.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())  # leaving with ratings that aren't saved
        if clock:
            page.clock.set_fixed_time(clock)
        page.goto(server.address)
        page.locator("a", has_text="sub-01").click()
        expect(page.locator("#saving")).to_be_visible()
        if rater:
            name_rater(page, rater)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def name_rater(page: Any, name: str) -> None:
    page.locator("[data-do=rater]").click()
    page.locator("#who-name").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#rater")).to_have_text(name)


def rate(page: Any, key: str, letter: str) -> None:
    card(page, key).locator(".picture").focus()
    page.keyboard.press(letter)


def expect_rating(page: Any, key: str, rating: str) -> None:
    pressed = card(page, key).locator("[data-rate][aria-pressed=true]")
    expect(pressed).to_have_count(1 if rating else 0)
    if rating:
        expect(pressed).to_have_attribute("data-rate", rating)


def lines(server: Server, rater: str = "anna") -> list[dict[str, str]]:
    """What a rater's file holds."""
    path = server.output / f"ratings/sub-01_rater-{rater}_desc-ratings.tsv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def on_disk(server: Server, rater: str = "anna") -> dict[str, str]:
    """Ratings of a rater's file by tractogram, each of which is there once."""
    found = lines(server, rater)
    ratings = {line["tractogram"]: line["rating"] for line in found if line["rating"] != "n/a"}
    assert len({line["tractogram"] for line in found}) == len(found)
    return ratings


SHOWN_AS_SAVED = """() => Object.fromEntries(
    JSON.parse(document.getElementById("data").textContent).cards
      .map((card) => [card.source, document.getElementById(card.id)])
      .filter(([, article]) => article.querySelector(".rate-bar .saved"))
      .map(([source, article]) => [source, article.querySelector("[data-rate][aria-pressed=true]").dataset.rate])
)"""


def test_each_rating_is_saved_at_once(window: Window, server: Server, output: Output) -> None:
    server.start()
    page = window("anna")
    rate(page, LEFT, "f")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    assert on_disk(server) == {source(LEFT): "fail"}
    page.keyboard.press("n")
    page.keyboard.type("has a tail")
    page.keyboard.press("Escape")
    expect(page.locator("#saving")).to_have_text(SAVED)
    (line,) = lines(server)
    assert (line["note"], line["rating"], line["rater"], line["bundle"]) == ("has a tail", "fail", "anna", LEFT)
    rate(page, LEFT, "4")
    page.keyboard.press("n")
    page.locator("textarea:visible").fill("")
    page.keyboard.press("Escape")
    expect(card(page, LEFT).locator(".saved, .unsaved")).to_have_count(0)
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {}
    rate(page, RIGHT, "p")
    expect(card(page, RIGHT).locator(".saved")).to_be_visible()
    merged = read_ratings(output.root, [source(LEFT), source(RIGHT)])
    assert not merged.problems
    assert [(each.rater, each.rating) for each in merged.of(source(RIGHT)).present] == [("anna", "pass")]
    assert not merged.of(source(LEFT)).present


def test_a_hundred_bundles_while_the_server_is_killed_twenty_times(
    window: Window, server: Server, output: Output
) -> None:
    bundles = [f"Bundle{number:03}" for number in range(100)]
    for key in bundles:
        output.add(key, views=["left"], pictures=False)
    for key in BUNDLES:
        for path in output.root.glob(f"sub-01/figures/*{key}*"):
            path.unlink()
    write_participant_page(output.root, "01")
    chance = random.Random(23)
    server.start()
    page = window("anna")
    rated, saved_at_kills = {}, 0
    page.keyboard.press("ArrowRight")
    for start in range(0, 100, 5):
        killer = threading.Timer(chance.uniform(0, 0.5), server.kill)
        killer.start()
        for key in bundles[start : start + 5]:
            letter = chance.choice("pfu")
            page.keyboard.press(letter)
            rated[source(key)] = RATING_OF_KEY[letter]
            page.keyboard.press("ArrowRight")
        killer.join()
        shown, there = page.evaluate(SHOWN_AS_SAVED), on_disk(server)
        assert shown.items() <= there.items() <= rated.items()
        saved_at_kills += len(shown)
        server.start()
        again = window(within=page.context)
        expect(again.locator("#saving")).to_have_text(SAVED)
        again.close()
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect(page.locator("#progress")).to_have_text("100 of 100 rated")
    assert on_disk(server) == rated == page.evaluate(SHOWN_AS_SAVED)
    assert saved_at_kills > 500
    assert not read_ratings(output.root, rated).problems


def test_two_raters_at_once(window: Window, server: Server) -> None:
    server.start()
    anna, ben = window("anna"), window("ben")
    for key in BUNDLES:
        rate(anna, key, "p")
        rate(ben, key, "f")
    for page in (anna, ben):
        expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server, "anna") == {source(key): "pass" for key in BUNDLES}
    assert on_disk(server, "ben") == {source(key): "fail" for key in BUNDLES}
    anna.reload()
    expect(card(anna, LEFT).locator(".other")).to_contain_text("ben: fail")
    expect_rating(anna, LEFT, "pass")


def test_of_two_windows_of_a_rater_the_later_rating_counts(window: Window, server: Server) -> None:
    server.start()
    desk, laptop = window("anna", clock="2026-03-01T10:00:05Z"), window("anna", clock="2026-03-01T10:00:00Z")
    laptop.context.set_offline(True)
    rate(laptop, LEFT, "f")
    rate(laptop, RIGHT, "f")
    expect(laptop.locator("#saving")).to_contain_text("The server can’t be reached. 2 ratings not saved yet")
    rate(desk, LEFT, "p")
    expect(card(desk, LEFT).locator(".saved")).to_be_visible()
    laptop.context.set_offline(False)
    expect(laptop.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {source(LEFT): "pass", source(RIGHT): "fail"}
    expect_rating(laptop, LEFT, "pass")
    desk.reload()
    expect_rating(desk, RIGHT, "fail")


def test_what_was_withdrawn_is_withdrawn_in_other_windows(window: Window, server: Server) -> None:
    server.start()
    page, other = window("anna", clock="2026-03-01T10:00:00Z"), window("anna", clock="2026-03-01T10:00:00Z")
    rate(page, LEFT, "f")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    other.reload()
    expect_rating(other, LEFT, "fail")
    page.clock.set_fixed_time("2026-03-01T10:00:01Z")
    rate(page, LEFT, "4")
    expect(page.locator("#saving")).to_have_text(SAVED)
    other.reload()
    expect_rating(other, LEFT, "")
    expect(other.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {}


def test_what_was_withdrawn_is_sent_when_the_server_is_back(window: Window, server: Server) -> None:
    server.start()
    page = window("anna", clock="2026-03-01T10:00:00Z")
    rate(page, LEFT, "f")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    server.kill()
    page.clock.set_fixed_time("2026-03-01T10:00:01Z")
    rate(page, LEFT, "4")
    page.close()
    server.start()
    page = window(within=page.context)
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect_rating(page, LEFT, "")
    assert on_disk(server) == {}


def test_a_clock_that_was_put_back_loses_nothing(window: Window, server: Server) -> None:
    server.start()
    page = window("anna", clock="2036-03-01T10:00:00Z")
    rate(page, LEFT, "f")
    page.clock.set_fixed_time("2026-03-01T10:00:00Z")
    rate(page, LEFT, "p")
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    assert on_disk(server) == {source(LEFT): "pass"}


def test_a_rating_waits_for_its_raters_name(window: Window, server: Server) -> None:
    server.start()
    page = window()
    rate(page, LEFT, "f")
    expect(page.locator("#who")).to_be_visible()
    page.locator("#who-later").click()
    expect(page.locator("#saving")).to_contain_text("1 rating not saved yet: give the rater’s name")
    expect(card(page, LEFT).locator(".unsaved")).to_be_visible()
    name_rater(page, "anna")
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert [path.name for path in sorted(server.output.glob("ratings/*.tsv"))] == ["sub-01_rater-anna_desc-ratings.tsv"]
    assert on_disk(server) == {source(LEFT): "fail"}


def test_what_begins_like_a_formula_comes_back_as_it_was(window: Window, server: Server) -> None:
    server.start()
    page = window("=anna")
    rate(page, LEFT, "f")
    page.keyboard.press("n")
    page.keyboard.type("=1+1")
    page.keyboard.press("Escape")
    expect(page.locator("#saving")).to_have_text(SAVED)
    (path,) = server.output.glob("ratings/*.tsv")
    assert "\t'=1+1\t" in path.read_text()
    other = window("=anna")
    expect(card(other, LEFT).locator(".note-text")).to_have_text("=1+1")
    expect(card(other, LEFT).locator(".saved")).to_be_visible()
    rate(other, LEFT, "p")
    expect(other.locator("#saving")).to_have_text(SAVED)
    assert [line.split("\t")[4] for line in path.read_text().splitlines()] == ["rating", "pass"]


def test_a_full_disk(window: Window, server: Server) -> None:
    server.start(prefix=("prlimit", "--fsize=4096:unlimited"))  # bytes of a file, which the note alone would take
    page = window("anna")
    rate(page, LEFT, "p")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    rate(page, RIGHT, "f")
    page.keyboard.press("n")
    page.locator("textarea:visible").fill("long " * 1000)
    page.keyboard.press("Escape")
    expect(page.locator("#saving")).to_contain_text("The folder ratings can’t be written (File too large)")
    expect(card(page, RIGHT).locator(".unsaved")).to_be_visible()
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    (*_, last) = lines(server)
    assert (last["tractogram"], last["note"]) in ((source(LEFT), "n/a"), (source(RIGHT), "n/a"))
    assert not list(server.output.glob("ratings/.*.part"))
    assert server.process
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {source(LEFT): "pass", source(RIGHT): "fail"}
    assert lines(server)[-1]["note"] == ("long " * 1000).strip()


def test_a_folder_that_cant_be_written(window: Window, server: Server) -> None:
    ratings = server.output / "ratings"
    ratings.mkdir(mode=0o555)
    without = "-dac_override,-dac_read_search"  # of root, who may write anywhere
    server.start(prefix=("setpriv", "--bounding-set", without) if os.getuid() == 0 else ())
    page = window("anna")
    rate(page, LEFT, "f")
    expect(page.locator("#saving")).to_contain_text("The folder ratings can’t be written here. Ratings stay in this")
    expect(card(page, LEFT).locator(".saved, .unsaved")).to_have_count(0)
    with page.expect_download():
        page.locator("[data-do=export]").click()
    ratings.chmod(0o755)
    page.reload()
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {source(LEFT): "fail"}


def test_another_output_at_the_same_address_gets_nothing(window: Window, server: Server, tmp_path: Path) -> None:
    server.start()
    page = window("anna")
    server.kill()
    rate(page, LEFT, "f")
    expect(card(page, LEFT).locator(".unsaved")).to_be_visible()
    page.close()
    first, second = server.output, tmp_path / "other"
    second.mkdir()
    (second / "sub-01.html").write_bytes((first / "sub-01.html").read_bytes())
    server.output = second
    server.start()
    page = window(within=page.context)
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect_rating(page, LEFT, "")
    assert not (second / "ratings").exists()
    page.close()
    server.stop()
    server.output = first
    server.start()
    page = window(within=page.context)
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {source(LEFT): "fail"}


def test_files_of_others_are_shown_and_what_is_imported_is_saved(
    window: Window, server: Server, tmp_path: Path
) -> None:
    header = "tractogram\trating\trater\trated_at\n"
    theirs = server.output / "ratings/sub-01_desc-ratings.tsv"
    theirs.parent.mkdir()
    theirs.write_text(f"{header}{source(LEFT)}\tfail\tben\t2026-03-01T10:00:00Z\nbroken\n")
    server.start()
    page = window("anna")
    expect(card(page, LEFT).locator(".other")).to_contain_text("ben: fail")
    expect(page.locator("#imported")).to_contain_text("sub-01_desc-ratings.tsv, line 3: it has 1 fields")
    imported = tmp_path / "x.tsv"
    imported.write_text(f"{header}{source(RIGHT)}\tunsure\tcarl\t2026-03-01T10:00:00Z\n")
    page.locator("#import").set_input_files(imported)
    expect(page.locator("#imported")).to_contain_text("1 rating taken")
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server, "carl") == {source(RIGHT): "unsure"}
    assert not on_disk(server, "ben")
    theirs.unlink()
    page.reload()
    expect(card(page, RIGHT).locator(".other")).to_contain_text("carl: unsure")
    expect(card(page, LEFT).locator(".other")).to_have_count(0)
    assert not on_disk(server, "ben")


def test_what_another_window_read_of_others_is_not_written_again(window: Window, server: Server) -> None:
    server.start()
    page = window("anna")
    theirs = server.output / "ratings/sub-01_desc-ratings.tsv"
    theirs.parent.mkdir()
    theirs.write_text(f"tractogram\trating\trater\trated_at\n{source(LEFT)}\tfail\tben\t2026-03-01T10:00:00Z\n")
    other = window(within=page.context)
    for shown in (other, page):
        expect(card(shown, LEFT).locator(".other")).to_contain_text("ben: fail")
    rate(page, RIGHT, "p")
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect(card(page, LEFT).locator(".other")).to_contain_text("ben: fail")
    assert on_disk(server) == {source(RIGHT): "pass"}
    assert not on_disk(server, "ben")


def test_own_ratings_come_back_if_their_file_is_lost(window: Window, server: Server) -> None:
    server.start()
    page = window("anna")
    rate(page, LEFT, "f")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    for path in (server.output / "ratings").glob("*anna*"):
        path.unlink()
    page.reload()
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {source(LEFT): "fail"}


def test_without_storage_nothing_is_said_to_be_kept(window: Window, server: Server, browser: Any) -> None:
    server.start()
    page = window()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('none'); } });")
    page.reload()
    name_rater(page, "anna")
    rate(page, LEFT, "f")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    server.kill()
    rate(page, RIGHT, "f")
    expect(page.locator("#saving")).to_contain_text("is kept as long as this page is open")
    expect(page.locator("#not-kept")).to_contain_text("ratings that aren’t saved yet are lost")


class _Attack(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><body>attack</body>")

    def log_message(self, *_arguments: Any) -> None:
        pass


ATTACKS = """async (target) => {
    const body = "tractogram\\trating\\trater\\trated_at\\na.trk\\tpass\\tattacker\\t2026-03-01T10:00:00Z\\n";
    const url = `${target}/sub-01.html/ratings`, page = `${target}/sub-01.html`;
    const read = [];
    const attempt = async (address, options) => {
        const answer = await fetch(address, { ...options, credentials: "include" });
        read.push(await answer.text());
    };
    for (const mode of ["no-cors", "cors"]) {
        for (const address of [`${target}/`, page, url]) await attempt(address, { mode }).catch(() => {});
        for (const way of ["POST text/plain", "PUT text/tab-separated-values", "PUT text/plain"]) {
            const [method, type] = way.split(" ");
            await attempt(url, { mode, method, body, headers: { "Content-Type": type } }).catch(() => {});
        }
    }
    const ended = (node) => new Promise((done) => {
        node.onload = () => done(true);
        node.onerror = () => done(false);
        document.body.append(node);
    });
    const frame = Object.assign(document.createElement("iframe"), { name: "inner", src: page });
    await ended(frame);
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: url, enctype: "text/plain", target: "inner" });
    form.innerHTML = '<input name="tractogram" value="x">';
    document.body.append(form);
    const answered = new Promise((done) => { frame.onload = done; });
    form.submit();
    await answered;
    try { read.push(frame.contentDocument.body.textContent); } catch {}
    for (const [name, src] of [["img", `${target}/PICTURE`], ["script", page]]) {
        if (await ended(Object.assign(document.createElement(name), { src }))) read.push(name);
    }
    return read.filter(Boolean);
}"""


def test_pages_of_others_read_and_save_nothing(server: Server, browser: Any) -> None:
    """Pages of another site, of another port of this machine, and of a name that was made to lead here."""
    server.start()
    picture = next(server.output.glob("sub-01/figures/*.png")).relative_to(server.output).as_posix()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Attack) as attacker:
        threading.Thread(target=attacker.serve_forever, daemon=True).start()
        chromium = browser.browser_type.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP attacker.example 127.0.0.1"],
        )
        context = chromium.new_context()
        rater = context.new_page()
        rater.goto(server.address)
        rater.locator("a", has_text="sub-01").click()
        expect(rater.locator("#saving")).to_have_text(SAVED)
        page = context.new_page()
        own = f"http://127.0.0.1:{server.port}"
        for site in ("attacker.example", "127.0.0.1", "localhost"):
            page.goto(f"http://{site}:{attacker.server_port}/")
            for target in (own, f"http://localhost:{server.port}", f"http://attacker.example:{server.port}"):
                read = page.evaluate(ATTACKS.replace("PICTURE", picture), target)
                assert not [text for text in read if "Arcuate" in text or text in ("img", "script")], (
                    site,
                    target,
                    read,
                )
                page.goto(f"http://{site}:{attacker.server_port}/")
        answer = page.goto(f"http://attacker.example:{server.port}/sub-01.html")
        assert answer.status == 421
        assert "Arcuate" not in page.content()
        page.goto(f"http://attacker.example:{attacker.server_port}/")
        page.evaluate("(url) => { location.href = url; }", f"{own}/sub-01.html")
        page.wait_for_url(f"{own}/sub-01.html")
        assert "Arcuate" not in page.content()
        rater.reload()
        expect(rater.locator("#saving")).to_have_text(SAVED)  # who may is served as before
        attacker.shutdown()
        chromium.close()
    assert not (server.output / "ratings").exists()


@pytest.mark.parametrize("width", [400, 1400])
def test_a_lost_connection_is_seen_wherever_the_page_is_scrolled(window: Window, server: Server, width: int) -> None:
    server.start()
    page = window("anna", viewport={"width": width, "height": 900})
    rate(page, BUNDLES[-1], "p")
    expect(page.locator("#saving")).to_have_text(SAVED)
    server.kill()
    rate(page, BUNDLES[-1], "f")
    expect(page.locator("#saving")).to_contain_text("The server can’t be reached.")
    expect(page.locator("#saving")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_file_that_was_edited_by_hand_counts(window: Window, server: Server) -> None:
    """Also where its date stayed, and what the rater's browser kept is another rating of that date."""
    server.start()
    page = window("anna", clock="2026-03-01T10:00:00Z")
    rate(page, LEFT, "f")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    (path,) = server.output.glob("ratings/*.tsv")
    path.write_text(path.read_text().replace("\tfail\t", "\tpass\t"))
    page.reload()
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect_rating(page, LEFT, "pass")
    toggled = card(page, LEFT).locator("[data-reason=incomplete]")
    rate(page, LEFT, "i")
    expect(toggled).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#saving")).to_have_text(SAVED)
    assert on_disk(server) == {source(LEFT): "pass"}
    server.kill()
    rate(page, LEFT, "u")  # within the same second: what isn't saved yet counts
    server.start()
    page = window(within=page.context)
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect_rating(page, LEFT, "unsure")
    assert on_disk(server) == {source(LEFT): "unsure"}


def test_a_spreadsheet_saved_the_file(window: Window, server: Server) -> None:
    server.start()
    page = window("Doe, Anna", clock="2026-03-01T10:00:00Z")
    rate(page, LEFT, "f")
    for key in "im":
        page.keyboard.press(key)
    page.keyboard.press("n")
    page.keyboard.type('"thin", short')
    page.keyboard.press("Escape")
    expect(page.locator("#saving")).to_have_text(SAVED)
    (path,) = server.output.glob("ratings/*.tsv")
    rows = list(csv.reader(io.StringIO(path.read_text()), delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = range(len(rows[0]))[::-1]
    text = io.StringIO()
    for row in rows:  # quotes are put around what has commas or quotes in it
        cells = [f'"{row[at].replace(chr(34), chr(34) * 2)}"' if {*',"'} & {*row[at]} else row[at] for at in columns]
        text.write("\t".join([*cells, "seen"]) + "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    page.reload()
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect(card(page, LEFT).locator(".other")).to_have_count(0)
    expect(card(page, LEFT).locator("[data-reason][aria-pressed=true]")).to_have_count(2)
    expect(card(page, LEFT).locator(".note-text")).to_have_text('"thin", short')
    merged = read_ratings(server.output, [source(LEFT)])
    (rating,) = merged.of(source(LEFT)).present
    assert (rating.rater, rating.reasons) == ("Doe, Anna", ("incomplete", "crosses_midline"))
    page.clock.set_fixed_time("2026-03-01T10:00:01Z")
    rate(page, LEFT, "u")
    expect(card(page, LEFT).locator(".saved")).to_be_visible()
    (line,) = csv.DictReader(io.StringIO(path.read_text()), delimiter="\t", quoting=csv.QUOTE_NONE)
    assert (line["rating"], line["seen"], line["note"]) == ("unsure", "seen", '"thin", short')


def test_a_note_that_is_being_written_outlives_the_page(window: Window, server: Server) -> None:
    server.start()
    page = window("anna")
    rate(page, LEFT, "f")
    page.keyboard.press("n")
    page.keyboard.type("has a tail")
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.locator("#saving")).to_have_text(SAVED)
    expect(card(page, LEFT).locator(".note-text")).to_have_text("has a tail")
    assert lines(server)[0]["note"] == "has a tail"


def test_a_note_that_is_too_long_holds_up_no_other(window: Window, server: Server) -> None:
    server.start()
    page = window("anna")
    page.keyboard.press("ArrowRight")
    first = page.evaluate("document.activeElement.closest('.card').id")
    page.keyboard.press("n")
    page.locator("textarea:visible").fill("long " * 300_000)
    page.keyboard.press("Escape")
    expect(page.locator("#saving")).to_contain_text("shorten the note")
    for key in BUNDLES:
        rate(page, key, "p")
    expect(page.locator(".saved")).to_have_count(len(BUNDLES) - 1)
    assert on_disk(server) == {source(key): "pass" for key in BUNDLES if anchor(source(key)) != first}


def test_a_key_that_is_held_down_does_one_thing(window: Window, server: Server) -> None:
    server.start()
    page = window()
    card(page, LEFT).locator(".picture").focus()
    for _ in range(3):
        page.keyboard.down("p")  # still held when the rater's name is asked for
    expect(page.locator("#who-name")).to_have_value("")
    page.keyboard.up("p")
    page.locator("#who-name").fill("anna")
    page.keyboard.press("Enter")
    rate(page, RIGHT, "f")
    rate(page, FORCEPS, "u")
    page.keyboard.down("n")
    page.keyboard.down("n")
    page.keyboard.up("n")
    expect(page.locator("textarea:visible")).to_have_value("")
    for _ in range(2):
        page.keyboard.down("n")  # pressed in the note itself, it writes
    page.keyboard.up("n")
    expect(page.locator("textarea:visible")).to_have_value("nn")
    page.keyboard.press("Escape")
    for key in ("Backspace", "z"):
        if key == "z":
            page.keyboard.down("Control")
        for _ in range(3):
            page.keyboard.down(key)
        page.keyboard.up(key)
        expect(page.locator("#progress")).to_have_text("3 of 7 rated" if key == "Backspace" else "2 of 7 rated")
    expect(page.locator("#saving")).to_have_text(SAVED)
