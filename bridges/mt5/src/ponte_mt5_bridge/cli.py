"""The command line."""

from __future__ import annotations

import argparse
import io
import logging
import logging.handlers
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import service
from .bridge import Bridge
from .check import check
from .config import ConfigError, Settings, settings
from .journal import Journal, JournalError
from .lock import AlreadyRunning
from .terminal import PackageMissing, Terminal, load_package
from .texts import LANGUAGES, Words, default_language
from .version import VERSION
from .wire import Wire

EXIT_FINE = 0
EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_NO_PACKAGE = 3
EXIT_ALREADY_RUNNING = 4
EXIT_JOURNAL = 5

_LOG_BYTES = 5_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A console of Windows may lack a letter; better a question mark than no line.
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    words = Words(options.lang or default_language())
    try:
        if options.command == "service":
            return _service(options, words)
        chosen = settings(options)
        words = Words(options.lang or default_language())
    except ConfigError as error:
        return _fail(words, EXIT_USAGE, "usage", error=error)
    if options.command == "check":
        return EXIT_FINE if check(chosen, words, print) else EXIT_FOUND
    return _run(chosen, words)


def _run(chosen: Settings, words: Words) -> int:
    _set_up_log(chosen.log)
    try:
        package = load_package()
    except PackageMissing as error:
        return _fail(words, EXIT_NO_PACKAGE, "no_package", error=error)
    try:
        journal = Journal(chosen.journal)
    except AlreadyRunning:
        return _fail(words, EXIT_ALREADY_RUNNING, "journal_held", path=chosen.journal)
    except JournalError as error:
        return _fail(words, EXIT_JOURNAL, "journal_broken", error=error)
    terminal = Terminal(package, chosen.login)
    bridge = Bridge(
        journal, terminal, lambda: Wire(chosen.address, chosen.token), words, chosen.timing, chosen.only_login
    )
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: bridge.stop())
    words.log("started", version=VERSION, path=journal.path, name=journal.name, url=chosen.address.url)
    bridge.run()
    words.log("stopped")
    terminal.close()
    journal.close()
    return EXIT_FINE


def _service(options: argparse.Namespace, words: Words) -> int:
    if options.what == "remove":
        wrong, done = (service.remove(), "service_removed") if _is_windows() else ("", "")
    else:
        if options.config is None:
            raise ConfigError("--config is missing: the task runs with the settings of a file")
        # What can't run must not be made to run every minute.
        config = Path(options.config)
        settings(options)
        if options.what == "print":
            print(service.task(config), end="")
            return EXIT_FINE
        wrong, done = (service.install(config), "service_written") if _is_windows() else ("", "")
    if not _is_windows():
        return _fail(words, EXIT_USAGE, "service_only_windows")
    if wrong:
        return _fail(words, EXIT_FOUND, "service_failed", error=wrong)
    print(words.text(done, name=service.NAME))
    return EXIT_FINE


def _is_windows() -> bool:
    return sys.platform == "win32"


def _fail(words: Words, code: int, key: str, **fields: object) -> int:
    text = words.text(key, **fields)
    if sys.stderr is not None:
        print(f"ponte-mt5-bridge: {text}", file=sys.stderr)
    logging.getLogger("ponte_mt5_bridge").debug(text)
    return code


def _set_up_log(path: Path | None) -> None:
    logger = logging.getLogger("ponte_mt5_bridge")
    logger.setLevel(logging.DEBUG if path else logging.INFO)
    handler: logging.Handler = logging.NullHandler()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8")
    elif sys.stderr is not None:
        # Without a window there is no such thing.
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ponte-mt5-bridge", description="Connects a MetaTrader 5 terminal to Ponte.")
    parser.add_argument("--version", action="version", version=f"ponte-mt5-bridge {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="connect the terminal to Ponte, until it is stopped")
    look = commands.add_parser("check", help="see what is right and what is wrong; 0 if nothing is wrong")
    task = commands.add_parser("service", help="keep it running on Windows: install, remove or print the task")
    task.add_argument("what", choices=("install", "remove", "print"))
    for command in (run, look, task):
        _add_options(command)
    return parser


def _add_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--config", metavar="FILE", help="settings: an INI file with [bridge] and [terminal]")
    add("--url", metavar="URL", help="where Ponte's [bridge] listens, such as https://203.0.113.7:8443")
    add("--token-file", metavar="FILE", help="the file with the token of `ponte bridge token ACCOUNT`")
    add("--pin", metavar="SHA256", help="the certificate's SHA-256, as `ponte bridge certificate` printed it")
    add("--ca", metavar="FILE", help="trust certificates of this authority (PEM) in place of the system's")
    add("--proxy", metavar="URL", help="reach Ponte through this HTTP proxy")
    add("--terminal", metavar="FILE", help="the terminal64.exe to use, where there are several")
    add("--portable", action="store_true", help="the terminal keeps its data in its own folder")
    add("--login", metavar="NUMBER", help="trade in this account only")
    add("--server", metavar="NAME", help="log into the account at this server (with --password-file)")
    add("--password-file", metavar="FILE", help="log in with this password; else log in in the terminal")
    add("--journal", metavar="FILE", help="the bridge's memory; one for each bridge")
    add("--log", metavar="FILE", help="write the log here")
    add("--lang", choices=LANGUAGES, help="en or pt; else the system's")
    # For tests only: what PROTOCOL.md lets a terminal take.
    for name in ("settle", "scan-gap", "synchronised", "poll", "hold"):
        add(f"--{name}-seconds", type=float, help=argparse.SUPPRESS)
    add("--wait-factor", type=float, help=argparse.SUPPRESS)


if __name__ == "__main__":
    sys.exit(main())
