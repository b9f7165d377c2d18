"""The line to the stand-in terminal, in place of the real package's inter-process communication."""

from __future__ import annotations

import http.client
import json
import os
import socket
from typing import Any
from urllib.parse import urlsplit

FAIL = -1
INTERNAL_FAIL_SEND = -10001
INTERNAL_FAIL_RECEIVE = -10002
INTERNAL_FAIL_INIT = -10003
INTERNAL_FAIL_CONNECT = -10004
INTERNAL_FAIL_TIMEOUT = -10005

# The words of the wheel for each code.
WORDS = {
    -1: "Terminal: Call failed",
    -2: "Terminal: Invalid params",
    -3: "Terminal: Out of memory",
    -4: "Terminal: Not found",
    -5: "Terminal: Incompatible versions, please install the latest version of Terminal and Python module",
    -6: "Terminal: Authorization failed",
    -7: "Terminal: Unsupported function",
    -8: "Auto-Trading using Python API disabled in Terminal",
    -10000: "IPC call failed",
    -10001: "IPC send failed",
    -10002: "IPC recv failed",
    -10003: "IPC initialize failed",
    -10004: "No IPC connection",
    -10005: "IPC timeout",
}

# The real package waits two minutes for an answer of the terminal; tests need not.
TIMEOUT_SECONDS = 30.0


class CallError(Exception):
    """The call failed; what `last_error` says of it."""

    def __init__(self, code: int, words: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.words = WORDS.get(code, WORDS[FAIL]) if words is None else words


class Wire:
    """One connection, opened by `initialize`."""

    def __init__(self) -> None:
        self._connection: http.client.HTTPConnection | None = None

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def open(self) -> None:
        """Raises `CallError` if no terminal is there."""
        self.close()
        address = urlsplit(os.environ.get("PONTE_STANDIN_TERMINAL", "http://127.0.0.1:9020"))
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            raise CallError(INTERNAL_FAIL_INIT, f"IPC initialize failed, {error}") from error
        self._connection = connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(self, function: str, arguments: dict[str, Any]) -> Any:
        """What the terminal answers. Raises `CallError` with its error, or with what broke on the way."""
        connection = self._connection
        if connection is None:
            raise CallError(INTERNAL_FAIL_CONNECT)
        body = json.dumps({"function": function, "arguments": arguments}).encode()
        try:
            connection.request("POST", "/terminal/call", body, {"Content-Type": "application/json"})
        except OSError as error:
            connection.close()
            raise CallError(INTERNAL_FAIL_SEND) from error
        try:
            response = connection.getresponse()
            data = response.read()
        except socket.timeout as error:
            connection.close()
            raise CallError(INTERNAL_FAIL_TIMEOUT) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise CallError(INTERNAL_FAIL_RECEIVE) from error
        if response.status != 200:
            raise AssertionError(f"the stand-in terminal answered {response.status}: {data.decode()}")
        answer = json.loads(data)
        code, words = answer["error"]
        if answer["value"] is None:
            raise CallError(int(code), str(words))
        return answer["value"]
