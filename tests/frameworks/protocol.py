"""How the three route sets talk with the test that asks them, and what all three must hold to.

First every route goes out as one JSON line, in the order in which the framework tries them, and an
empty line behind the last. Then every probe that comes in as {"method", "path", "digits"}, the path as
on the wire and the most digits of a number that Python converts (0: any), is answered with one line:

    template    of the route that the framework chooses, or null
    matching    the templates of all routes that take the probe when each stands alone
    bare        of those that would take it if the slash at their ends were not written
    note        what the framework did besides matching, or null: see NOTES

It is a lie to call the list ordered if the framework chooses another route than the first one of
the list that takes the probe, so every answer is checked for that before it goes out.
"""

import json
import sys
from dataclasses import dataclass
from typing import Callable, Optional
from urllib.parse import unquote_to_bytes

# The only things that a framework may do besides taking the first route that matches.
NOTES = {
    "slash": "redirected to the same path with or without a slash at its end",
    "method": "found routes for the path, but none of them takes the method",
    "refused": "gave up because a converter refused the value of the route that it had chosen",
    "merged": "took several slashes for one, or for none at the end",
    "failed": "failed with an error of its own",
}


@dataclass(frozen=True)
class Route:
    """One route. `takes` says for a method and a path on the wire whether it alone would match."""

    template: str
    takes: Callable[[str, str], bool]
    # The same for the route without the slash at its end, if it has one.
    bare: Optional[Callable[[str, str], bool]] = None
    # Nothing behind a mount is tried, so what it swallows without a route of its own has none.
    swallows: bool = False


@dataclass(frozen=True)
class Choice:
    """What the framework did with a probe, and the path on the wire at which it ended."""

    template: Optional[str]
    path: str
    note: Optional[str] = None


def environ(method, path):
    """The WSGI environment of a request, with the path decoded as WSGI servers do."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": sys.stdin.buffer,
    }


def serve(routes, choose):
    """Prints the routes and answers probes until there are no more."""
    templates = [route.template for route in routes]
    assert len(set(templates)) == len(templates), "two routes have one template"
    for route in routes:
        _say({"template": route.template, "swallows": route.swallows})
    print(flush=True)
    for line in sys.stdin:
        probe = json.loads(line)
        sys.set_int_max_str_digits(probe["digits"])
        _say(_answer(routes, choose, probe["method"], probe["path"]))


def _answer(routes, choose, method, path):
    choice = choose(method, path)
    assert choice.note is None or choice.note in NOTES, choice
    matching = [route for route in routes if route.takes(method, choice.path)]
    bare = [route for route in routes if route.bare and route.bare(method, path)]
    if choice.note not in ("refused", "merged", "failed"):
        first = matching[0] if matching else None
        expected = None if first is None or first.swallows else first.template
        if choice.template != expected:
            raise AssertionError(
                f"{method} {path}: the framework chose {choice.template} at {choice.path}, "
                f"but the first of the list that takes it is {expected}"
            )
    return {
        "template": choice.template,
        "matching": [route.template for route in matching if not route.swallows],
        "bare": [route.template for route in bare],
        "note": choice.note,
    }


def _say(what):
    print(json.dumps(what), flush=True)
