"""A Ponte that does as it is told: it speaks the protocol, keeps all that it hears, and misbehaves on order."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

import schema

TOKEN = "token-of-the-scripted-ponte"
AWAY_SECONDS = 15.0

Body = dict[str, Any]
ResultId = tuple[str, int]


@dataclass
class Given:
    """A command in the queue, and what became of it."""

    task: Body
    valid_ms: int
    id: ResultId | None = None
    handed: threading.Event = field(default_factory=threading.Event)


class ScriptedPonte:
    """The server; facts as the newest requests told them, results by session and number."""

    def __init__(self, port: int = 0, context: ssl.SSLContext | None = None, token: str = TOKEN) -> None:
        self.token = token
        self.changed = threading.Condition()
        self.requests: list[Body] = []
        self.violations: list[str] = []
        self.state: Body = {}
        self.positions: list[Body] = []
        self.orders: list[Body] = []
        self.history: dict[int, Body] = {}
        self.deals: dict[int, Body] = {}
        self.symbols: dict[str, Body] = {}
        self.are_symbols_complete = False
        self.ticks: dict[str, Body] = {}
        self.results: dict[ResultId, Body] = {}
        self.tellings: dict[ResultId, int] = {}
        self.twice: list[str] = []
        self.session: str | None = None
        self.sessions = 0
        self.watch: list[str] = []
        self.want: set[str] = {"symbols"}
        self.history_hours = 48
        # Misbehaviour.
        self.names_results = True
        self.loses: Callable[[Body, Body], bool] = lambda _request, _answer: False
        self.refuses: Callable[[Body], int | None] = lambda _request: None
        self.delays: Callable[[Body, Body], float] = lambda _request, _answer: 0.0
        self.alters: Callable[[Body], Body] = lambda answer: answer
        self._journal: str | None = None
        self._heard_at = 0.0
        self._number = 0
        self._taker = 0
        self._queue: deque[Given] = deque()
        self._told: set[tuple[str, int]] = set()
        self._is_ending = False
        ponte = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                status, answer = ponte._sync(self.path, self.headers.get("Authorization", ""), self.rfile.read(length))
                if status == 0:
                    self.close_connection = True
                    return
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_arguments: Any) -> None:
                """A bridge that is killed leaves broken pipes behind."""

        self._server = Server(("127.0.0.1", port), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'http' if context is None else 'https'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        with self.changed:
            self._is_ending = True
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def restart(self) -> None:
        """Forgets its sessions, as a restarted Ponte does."""
        with self.changed:
            self.session = None
            self._journal = None
            self.changed.notify_all()

    # What a test does.

    def give(self, task: Body, valid_ms: int = 5000) -> Given:
        """Puts a command into the queue."""
        given = Given(task, valid_ms)
        with self.changed:
            self._queue.append(given)
            self.changed.notify_all()
        return given

    def withdraw_all(self) -> None:
        with self.changed:
            self._queue.clear()

    def wait(self, is_so: Callable[[], Any], what: str = "it", seconds: float = 60.0) -> Any:
        """Waits until something that requests bring is so; fails where it does not become so."""
        until = time.monotonic() + seconds
        with self.changed:
            while True:
                value = is_so()
                if value:
                    return value
                left = until - time.monotonic()
                assert left > 0, f"waited {seconds} s for {what}; last heard: {self.requests[-3:]}"
                self.changed.wait(min(left, 0.5))

    def result(self, given: Given, seconds: float = 60.0) -> Body:
        """A command's result."""
        return self.wait(lambda: given.id and self.results.get(given.id), f"the result of {given.task}", seconds)

    def run(self, task: Body, valid_ms: int = 5000, seconds: float = 60.0) -> Body:
        """Gives a command and waits for its result."""
        return self.result(self.give(task, valid_ms), seconds)

    def hear_anew(self, count: int = 1) -> None:
        """Waits until so many more requests have been heard."""
        before = len(self.requests)
        self.wait(lambda: len(self.requests) >= before + count, "another request")

    # What a bridge sees.

    def _sync(self, path: str, authorization: str, data: bytes) -> tuple[int, Body]:
        if path != "/mt5/v1/sync":
            return 404, {}
        if authorization != f"Bearer {self.token}":
            return self._refusal(401, "wrong token")
        request = json.loads(data)
        with self.changed:
            status = self.refuses(request)
            if status is not None:
                return (0, {}) if status == 0 else self._refusal(status, "as the test has it")
            found = schema.violations(request)
            if found:
                self.violations.extend(found)
                return self._refusal(400, found[0])
            status = self._hear(request)
            if status is not None:
                return self._refusal(status, "of its session")
            answer = self._answer(request)
            if answer is None:
                return self._refusal(410, "the session has ended")
            answer = self.alters(answer)
            is_lost = self.loses(request, answer)
            delay = self.delays(request, answer)
            if is_lost:
                # The bridge can't know that it was heard: it tells all of that again.
                for kind in ("history", "deals"):
                    self._told.difference_update((kind, item["ticket"]) for item in request.get(kind, []))
        if delay:
            time.sleep(delay)
        return (0, {}) if is_lost else (200, answer)

    @staticmethod
    def _refusal(status: int, message: str) -> tuple[int, Body]:
        return status, {"error": {"code": "test", "message": message}}

    def _hear(self, request: Body) -> int | None:
        now = time.monotonic()
        journal = request["bridge"]["journal"]
        if "session" not in request:
            if self._journal not in (None, journal) and now - self._heard_at < AWAY_SECONDS:
                return 409
            self.sessions += 1
            self.session = f"s{self.sessions}"
            self._journal = journal
            self._number = 0
            self._told.clear()
            self.want.add("symbols")
        elif request["session"] != self.session:
            return 410
        self._heard_at = now
        self._keep(request)
        return None

    def _keep(self, request: Body) -> None:
        self.requests.append(request)
        self.state = request.get("state", self.state)
        self.positions = request.get("positions", self.positions)
        self.orders = request.get("orders", self.orders)
        self.ticks.update({tick["symbol"]: tick for tick in request.get("ticks", [])})
        for kind, mirror in (("history", self.history), ("deals", self.deals)):
            for item in request.get(kind, []):
                if (kind, item["ticket"]) in self._told:
                    self.twice.append(f"{kind} {item['ticket']}")
                self._told.add((kind, item["ticket"]))
                mirror[item["ticket"]] = item
        for info in request.get("symbols", []):
            self.symbols[info["name"]] = info
        if request.get("symbols_complete"):
            self.are_symbols_complete = True
            self.want.discard("symbols")
        for result in request.get("results", []):
            key = (result["session"], result["number"])
            self.tellings[key] = self.tellings.get(key, 0) + 1
            self.results[key] = result
        self.changed.notify_all()

    def _answer(self, request: Body) -> Body | None:
        session = self.session
        commands: list[Body] = []
        if request.get("take"):
            self._taker += 1
            taker = self._taker
            until = time.monotonic() + request.get("hold_ms", 0) / 1000
            watch = list(self.watch)
            while not self._queue and taker == self._taker and not self._is_ending and watch == self.watch:
                left = until - time.monotonic()
                if left <= 0 or self.session != session:
                    break
                self.changed.wait(min(left, 0.25))
            if self.session != session:
                return None
            while self._queue and taker == self._taker:
                commands.append(self._hand_out(self._queue.popleft()))
        results = request.get("results", []) if self.names_results else []
        return {
            "protocol": 1,
            "session": session,
            "commands": commands,
            "results_seen": [{"session": result["session"], "number": result["number"]} for result in results],
            "watch": self.watch,
            "want": sorted(self.want),
            "history_hours": self.history_hours,
            "time_ms": time.time_ns() // 1_000_000,
            "a_field_of_the_future": True,
        }

    def _hand_out(self, given: Given) -> Body:
        self._number += 1
        given.id = (str(self.session), self._number)
        given.handed.set()
        return {"session": self.session, "number": self._number, "valid_ms": given.valid_ms, "task": given.task}
