"""The beginning of each of the scripts that ask an app for its routes: how it is loaded, and how it answers.

It runs in the user's Python, as `python -c` with MODULE[:APP] as its argument, in the app's folder. One line of
JSON goes to what was stdout: {"routes", "notes", "declared"} or {"failed", "trace"}. What the app itself prints goes
to stderr, so that it cannot be taken for the answer. Nothing here is newer than Python 3.8.

A route is {"name", "methods", "parts"}: its name as the framework writes it, its methods or null, and what its path
is made of. A part is {"text"}, {"written", "name"} (a parameter as the framework spells it), {"name", "regex"} (a
converter of the app's own), {"name", "any"} or {"expression", "ends"} (a regular expression with groups). A route that
cannot be said is {"name", "why"}.
"""

import ast
import importlib
import json
import os
import re
import sys
import traceback

ANSWER = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
# An empty entry is the folder in which it runs, which the app may leave.
sys.path[0:1] = [os.getcwd()]


class Failed(Exception):
    """What is told instead of routes."""


def load(spec, names, is_app, is_main=None):
    """The app that MODULE[:APP] names; without a name one of `names`, or the only main one that there is."""
    module_name, _, name = spec.partition(":")
    module = importlib.import_module(module_name)
    if name:
        return named(module, name, is_app)
    for name in names:
        if is_app(getattr(module, name, None)):
            return getattr(module, name)
    apps = {key: value for key, value in vars(module).items() if (is_main or is_app)(value)}
    if len(set(map(id, apps.values()))) == 1:
        return list(apps.values())[0]
    if apps:
        raise Failed("%s has several apps: %s. Name one, %s:%s" % (module_name, ", ".join(apps), module_name, list(apps)[0]))
    for name in ("create_app", "make_app"):
        if callable(getattr(module, name, None)):
            return made(getattr(module, name), (), {}, name, is_app)
    raise Failed("%s has no app called %s. Name it, %s:NAME" % (module_name, " or ".join(names), module_name))


def named(module, name, is_app):
    """An attribute, which may be in an object of the module, or a call of one as gunicorn takes it."""
    call = re.fullmatch(r"([\w.]+)(\(.*\))?", name, re.S)
    if not call:
        raise Failed("%r is no name of an app. Write MODULE:NAME or MODULE:NAME()" % name)
    found = module
    for part in call[1].split("."):
        if not hasattr(found, part):
            raise Failed("%s has no %s" % (module.__name__, call[1]))
        found = getattr(found, part)
    if call[2]:
        try:
            tree = ast.parse("f" + call[2], mode="eval").body
            arguments = [ast.literal_eval(it) for it in tree.args]
            keywords = {it.arg: ast.literal_eval(it.value) for it in tree.keywords}
        except (SyntaxError, ValueError, AttributeError, TypeError):
            raise Failed("the arguments of %s must be plain values" % name) from None
        return made(found, arguments, keywords, call[1], is_app)
    if not is_app(found) and callable(found):
        return made(found, (), {}, call[1], is_app)
    return checked(found, call[1], is_app)


def made(factory, arguments, keywords, name, is_app):
    return checked(factory(*arguments, **keywords), name + "()", is_app)


def checked(app, name, is_app):
    if not is_app(app):
        raise Failed("%s is no app of this framework, but %s" % (name, described(app)))
    return app


def described(it):
    kind = it if isinstance(it, type) else type(it)
    return "%s.%s" % (kind.__module__, kind.__qualname__)


def answer(routes):
    """Prints what `routes` finds, or why it finds nothing, and ends at once: the app may have started threads."""
    try:
        # Out of sight of an app that reads its own arguments.
        said = routes(sys.argv.pop(1))
    except Failed as failed:
        said = {"failed": str(failed), "trace": []}
    except SystemExit as ended:
        said = {"failed": "it called sys.exit(%r) while it was loaded" % (ended.code,), "trace": trace()}
    except BaseException as error:
        said = {"failed": told(error), "trace": trace()}
    line = json.dumps(said, ensure_ascii=False).replace("\n", " ")
    # What is no Unicode, as half of a pair, becomes a question mark.
    ANSWER.write(line.encode("utf-8", "replace") + b"\n")
    ANSWER.flush()
    os._exit(0)


def told(error):
    lines = traceback.format_exception_only(type(error), error)
    return lines[-1].strip()


def trace():
    """The last of the places through which it came, without ours."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = ("<string>", "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")
    frames = [it for it in frames if it.filename not in ours and "importlib" not in it.filename]
    return ["%s:%s in %s: %s" % (it.filename, it.lineno, it.name, it.line or "") for it in frames[-4:]]
