"""A shop on Flask: the rules that its developers would write, and what Flask chooses.

Werkzeug tries rules by weight and not in the order of their registration. `by_weight` puts them into
that order; the protocol checks for every probe that the order is true.
"""

from functools import lru_cache
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule, ValidationError

import protocol

# How often a request may be redirected until it counts as failed.
REDIRECTS = 5


def add(target, *rules, **options):
    """Adds rules, each perhaps with methods in front: "GET,POST /orders"."""
    for rule in rules:
        methods, slash, path = rule.partition("/")
        options["methods"] = methods.strip().split(",") if methods else None
        endpoint = "".join(it if it.isalnum() else "_%x_" % ord(it) for it in rule)
        target.add_url_rule(slash + path, endpoint, view, **options)


def view(**_):
    return ""


# Deliberately not in the order of their weights.
app = Flask(__name__)
add(app, "/<page>", "/", "/about", "/about/team/", "/health", "/@<user>", "/@<user>/followers")
add(app, "/users/<name>", "/users/<int:user_id>", "/users/me", "POST /users/", "GET /users")
add(app, "PUT,PATCH /users/<int:user_id>", "DELETE /users/<uuid:user_id>", "/users/<name>/posts/<int:post>")
add(app, "/files/<path:name>", "/files/<path:name>.zip", "/files/<path:name>/meta", "/files/readme")
add(app, "/wiki/<path:page>/edit/", "/wiki/<path:page>/", "/wiki/")
add(app, "/export/<name>.json", "/export/<name>.<kind>", "/export/<name>", "/export/all.json")
add(app, "/compare/<base>...<head>", "/range/<int:low>-<int:high>", "/range/<name>")
add(app, "/lang/<string(length=2):lang>", "/lang/<string(minlength=3, maxlength=5):lang>")
add(app, "/help/<any(faq, contact, 'terms of use'):topic>", "/help/<any(faq, shipping):topic>/more")
add(app, "/month/<int(min=1, max=12):month>", "/year/<int(fixed_digits=4):year>", "/offset/<int(signed=True):by>")
add(app, "/price/<float:price>", "/price/<int:price>", "/delta/<float(signed=True):by>", "/share/<float(max=1.0):part>")
# Where a converter refuses a value, Werkzeug looks no further.
add(app, "/rank/<int(max=100):rank>", "/rank/<name>")
add(app, "/keys/<uuid:key>", "/keys/<name>", "/keys/<uuid:key>.pem")
# Werkzeug gives both the same weight, so that here the first registered counts.
add(app, "/codes/<code>", "/codes/<uuid:code>", "/codes/<any(new, old):code>")
add(app, "/v<int:version>/status", "/v1/status", "/tiles/<int:z>/<int:x>/<int:y>.png")
add(app, "/loose", "/loose/<int:n>", "/loose/<int:n>/items/", strict_slashes=False)
add(app, "/<int:year>/<int:month>/<title>", "/<int:year>/<int:month>/", "/<section>/<int:n>/<title>")
add(app, "/caf\u00e9/<dish>", "/<path:anything>/raw", "OPTIONS /any/<path:anything>")

items = Blueprint("items", __name__, url_prefix="/items")
add(items, "/", "POST /", "/<int:item>", "DELETE,PUT /<int:item>", "/<int:item>/reviews/", "/<slug>/")
add(items, "POST /<int:item>:cancel", "POST /<item>:archive")
shop = Blueprint("shop", __name__, url_prefix="/shop/<tenant>")
add(shop, "/", "/cart", "/cart/<uuid:line>", "/<path:rest>/history")
shop.register_blueprint(items)
app.register_blueprint(items, name="all_items", url_prefix="/api/items")
app.register_blueprint(shop)


def by_weight(state):
    """All rules below a state of Werkzeug's machine in the order in which it comes to them."""
    yield from state.rules
    for below in state.static.values():
        yield from by_weight(below)
    for _, below in state.dynamic:
        yield from by_weight(below)


def spelt(rule):
    return f"{','.join(sorted(rule.methods))} {rule.rule}"


def alone(rule):
    bare = taker(rule, rule.rule[:-1]) if len(rule.rule) > 1 and rule.rule.endswith("/") else None
    return protocol.Route(spelt(rule), taker(rule, rule.rule), bare)


def taker(rule, path):
    again = Rule(path, methods=rule.methods, endpoint=rule.endpoint, strict_slashes=rule.strict_slashes)
    # Bound once and asked with the path only: every rule is asked for every probe.
    adapter = Map([again]).bind("localhost")

    def takes(method, wire):
        try:
            adapter.match(path_info(wire), method)
            return not begins_with_slashes(wire)
        except (MethodNotAllowed, NotFound, RequestRedirect):
            return False

    return takes


def begins_with_slashes(wire):
    """Werkzeug drops all but one of them without a redirect."""
    return unquote(wire).startswith("//")


def choose(method, wire, redirects=0):
    if redirects > REDIRECTS:
        return protocol.Choice(None, wire, "failed")
    if begins_with_slashes(wire):
        return protocol.Choice(None, wire, "merged")
    try:
        adapter = app.create_url_adapter(app.request_class(protocol.environ(method, wire)))
        rule, _ = adapter.match(return_rule=True)
        if rule.rule.endswith("/") and not rule.strict_slashes and unquote(wire).endswith("//"):
            return protocol.Choice(None, wire, "merged")
        return protocol.Choice(spelt(rule), wire, "slash" if redirects else None)
    except RequestRedirect as redirect:
        target = urlsplit(redirect.new_url).path
        slashed = path_info(target) == path_info(wire) + "/"
        return choose(method, target, redirects + 1) if slashed else protocol.Choice(None, wire, "merged")
    except MethodNotAllowed as found:
        return protocol.Choice(None, wire, "refused" if refused(found) else "method")
    except NotFound as found:
        return protocol.Choice(None, wire, "refused" if refused(found) else None)


def refused(answer):
    """Whether a route had been chosen, and then its converter said no."""
    return isinstance(getattr(answer.__context__, "__cause__", None), ValidationError)


@lru_cache(maxsize=16)
def path_info(wire):
    """As Werkzeug sees it, broken characters already replaced: so does a redirect spell it."""
    return app.request_class(protocol.environ("GET", wire)).path


if __name__ == "__main__":
    app.url_map.update()
    rules = by_weight(app.url_map._matcher._root)
    protocol.serve([alone(rule) for rule in rules], choose)
