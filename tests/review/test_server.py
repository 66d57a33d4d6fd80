"""The server, asked by those who may, and by those who mayn't."""

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from outputs import Output
from reviewing import Server

from tractcap.records.ratings_file import load
from tractcap.reports.participant_page import write_participant_page

HEADER = "tractogram\trating\trater\trated_at\n"
RATING = f"{HEADER}a.trk\tpass\tanna\t2026-03-01T10:00:00Z\n"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of a participant and of tractograms that are nobody's; secrets in it and beside it, links to both."""
    root = tmp_path_factory.mktemp("study") / "out"
    root.mkdir()
    filled = Output(root)
    for participant in ("01", ""):
        filled.add("ArcuateFasciculus_L", participant)
        write_participant_page(root, participant)
    beside = root.parent / "beside.png"
    beside.write_text("SECRET")
    (root / ".git").mkdir()
    (root / ".git/config.json").write_text("SECRET")
    (root / "notes.txt").write_text("SECRET")
    (root / "script.js").write_text("SECRET")
    (root / "group_rows_0a").mkdir()
    (root / "group_rows_0a/other.js").write_text("SECRET")
    (root / "link.png").symlink_to(beside)
    (root / "folder").symlink_to(root.parent)
    (root / "sub-01/page.html").write_text("SECRET")
    (root / "within.png").symlink_to(next(root.glob("sub-01/figures/*.png")))
    os.mkfifo(root / "pipe.png")
    (root / "folder.png").mkdir()
    (root / "old.html").write_text('<html><body class="participant"></body></html>')
    return root


@pytest.fixture(scope="module")
def server(output: Path) -> Iterator[Server]:
    running = Server(output).start()
    yield running
    logged = running.stop()
    assert "defect" not in logged
    assert "Traceback" not in logged


def ask(
    server: Server, path: str, method: str = "GET", body: str | bytes | None = None, **headers: str | None
) -> tuple[int, str, http.client.HTTPMessage]:
    """The answer's status, text and headers; a header that is None isn't sent, ``_`` in names are hyphens."""
    sent: dict[str, str | None] = {"Cookie": server.cookie}
    if method == "PUT":
        sent |= {"Origin": f"http://127.0.0.1:{server.port}", "Content-Type": "text/tab-separated-values"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    sent.setdefault("Host", f"127.0.0.1:{server.port}")
    if body is not None:
        body = body.encode() if isinstance(body, str) else body
        sent.setdefault("Content-Length", str(len(body)))
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.putrequest(method, path, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    return answer.status, text, answer.headers


def raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_it_listens_to_this_machine_alone(server: Server) -> None:
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    at = {each[1].split(":")[0] for each in listening if each[3] == "0A" and int(each[1][-4:], 16) == server.port}
    assert at == {"0100007F"}
    assert f":{server.port:04X} " not in Path("/proc/net/tcp6").read_text()


def test_the_address_hands_over_a_cookie_that_opens_the_pages(server: Server) -> None:
    status, text, headers = ask(server, server.address.partition(str(server.port))[2], Cookie=None)
    assert status == 200
    assert server.secret not in text
    cookie = headers["Set-Cookie"]
    assert cookie.split("; ")[0] == server.cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert len(server.secret) > 40
    status, text, headers = ask(server, "/")
    assert status == 200
    assert 'href="sub-01.html"' in text
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_page_knows_only_here_that_it_is_served(server: Server, output: Path) -> None:
    status, text, headers = ask(server, "/sub-01.html")
    kept = (output / "sub-01.html").read_text()
    assert status == 200
    assert 'id="served">null<' in kept
    assert re.search(r'id="served">\{"place": "[0-9a-f]{16}"\}<', text)
    assert "connect-src 'self'" in text
    assert "connect-src" not in kept
    assert "connect-src 'self'" in headers["Content-Security-Policy"]
    assert len(text) < len(kept) + 100


def test_pictures_are_served(server: Server, output: Path) -> None:
    picture = next(output.glob("sub-01/figures/*.png"))
    for path in (picture.relative_to(output).as_posix(), "within.png"):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
            connection.request("GET", f"/{path}", headers={"Cookie": server.cookie})
            answer = connection.getresponse()
            assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
            assert answer.read() == picture.read_bytes()


def test_a_part_of_a_film_is_served(server: Server, output: Path) -> None:
    film = bytes(range(256)) * 600
    (output / "film.mp4").write_bytes(film)
    for asked, part in (("0-1", film[:2]), ("5-", film[5:]), ("100-9999999", film[100:])):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
            connection.request("GET", "/film.mp4", headers={"Cookie": server.cookie, "Range": f"bytes={asked}"})
            answer = connection.getresponse()
            first = int(asked.split("-")[0])
            assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(film)}"
            assert (answer.status, answer.read()) == (206, part)
    for asked in ("999999-", "9-1", "-5", "x", "0-1,5-6"):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
            connection.request("GET", "/film.mp4", headers={"Cookie": server.cookie, "Range": f"bytes={asked}"})
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, film)


