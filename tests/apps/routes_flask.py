"""An app with every kind of rule that Flask has. It says in x-route which one it chose."""

from flask import Blueprint, Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import BaseConverter, UnicodeConverter


class PartConverter(BaseConverter):
    regex = r"[A-Z]{2}-\d+"


class ListConverter(BaseConverter):
    """Only its values differ, and not what it takes."""

    def to_python(self, value):
        return value.split("+")


class DayConverter(BaseConverter):
    regex = r"\d{4}/\d{2}/\d{2}"


class WordConverter(UnicodeConverter):
    """Its expression is made of its arguments."""


def add(target, *rules, **options):
    """Adds rules, each perhaps with methods in front: "GET,POST /orders"."""
    for rule in rules:
        methods, slash, path = rule.partition("/")
        options["methods"] = methods.strip().split(",") if methods else None
        endpoint = "".join(it if it.isalnum() else "_%x_" % ord(it) for it in rule)
        target.add_url_rule(slash + path, endpoint, view, **options)


def view(**_):
    return ""


def name(response):
    if request.url_rule is not None:
        response.headers["x-route"] = request.script_root + request.url_rule.rule
    return response


flask = Flask(__name__)
flask.url_map.converters.update(part=PartConverter, list=ListConverter, day=DayConverter, word=WordConverter)
add(flask, "/", "/about/", "/users/<name>", "/users/<int:user_id>", "/users/me", "POST /users")
add(flask, "PUT,PATCH /users/<uuid:user_id>", "/prices/<float:price>", "/deltas/<float(signed=True):by>")
add(flask, "/lang/<string(length=2):lang>", "/help/<any(faq, 'terms of use'):topic>", "/wiki/<path:page>/edit")
add(flask, "/wiki/<path:page>", "/month/<int(min=1, max=12):month>", "/parts/<part:number>", "/parts/<number>")
add(flask, "/tags/<list:tags>", "/days/<day:day>/news", "/words/<word(length=3):word>", "/export/<name>.json")
add(flask, "/tiles/<int:z>/<int:x>/<int:y>.png", "POST /items/<item>:cancel", "/caf\u00e9/<dish>")

items = Blueprint("items", __name__, url_prefix="/items")
add(items, "/", "POST /", "/<int:item>", "DELETE /<int:item>", "/<int:item>/reviews/")
shop = Blueprint("shop", __name__, url_prefix="/shop/<tenant>")
add(shop, "/", "/cart/<uuid:line>")
shop.register_blueprint(items)
flask.register_blueprint(shop)
flask.register_blueprint(Blueprint("assets", __name__, url_prefix="/assets", static_folder=".", static_url_path="/files"))

admin = Flask("admin", static_folder=None)
add(admin, "/", "/users/<int:user_id>/")
for each in (flask, admin):
    each.after_request(name)
flask.wsgi_app = DispatcherMiddleware(flask.wsgi_app, {"/admin": admin})


def create_app(config=None):
    assert config in (None, "test")
    return flask


app = flask
