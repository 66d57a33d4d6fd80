"""Who may ask the server: the rater who opened the printed address, and the pages that were served then.

The port can be reached by every program of the machine, by other users' too, and by every web page that is open in the
rater's browser. So each request must have the secret: the printed address hands it over, as a cookie that other sites
can't use (``SameSite=Strict``). Browsers take other ports of this machine for the same site, so what they say of a
request's origin is checked as well; and that it was sent to a name of this machine, so that no other name leads here.
"""

import re
import secrets
from email.message import Message
from http import HTTPStatus
from urllib.parse import parse_qs

LOOPBACK = "127.0.0.1"

_HOST = re.compile(r"(?:127\.0\.0\.1|localhost)(?::(\d{1,5}))?")
"""Names of this machine. The port is another one behind ``ssh -L`` and ``docker run -p``."""


class RefusedError(Exception):
    """A request is refused.

    Parameters
    ----------
    status : http.HTTPStatus
        The answer's status.
    sentence : str
        What is wrong, for the rater.
    """

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Access:
    """A secret, and the rules for those who have it."""

    def __init__(self) -> None:
        self._secret = secrets.token_urlsafe(32)

    def address(self, port: int) -> str:
        """What the rater opens."""
        return f"http://{LOOPBACK}:{port}/?key={self._secret}"

    def check(self, headers: Message, query: str, *, writes: bool) -> str:
        """See that a request may be answered.

        Parameters
        ----------
        headers : email.message.Message
            The request's.
        query : str
            What follows the question mark in its address.
        writes : bool
            Whether it would change something.

        Returns
        -------
        str
            The cookie to set, where the printed address is opened; else empty.

        Raises
        ------
        RefusedError
        """
        hosts = headers.get_all("Host", [])
        host = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if not host:
            raise RefusedError(HTTPStatus.MISDIRECTED_REQUEST, f"Only {LOOPBACK} and localhost are served.")
        cookie = f"tractcap-{host[1] or 80}"  # cookies don't know of ports: another server has another one
        if not writes and self._is_secret(parse_qs(query).get("key", [""])[0]):
            return f"{cookie}={self._secret}; HttpOnly; SameSite=Strict; Path=/"
        origins = [f"http://{host[0]}"] if writes else [f"http://{host[0]}", None]
        if headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none") or headers.get("Origin") not in origins:
            raise RefusedError(HTTPStatus.FORBIDDEN, "Another site leads here: open the address that was printed.")
        sent = dict(part.strip().partition("=")[::2] for part in headers.get("Cookie", "").split(";"))
        if not self._is_secret(sent.get(cookie, "")):
            why = "The server was started anew, or isn’t yours: open the address that it printed."
            raise RefusedError(HTTPStatus.FORBIDDEN, why)
        return ""

    def _is_secret(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(errors="replace"), self._secret.encode())
