"""What the Python scripts share: named steps that are counted, and the test exchange's administration."""

import json
import sys
import urllib.request
from contextlib import contextmanager
from decimal import Decimal


def arguments():
    """The exchange's address, an API key and its secret."""
    url, key, secret = sys.argv[1:4]
    return url, key, secret


@contextmanager
def step(name):
    """One thing that a client must be able to do. The runner counts the lines that begin with ok."""
    try:
        yield
    except BaseException:
        print(f"FAILED {name}", flush=True)
        raise
    print(f"ok {name}", flush=True)


def equal(got, wanted, what=""):
    """Holds a value against what it must be; numbers by their value."""
    if isinstance(wanted, (int, float, Decimal)) and not isinstance(wanted, bool):
        got = Decimal(str(got))
        wanted = Decimal(str(wanted))
    assert got == wanted, f"{what} is {got!r}, not {wanted!r}"


def refused(error, action, word):
    """The action must be refused with that error, in words that contain that word."""
    try:
        answer = action()
    except error as problem:
        assert word in str(problem), f"{word!r} is not in {problem}"
        return
    raise AssertionError(f"expected a refusal with {word!r}, got {answer!r}")


def move(url, symbol, price):
    """Moves the market."""
    body = json.dumps({"symbol": symbol, "price": str(price)}).encode()
    with urllib.request.urlopen(f"{url}/admin/ticks", body) as answer:
        assert answer.status == 200


def audit(url, key):
    """What the exchange knows of the account, past every client."""
    with urllib.request.urlopen(f"{url}/admin/audit?key={key}") as answer:
        return json.load(answer)
