"""What the command line and the file say, checked, with a cure in every error."""

from __future__ import annotations

import argparse
import configparser
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from .bridge import Timing
from .find import Patience
from .terminal import Login
from .wire import Address, Token

_FILE_KEYS = {
    "bridge": ("url", "token_file", "pin", "ca", "proxy", "journal", "log", "lang"),
    "terminal": ("path", "portable", "login", "server", "password_file"),
}
# What the file calls differently from the command line.
_OPTION_OF_KEY = {("terminal", "path"): "terminal"}
_PATHS = ("token_file", "ca", "journal", "log", "password_file")


class ConfigError(Exception):
    """The settings can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Settings:
    """Everything that a run needs."""

    address: Address
    token: Token
    login: Login
    only_login: int | None
    journal: Path
    log: Path | None
    timing: Timing


def default_journal() -> Path:
    """Where the journal lies unless it is said: in the user's own folder for programs' data."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "Ponte"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "ponte"
    return base / "mt5-bridge.sqlite"


def read_file(options: argparse.Namespace) -> None:
    """Fills in from the file what the command line left open. Raises `ConfigError`."""
    path = options.config
    if path is None:
        return
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(_decode(Path(path).read_bytes()), source=str(path))
    except (OSError, configparser.Error) as error:
        raise ConfigError(f"{path} can't be read: {error}") from error
    for section in parser.sections():
        known = _FILE_KEYS.get(section)
        if known is None:
            raise ConfigError(f"{path}: [{section}] is not known, there are [bridge] and [terminal]")
        for key, value in parser[section].items():
            if key not in known:
                raise ConfigError(f"{path}: {key} in [{section}] is not known, there are {', '.join(known)}")
            name = _OPTION_OF_KEY.get((section, key), key)
            if getattr(options, name, None) in (None, False):
                beside = str(Path(path).parent / value) if key in _PATHS else value
                setattr(options, name, beside)


def settings(options: argparse.Namespace) -> Settings:
    """Checks the options. Raises `ConfigError`."""
    read_file(options)
    if not options.url:
        raise ConfigError("--url is missing: where Ponte's [bridge] listens, such as https://203.0.113.7:8443")
    if not options.token_file:
        raise ConfigError("--token-file is missing: the file that `ponte bridge token ACCOUNT` wrote")
    try:
        address = Address(options.url, options.pin, _path(options.ca), options.proxy)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if address.ca is not None and not address.ca.is_file():
        raise ConfigError(f"ca {address.ca} is not there")
    only_login = _login_number(options.login)
    return Settings(
        address=address,
        token=Token(_secret(Path(options.token_file), "token")),
        login=_login(options, only_login),
        only_login=only_login,
        journal=_path(options.journal) or default_journal(),
        log=_path(options.log),
        timing=_timing(options),
    )


def _login(options: argparse.Namespace, login: int | None) -> Login:
    password = None
    if options.password_file:
        if login is None or not options.server:
            raise ConfigError("password_file needs login and server: the terminal logs in with all three")
        file = Path(options.password_file)
        _secret(file, "password")

        def password() -> str:
            # Read anew each time, so that it lies in no variable meanwhile.
            return _secret(file, "password")

    return Login(
        path=_path(options.terminal),
        # Without a password the terminal keeps the account that it is logged into.
        login=login if options.password_file else None,
        server=options.server if options.password_file else None,
        password=password,
        portable=str(options.portable).lower() in ("true", "yes", "1", "on"),
    )


def _login_number(text: str | None) -> int | None:
    if text is None:
        return None
    if not str(text).isascii() or not str(text).isdigit():
        raise ConfigError(f"login {text} is no account number")
    return int(text)


def _timing(options: argparse.Namespace) -> Timing:
    base = Timing()
    patience = Patience(
        settle=_seconds(options.settle_seconds, base.patience.settle),
        scan_gap=_seconds(options.scan_gap_seconds, base.patience.scan_gap),
        synchronised=_seconds(options.synchronised_seconds, base.patience.synchronised),
    )
    return Timing(
        patience=patience,
        poll=_seconds(options.poll_seconds, base.poll),
        hold=_seconds(options.hold_seconds, base.hold),
        wait_factor=_seconds(options.wait_factor, base.wait_factor),
    )


def _seconds(given: float | None, default: float) -> float:
    return default if given is None else given


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def _secret(path: Path, name: str) -> str:
    """The one line of a file. Windows' editors and shells write it in several encodings."""
    try:
        text = _decode(path.read_bytes()).strip()
    except OSError as error:
        raise ConfigError(f"the {name} file {path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the {name} file {path} is no text") from error
    if (
        not text
        or "\n" in text
        or (name == "token" and not (text.isascii() and text.isprintable() and " " not in text))
    ):
        raise ConfigError(f"the {name} file {path} does not hold one {name} in one line")
    return text


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")
