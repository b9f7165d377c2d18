"""`check`: what is right and what is wrong, one line each, with the cure."""

from __future__ import annotations

from typing import Any, Callable

from . import shapes
from .config import Settings
from .journal import Journal, JournalError
from .lock import AlreadyRunning
from .protocol import PROTOCOL, ProtocolError
from .terminal import PackageMissing, Terminal, TerminalGone, load_package
from .texts import Words
from .version import VERSION
from .wire import Refused, Wire, WireError, WrongCertificate

# A name that no session has: a right token is answered that the session is not known.
_NO_SESSION = "check"
_KINDS = ("demo", "contest", "real")
_MODES = ("netting", "exchange", "hedging")


class Report:
    """Lines with a mark; counts what is wrong."""

    def __init__(self, words: Words, say: Callable[[str], object]) -> None:
        self._words = words
        self._say = say
        self.failed = 0

    def good(self, key: str, **fields: Any) -> None:
        """Something is right."""
        self._say(f"ok    {self._words.text(key, **fields)}")

    def bad(self, key: str, **fields: Any) -> None:
        """Something is wrong."""
        self.failed += 1
        self._say(f"FAIL  {self._words.text(key, **fields)}")

    def word(self, key: str) -> str:
        """A single word."""
        return self._words.text(key)


def check(settings: Settings, words: Words, say: Callable[[str], object]) -> bool:
    """Looks at the terminal, the journal and Ponte; true if nothing is wrong."""
    report = Report(words, say)
    _check_terminal(settings, report)
    _check_journal(settings, report)
    _check_ponte(settings, report)
    return report.failed == 0


def _check_terminal(settings: Settings, report: Report) -> None:
    try:
        package = load_package()
    except PackageMissing as error:
        report.bad("no_package", error=error)
        return
    report.good("check_package", version=getattr(package, "__version__", "?"))
    terminal = Terminal(package, settings.login)
    try:
        info, account = terminal.run(terminal.info)
    except TerminalGone as error:
        report.bad("check_no_terminal", error=error)
        return
    finally:
        terminal.close()
    report.good("check_terminal", name=info.name, build=info.build)
    if info.connected:
        report.good("check_connected")
    else:
        report.bad("check_not_connected")
    _check_account(shapes.state(info, account, 0), settings, report)


def _check_account(state: shapes.Body, settings: Settings, report: Report) -> None:
    if state["login"] == 0:
        report.bad("check_no_account")
        return
    report.good(
        "check_account",
        login=state["login"],
        server=state["server"],
        kind=report.word(_KINDS[min(state["account_trade_mode"], 2)]),
        mode=report.word(_MODES[min(state["margin_mode"], 2)]),
        currency=state["currency"],
    )
    if settings.only_login not in (None, state["login"]):
        report.bad("check_other_account", login=state["login"], wanted=settings.only_login)
    if not state["account_trade_allowed"]:
        report.bad("check_investor")
    elif not state["account_trade_expert"]:
        report.bad("check_server_forbids")
    elif not state["trade_allowed"]:
        report.bad("check_no_button")
    elif state["tradeapi_disabled"]:
        report.bad("check_api_disabled")
    else:
        report.good("check_trading")


def _check_journal(settings: Settings, report: Report) -> None:
    try:
        Journal(settings.journal).close()
    except AlreadyRunning:
        report.good("check_journal_held", path=settings.journal)
    except JournalError as error:
        report.bad("journal_broken", error=error)
    else:
        report.good("check_journal", path=settings.journal)


def _check_ponte(settings: Settings, report: Report) -> None:
    wire = Wire(settings.address, settings.token)
    url = settings.address.url
    request = {
        "protocol": PROTOCOL,
        "bridge": {"kind": "python", "version": VERSION, "journal": "0" * 16},
        "session": _NO_SESSION,
    }
    try:
        wire.sync(request)
    except Refused as error:
        # A session that is not known, or one that another bridge holds: only a right token is told so.
        if error.status in (409, 410):
            report.good("check_ponte", url=url)
        else:
            report.bad(f"status_{error.status}", error=error)
    except WrongCertificate as error:
        report.bad("check_certificate", url=url, error=error)
    except (WireError, ProtocolError) as error:
        report.bad("check_no_ponte", url=url, error=error)
    else:
        report.good("check_ponte", url=url)
    finally:
        wire.close()
