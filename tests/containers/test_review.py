"""The pages served from a container, as docs/rating.md has it."""

import http.client
import os
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from outputs import Output

from conftest import call
from tractcap.reports.participant_page import write_participant_page

pytestmark = pytest.mark.container

RATING = "tractogram\trating\trater\trated_at\na.trk\tpass\tanna\t2026-03-01T10:00:00Z\n"


def ask(port: int, method: str, path: str, cookie: str = "", body: str | None = None) -> tuple[int, str]:
    headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{port}", "Content-Type": "text/tab-separated-values"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_pages_are_served_and_ratings_saved(image: str, tmp_path: Path) -> None:
    """At the one port that is published, without any right, in little memory; it ends when it is stopped."""
    output = Output(tmp_path / "out")
    output.root.mkdir()
    output.add("ForcepsMajor")
    write_participant_page(output.root, "01")
    user = f"{os.getuid()}:{os.getgid()}"
    container = call(
        "run", "-d", "-m", "64m", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--user", user,
        "-p", "127.0.0.1::8642", "-v", f"{output.root}:/out", image, "/out", "review", "--address", "0.0.0.0",
    )  # fmt: skip
    try:
        port = int(call("port", container, "8642").rpartition(":")[2])
        while not (address := call("logs", container)).startswith("http"):
            assert call("inspect", "--format", "{{.State.Running}}", container) == "true"
            time.sleep(0.1)
        cookie = f"tractcap-{port}={urlsplit(address.split()[0]).query.removeprefix('key=')}"
        assert ask(port, "GET", "/sub-01.html")[0] == 403
        status, page = ask(port, "GET", "/sub-01.html", cookie)
        assert (status, '{"place": ' in page) == (200, True)
        assert ask(port, "PUT", "/sub-01.html/ratings", cookie, RATING)[0] == 200
        assert (output.root / "ratings/sub-01_rater-anna_desc-ratings.tsv").read_text() == RATING
        call("stop", "-t", "20", container)
        assert call("inspect", "--format", "{{.State.ExitCode}}", container) == "0"
    finally:
        call("rm", "-f", container)
