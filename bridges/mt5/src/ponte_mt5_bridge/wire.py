"""HTTP to Ponte: one kept connection, TLS that is pinned or trusted, no redirects, no hidden repeats."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import random
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from . import clock, protocol
from .protocol import SyncAnswer

CONNECT_SECONDS = 10.0
# Beyond the time that Ponte may hold an answer back.
ANSWER_SECONDS = 10.0


class WireError(Exception):
    """No usable answer."""


class NoAnswer(WireError):
    """Ponte was not reached, or its answer was lost."""


class WrongCertificate(NoAnswer):
    """Whoever answers there is not who was pinned or trusted."""


class Refused(WireError):
    """Ponte answered, with another status than 200."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


class Token:
    """A secret that can't be printed."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Token(***)"

    def header(self) -> str:
        """For the one header that it is sent in."""
        return f"Bearer {self._text}"


@dataclass(frozen=True)
class Address:
    """Where Ponte listens, and how it is known."""

    url: str
    pin: str | None = None
    ca: Path | None = None
    proxy: str | None = None
    scheme: str = field(init=False, default="")
    host: str = field(init=False, default="")
    port: int = field(init=False, default=0)
    path: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Raises `ValueError` with the cure in it."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the url {self.url!r} is not like https://host:8443")
        if parts.username or parts.query or parts.fragment:
            raise ValueError(f"the url of {parts.hostname} has more than a host, a port and a path")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError(f"http to {parts.hostname} would send the token in the open: write https")
        if self.pin is not None and self.ca is not None:
            raise ValueError("pin and ca exclude each other: a pinned certificate needs no authority")
        if self.pin is not None:
            object.__setattr__(self, "pin", _pin(self.pin))
        object.__setattr__(self, "scheme", parts.scheme)
        object.__setattr__(self, "host", parts.hostname)
        object.__setattr__(self, "port", parts.port or (443 if parts.scheme == "https" else 80))
        object.__setattr__(self, "path", parts.path.rstrip("/") + protocol.SYNC_PATH)


def _pin(text: str) -> str:
    digits = text.replace(":", "").replace(" ", "").lower()
    if len(digits) != 64 or any(digit not in "0123456789abcdef" for digit in digits):
        raise ValueError("the pin is not the SHA-256 of a certificate: 64 hexadecimal digits")
    return digits


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its address or by the one name that always is."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fingerprint(certificate: bytes) -> str:
    """What a certificate is pinned by: the SHA-256 of its DER, in hexadecimal."""
    return hashlib.sha256(certificate).hexdigest()


def back_off(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 1, 2, 4, … at most 15, less up to a half at random."""
    longest = min(15.0, float(2 ** min(failures - 1, 4)))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class Wire:
    """A connection of one thread to Ponte."""

    def __init__(self, address: Address, token: Token) -> None:
        self._address = address
        self._token = token
        self._context = _context(address) if address.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None

    def sync(self, body: dict[str, Any]) -> tuple[SyncAnswer, float]:
        """Posts one request. Returns the answer, and when the request was sent.

        Raises `Refused`, `NoAnswer` or `protocol.ProtocolError`.
        """
        data = json.dumps(body, separators=(",", ":")).encode()
        if len(data) > protocol.BODY_BYTES_MAX:
            raise Refused(413, "larger than a request may be")
        patience = ANSWER_SECONDS + float(body.get("hold_ms", 0)) / 1000
        was_kept = self._connection is not None
        try:
            return self._post(data, patience)
        except (OSError, http.client.HTTPException) as error:
            # A kept connection may have been closed meanwhile; that says nothing about a new one.
            if not was_kept or not isinstance(error, ConnectionError):
                raise _no_answer(error) from error
        try:
            return self._post(data, patience)
        except (OSError, http.client.HTTPException) as error:
            raise _no_answer(error) from error

    def _post(self, data: bytes, patience: float) -> tuple[SyncAnswer, float]:
        try:
            connection = self._connect()
            if connection.sock is not None:
                connection.sock.settimeout(patience)
            sent_at = clock.monotonic()
            headers = {
                "Authorization": self._token.header(),
                "Content-Type": "application/json",
                "Accept": "application/json",
            }
            connection.request("POST", self._address.path, body=data, headers=headers)
            response = connection.getresponse()
            content = response.read(protocol.ANSWER_BYTES_MAX + 1)
        except BaseException:
            self.close()
            raise
        if response.will_close or len(content) > protocol.ANSWER_BYTES_MAX:
            self.close()
        if len(content) > protocol.ANSWER_BYTES_MAX:
            raise protocol.ProtocolError("the answer is larger than any of Ponte's")
        if response.status != 200:
            raise Refused(response.status, _message(content))
        return protocol.parse_answer(content), sent_at

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            connection = _connection(self._address, self._context)
            connection.connect()
            self._connection = connection
            self._check_pin(connection)
        return self._connection

    def _check_pin(self, connection: http.client.HTTPConnection) -> None:
        """Before a byte of the token is sent."""
        pin = self._address.pin
        if pin is None or not isinstance(connection.sock, ssl.SSLSocket):
            return
        shown = fingerprint(connection.sock.getpeercert(binary_form=True) or b"")
        if not hmac.compare_digest(shown, pin):
            raise WrongCertificate(f"the certificate's SHA-256 is {shown}, pinned is {pin}")

    def close(self) -> None:
        """Ends the connection; the next request makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _connection(address: Address, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    host, port = address.host, address.port
    proxy = urlsplit(address.proxy) if address.proxy else None
    if proxy is not None:
        host, port = proxy.hostname or "", proxy.port or 3128
    if context is None:
        connection = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    else:
        connection = http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=context)
    if proxy is not None:
        connection.set_tunnel(address.host, address.port, headers=_proxy_headers(proxy.username, proxy.password))
    return connection


def _proxy_headers(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair).decode()}


def _context(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(address.ca) if address.ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if address.pin is not None:
        # The pin names the one certificate that is right: who signed it, and for which name, adds nothing.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _message(content: bytes) -> str:
    """What a refusal says: Ponte's own message, or the beginning of whatever was sent in its place."""
    try:
        return str(json.loads(content)["error"]["message"])[:500]
    except (ValueError, KeyError, TypeError, RecursionError):
        return content[:200].decode("utf-8", "replace").strip()


def _no_answer(error: Exception) -> NoAnswer:
    if isinstance(error, http.client.BadStatusLine) and not isinstance(error, http.client.RemoteDisconnected):
        return NoAnswer("what comes back is not HTTP; a [bridge] with a certificate has a URL with https://")
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return NoAnswer("what comes back is not TLS; a [bridge] without a certificate has a URL with http://")
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return WrongCertificate(words) if isinstance(error, ssl.SSLCertVerificationError) else NoAnswer(words)
