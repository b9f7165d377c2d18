"""The stand-in for the package is held against the official wheel, not against memory."""

from __future__ import annotations

import ast
import inspect
import os
import re
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import MetaTrader5 as standin  # noqa: N813
import pytest
import wheel
from MetaTrader5 import _core, _structures
from wheel import METH_KEYWORDS, METH_NOARGS, METH_VARARGS, Wheel

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def official() -> Wheel:
    folder = Path(os.environ.get("PONTE_WHEELS", Path(tempfile.gettempdir()) / f"ponte-wheel-{wheel.VERSION}"))
    folder.mkdir(parents=True, exist_ok=True)
    return wheel.fetch(folder)


def test_every_constant_has_the_official_name_and_value(official: Wheel) -> None:
    here = {name: value for name, value in vars(standin).items() if name.isupper() and isinstance(value, int)}
    there = official.constants()
    assert len(there) > 200
    assert {**here, "__version__": standin.__version__, "__author__": standin.__author__} == there


def test_the_bridge_depends_on_the_version_that_was_compared(official: Wheel) -> None:
    wanted = f"dependencies = ['MetaTrader5 == {wheel.VERSION}; sys_platform == \"win32\"']"
    assert wanted in (HERE.parent / "pyproject.toml").read_text()
    assert official.constants()["__version__"] == wheel.VERSION


def test_every_function_is_there_and_takes_its_arguments_in_the_same_way(official: Wheel) -> None:
    there = official.functions()
    public = {name: value for name, value in vars(_core).items() if inspect.isfunction(value) and value.__doc__}
    assert {name for name in public if not name.startswith("_")} == there.keys()
    assert len(there) == 32
    for name, function in there.items():
        here = public[name]
        assert inspect.getdoc(here) == inspect.cleandoc(function.words), name
        kinds = {parameter.kind for parameter in inspect.signature(here).parameters.values()}
        wanted = {
            METH_NOARGS: set(),
            METH_VARARGS: {inspect.Parameter.VAR_POSITIONAL},
            METH_VARARGS | METH_KEYWORDS: {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD},
        }
        assert kinds == wanted[function.flags], name


def test_the_helpers_in_python_have_the_official_parameters(official: Wheel) -> None:
    tree = ast.parse((HERE / "standin/MetaTrader5/_helpers.py").read_text())
    here = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0].isupper()}
    for node in here.values():
        for parameter in (*node.args.args, *node.args.kwonlyargs):
            parameter.annotation = None
    assert {name: ast.unparse(node.args) for name, node in here.items()} == official.helpers()


def test_every_structure_has_the_official_fields_in_their_order(official: Wheel) -> None:
    here = {
        name: value._names
        for name, value in vars(_structures).items()
        if isinstance(value, type) and issubclass(value, _structures.Structure) and value is not _structures.Structure
    }
    assert here == official.structures()
    assert sum(len(names) for names in here.values()) > 250


def test_every_word_of_an_error_is_the_wheels_own(official: Wheel) -> None:
    source = "\n".join((HERE / "standin/MetaTrader5" / name).read_text() for name in ("_core.py", "_wire.py"))
    named = re.findall(r'_invalid\("([^"]+)"\)', source)
    refused = [f'Invalid "{name}" argument' for name in _core._REQUEST]
    from MetaTrader5._wire import WORDS

    # These two are put together with the system's own words.
    spoken = [words for code, words in WORDS.items() if code != -10003]
    assert len(named) > 5
    for words in {*named, *refused, *spoken}:
        assert official.has_text(words), words


def test_a_structure_is_what_a_struct_sequence_is() -> None:
    tick = standin.Tick((1, 2.0, 3.0, 4.0, 5, 6, 7, 8.0))
    assert isinstance(tick, tuple)
    assert (tick[1], tick.bid, tick._asdict()["bid"], len(tick)) == (2.0, 2.0, 2.0, 8)
    assert repr(tick) == ("Tick(time=1, bid=2.0, ask=3.0, last=4.0, volume=5, time_msc=6, flags=7, volume_real=8.0)")
    with pytest.raises(AttributeError):
        tick.bid = 3.0
    with pytest.raises(TypeError):
        standin.Tick((1, 2))


REQUEST: dict[str, Any] = {"action": 1, "symbol": "WINZ26", "volume": 1.0, "type": 0, "price": 128000.0}


@pytest.mark.parametrize(
    ("item", "refused"),
    [
        ({"volume": 1}, "volume"),
        ({"price": 128000}, "price"),
        ({"sl": "127000"}, "sl"),
        ({"tp": None}, "tp"),
        ({"action": 1.0}, "action"),
        ({"magic": -1}, "magic"),
        ({"magic": 2**64}, "magic"),
        ({"magic": "1"}, "magic"),
        ({"deviation": 2.5}, "deviation"),
        ({"type": None}, "type"),
        ({"expiration": datetime(2026, 1, 1, tzinfo=timezone.utc)}, "expiration"),
        ({"comment": "x" * 30}, "comment"),
        ({"comment": None}, "comment"),
        ({"symbol": "S" * 30}, "symbol"),
        ({"position": 1.0}, "position"),
    ],
)
def test_a_wrong_item_of_a_request_is_refused_before_anything_is_sent(item: dict[str, Any], refused: str) -> None:
    assert standin.order_send({**REQUEST, **item}) is None
    assert standin.last_error() == (-2, f'Invalid "{refused}" argument')


def test_a_request_is_checked_before_the_line_to_the_terminal_is() -> None:
    standin.shutdown()
    assert standin.order_send({**REQUEST, "comment": "x" * 29, "magic": 2**63 - 1}) is None
    assert standin.last_error() == (-10004, "No IPC connection")


def test_wrong_ways_to_call_are_refused_in_the_wheels_words() -> None:
    for call, words in (
        (lambda: standin.order_send(), "Invalid number of arguments"),
        (lambda: standin.order_send([1]), "Invalid arguments"),
        (lambda: standin.order_send(REQUEST, action=1), "Unnamed arguments not allowed"),
        (lambda: standin.positions_get("WINZ26"), "Unnamed arguments not allowed"),
        (lambda: standin.positions_get(ticket="1"), 'Invalid "ticket" argument'),
        (lambda: standin.history_deals_get(1), "Invalid arguments"),
        (lambda: standin.history_deals_get("a", "b"), "Invalid arguments"),
        (lambda: standin.symbol_info(), "Invalid arguments"),
        (lambda: standin.symbol_info(7), "Invalid arguments"),
    ):
        assert call() is None
        assert standin.last_error() == (-2, words)


def test_without_a_terminal_initialize_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PONTE_STANDIN_TERMINAL", "http://127.0.0.1:9")
    assert standin.initialize() is False
    assert standin.last_error()[0] == -10003
    assert standin.terminal_info() is None
    assert standin.last_error() == (-10004, "No IPC connection")