@pytest.mark.parametrize(
    "path",
    [
        "/../beside.png", "/sub-01/../../beside.png", "/%2e%2e/beside.png", "/sub-01/%2e%2e/%2e%2e/beside.png",
        "/..%2fbeside.png", "/..%5cbeside.png", "/..\\beside.png", "/%252e%252e/beside.png", "//etc/hostname.png",
        "/link.png", "/folder/beside.png", "/.git/config.json", "/sub-01/.././.git/config.json", "/notes.txt",
        "/notes.txt%00.png", "/beside.png%00", "/%00", "/pipe.png", "/folder.png", "/folder.png/", "/sub-01/page.html",
        "/sub-01", "/sub-01/figures/", "/sub-01.html/", "/sub-01.html/x.png", "/nothing.html", "/nothing.html/ratings",
        "/ratings", "/sub-01/page.html/ratings", "/../out/sub-01.html/ratings", f"/{'x' * 5000}.png", "/\xff.png", "*",
        "http://127.0.0.1/sub-01.html", "/ratings/.lock", "/script.js", "/group_rows_0a/other.js",
    ],
)  # fmt: skip
def test_nothing_else_is_served(server: Server, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {server.cookie}\r\n\r\n"
    answer = raw(server, request.encode("latin-1"))
    assert answer.startswith(b"HTTP/1.0 404 "), answer
    assert b"SECRET" not in answer


def test_an_absolute_path_is_none(server: Server, output: Path) -> None:
    for path in (f"/{output.parent}/beside.png", f"{output.parent}/beside.png", f"/sub-01/{output.parent}/beside.png"):
        status, text, _ = ask(server, path)
        assert status == 404
        assert "SECRET" not in text


def test_a_page_that_could_not_save_says_so(server: Server) -> None:
    status, text, _ = ask(server, "/old.html")
    assert (status, "run the participant level again" in text) == (409, True)


FOREIGN = [
    {"Cookie": None},
    {"Cookie": "tractcap-{port}=wrong"},
    {"Cookie": "tractcap-{port}=ä"},
    {"Cookie": "tractcap={secret}"},
    {"Cookie": "tractcap-1={secret}"},
    {"Host": "attacker.example:{port}"},
    {"Host": "127.0.0.1.attacker.example:{port}"},
    {"Host": "0.0.0.0:{port}"},
    {"Host": None},
    {"Host": "127.0.0.1:{port}, attacker.example"},
    {"Origin": "http://attacker.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(("method", "path"), [("GET", "/sub-01.html"), ("PUT", "/sub-01.html/ratings")])
def test_others_are_refused(
    server: Server, output: Path, method: str, path: str, headers: dict[str, str | None]
) -> None:
    told = {k: v and v.format(port=server.port, secret=server.secret) for k, v in headers.items()}
    status, text, sent = ask(server, path, method, RATING if method == "PUT" else None, **told)
    assert status in (403, 421)
    assert "ArcuateFasciculus" not in text
    assert "Set-Cookie" not in sent
    assert not (output / "ratings").exists()


def test_two_hosts_are_refused(server: Server) -> None:
    name = f"Host: 127.0.0.1:{server.port}\r\n"
    answer = raw(server, f"GET / HTTP/1.1\r\n{name}{name}Cookie: {server.cookie}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 421 ")


@pytest.mark.parametrize("key", ["", "wrong", "%C3%A4", "%FF", "%00"])
def test_a_wrong_key_opens_nothing(server: Server, key: str) -> None:
    status, _, headers = ask(server, f"/?key={key}", Cookie=None)
    assert (status, headers["Set-Cookie"]) == (403, None)


def test_the_key_alone_saves_nothing(server: Server) -> None:
    assert ask(server, f"/sub-01.html/ratings?key={server.secret}", "PUT", RATING, Cookie=None)[0] == 403


def test_a_tunnel_has_another_port(server: Server) -> None:
    for host in ("localhost:9000", "127.0.0.1:9000", "localhost"):
        cookie = f"tractcap-{host.partition(':')[2] or 80}={server.secret}"
        assert ask(server, "/", Host=host, Cookie=cookie)[0] == 200
        headers = {"Host": host, "Cookie": cookie, "Origin": f"http://{host}"}
        assert ask(server, "/sub-01.html/ratings", "PUT", "", **headers)[0] == 400  # is understood not to be a table


@pytest.mark.parametrize("method", ["POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT"])
def test_nothing_else_can_be_done(server: Server, method: str) -> None:
    assert ask(server, "/sub-01.html/ratings", method, RATING if method != "HEAD" else None)[0] == 501


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (415, RATING, {"Content-Type": "text/plain"}),
        (415, RATING, {"Content-Type": "application/x-www-form-urlencoded"}),
        (413, RATING, {"Content-Length": str(2**40)}),
        (413, RATING, {"Content-Length": "-1"}),
        (413, RATING, {"Content-Length": "٣"}),
        (413, RATING, {"Content-Length": "9" * 5000}),
        (413, b"", {"Content-Length": None, "Transfer-Encoding": "chunked"}),
        (400, b"\xff\xfe", {}),
        (400, "", {}),
        (400, "tractogram\trating\n", {}),
        (400, HEADER + "a\tb\n", {}),
        (400, RATING.replace("rated_at", "colour"), {}),
        (400, RATING.replace("anna", " "), {}),
    ],
)
def test_what_is_no_rating_is_refused_by_a_sentence(
    server: Server, output: Path, status: int, body: str | bytes, headers: dict[str, str | None]
) -> None:
    sent = {name: value and value.encode().decode("latin-1") for name, value in headers.items()}
    found, text, _ = ask(server, "/sub-01.html/ratings", "PUT", body, **sent)
    assert found == status
    assert text.endswith(".\n")
    assert not (output / "ratings").exists()


@pytest.fixture
def own(output: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of an output of its own, which may be changed."""
    root = tmp_path / "own"
    root.mkdir()
    (root / "sub-01.html").write_bytes((output / "sub-01.html").read_bytes())
    (root / "index.html").write_bytes((output / "sub-01.html").read_bytes())
    running = Server(root)
    yield running
    if running.process and running.process.poll() is None:
        running.stop()


def put(server: Server, body: str = RATING, page: str = "sub-01.html") -> tuple[int, str]:
    return ask(server, f"/{page}/ratings", "PUT", body)[:2]


def test_each_rater_has_a_file_for_each_participant(own: Server) -> None:
    own.start()
    for rater in ("anna", "Anna B", "田中", "佐藤", "../../x", "a" * 80, "."):
        assert put(own, RATING.replace("anna", rater))[0] == 200
    assert put(own, page="index.html")[0] == 200
    names = {path.name for path in (own.output / "ratings").glob("*.tsv")}
    assert {"sub-01_rater-anna_desc-ratings.tsv", "tractograms_rater-anna_desc-ratings.tsv"} <= names
    assert len(names) == 8
    assert all(re.fullmatch("(sub-01|tractograms)_rater-[A-Za-z0-9]{1,48}_desc-ratings.tsv", name) for name in names)
    found = json.loads(ask(own, "/sub-01.html/ratings")[1])
    assert {file["name"] for file in found["files"]} == names - {"tractograms_rater-anna_desc-ratings.tsv"}
    meanings = json.loads((own.output / "ratings/sub-01_rater-anna_desc-ratings.json").read_text())
    assert {"tractogram", "rating", "rater"} <= set(meanings)
    assert list(own.output.iterdir())
    assert {path.name for path in own.output.iterdir()} == {"sub-01.html", "index.html", "ratings"}


def test_an_answer_says_what_is_saved_now(own: Server) -> None:
    own.start()
    put(own)
    status, text = put(own, RATING.replace("pass", "fail").replace("2026", "2025"))
    assert status == 200
    assert "2026-03-01" in json.loads(text)["files"][0]["text"]
    assert "fail" not in text


def test_a_file_that_isnt_understood_is_named_and_stays(own: Server) -> None:
    path = own.output / "ratings/sub-01_rater-anna_desc-ratings.tsv"
    path.parent.mkdir()
    path.write_text("my own notes")
    own.start()
    status, text = put(own)
    assert (status, path.name in text) == (409, True)
    assert path.read_text() == "my own notes"
    path.write_bytes(b"\xff")
    (found,) = json.loads(ask(own, "/sub-01.html/ratings")[1])["files"]
    assert path.name in found["problem"]


def test_a_participant_whose_label_goes_on_is_another(own: Server) -> None:
    own.start()
    put(own)
    (own.output / "sub-0.html").write_bytes((own.output / "sub-01.html").read_bytes())
    assert json.loads(ask(own, "/sub-0.html/ratings")[1])["files"] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(own: Server, number: int) -> None:
    own.start()
    put(own)
    logged = own.stop(number)
    assert own.process
    assert own.process.returncode == 0
    assert "Traceback" not in logged
    assert "stopped" in logged
    assert not list((own.output / "ratings").glob("*.part"))


def test_its_secret_is_another_each_time_and_in_no_log(own: Server) -> None:
    own.start("-vv")
    ask(own, own.address.partition(str(own.port))[2], Cookie=None)
    first = own.secret
    assert first not in own.stop()
    own.start()
    assert own.secret != first
    assert ask(own, "/", Cookie=f"tractcap-{own.port}={first}")[0] == 403


def test_what_a_killed_server_left_is_cleared_away(own: Server) -> None:
    own.start()
    put(own)
    own.kill()
    (own.output / "ratings/.sub-01_rater-anna_desc-ratings.tsv.x.part").write_text("half")
    own.start()
    assert put(own)[0] == 200
    assert not list((own.output / "ratings").glob(".*.part"))
    path = own.output / "ratings/sub-01_rater-anna_desc-ratings.tsv"
    assert len(load(path, "").ratings) == 1


def test_slow_and_many_clients_hold_nobody_up(own: Server) -> None:
    own.start()
    request = f"PUT /sub-01.html/ratings HTTP/1.1\r\nHost: 127.0.0.1:{own.port}\r\n".encode()
    slow = [socket.create_connection(("127.0.0.1", own.port)) for _ in range(70)]
    ended = threading.Event()

    def drip() -> None:
        at = 0
        while not ended.wait(0.5):
            for connection in slow:
                with suppress(OSError):
                    connection.send(request[at % len(request) :][:1])
            at += 1

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            try:
                if put(own)[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
        pytest.fail("Slow clients kept all places.")
    finally:
        ended.set()
        thread.join()
        for connection in slow:
            connection.close()


def test_a_head_without_end_is_not_kept_in_memory(server: Server) -> None:
    head = b"GET / HTTP/1.1\r\n" + (b"X: " + b"a" * 60_000 + b"\r\n") * 3
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)  # and no end of it
        assert connection.recv(65536).startswith(b"HTTP/1.0 431 ")


def test_a_file_that_isnt_understood_keeps_nobody_elses_ratings_from_being_saved(own: Server) -> None:
    path = own.output / "ratings/sub-01_rater-anna_desc-ratings.tsv"
    path.parent.mkdir()
    path.write_text("my own notes")
    own.start()
    status, text = put(own, RATING + "a.trk\tfail\tben\t2026-03-01T10:00:00Z\n")
    assert (status, path.name in text) == (409, True)
    (found,) = load(path.with_name("sub-01_rater-ben_desc-ratings.tsv"), "").ratings
    assert found[1].rating == "fail"


def test_a_folder_whose_name_is_no_unicode(output: Path, tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"\xff")
    (root / "ratings").mkdir(parents=True)
    (root / "sub-01.html").write_bytes((output / "sub-01.html").read_bytes())
    (root / "ratings/sub-01_rater-anna_desc-ratings.tsv").write_text("my own notes")
    own = Server(root).start()
    try:
        status, text = put(own)
        assert (status, "rater-anna" in text) == (409, True)
        assert put(own, RATING.replace("anna", "ben"))[0] == 200
    finally:
        own.stop()


def test_another_users_server_saved_there_before(own: Server) -> None:
    folder = own.output / "ratings"
    folder.mkdir()
    (folder / ".lock").touch(mode=0o444)  # as that of another user: it can be read, but not written
    without = "-dac_override"  # of root, who may write anywhere
    own.start(prefix=("setpriv", "--bounding-set", without) if os.getuid() == 0 else ())
    assert put(own)[0] == 200
