"""An exchange of things on FastAPI: the routes that its developers would write, and what it chooses.

The whole application answers every probe, mounts and included routers and FastAPI's own pages too;
which route it chose is what it leaves behind in the ASGI scope.
"""

import asyncio
from urllib.parse import quote, unquote

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.routing import Match, Mount, Route, compile_path

import protocol

# How often a request may be redirected until it counts as failed.
REDIRECTS = 5


def endpoint():
    """Another function each time, so that it tells its route."""

    async def answer(request: Request):
        return PlainTextResponse("")

    return answer


def add(router, *routes):
    """Adds routes as FastAPI's decorators do: "GET,POST /orders"."""
    for route in routes:
        methods, path = route.split(" ", 1)
        # The schema would warn of equal operation IDs, for all our endpoints have one name.
        router.add_api_route(path, endpoint(), methods=methods.split(","), include_in_schema=False)


def plain(*paths):
    """Starlette's own routes, which take GET and HEAD."""
    return [Route(path, endpoint()) for path in paths]


async def plain_app(scope, receive, send):
    await PlainTextResponse("")(scope, receive, send)


app = FastAPI()
add(app, "GET /", "GET /health", "GET /users/me", "GET /users/{user:int}", "GET /users/{user}", "POST /users")
add(app, "PUT,PATCH /users/{user}", "DELETE /users/{user:int}", "GET /users/{user}/posts/{post:int}")
add(app, "GET /users/{user}/posts/latest", "GET /things/", "POST /things", "GET /things/{thing}/")
add(app, "GET /items/{item:int}", "GET /items/{item:float}", "GET /items/{item:uuid}", "GET /items/{slug:str}")
# Never reached by GET, for the one above takes it.
add(app, "GET /items/special", "POST /items/{item:int}:cancel", "POST /items/{item}:archive")
add(app, "GET /files/{name}.json", "GET /files/{name}.{kind}", "GET /files/{name}", "GET /files/{folder}/{name:path}")
add(app, "GET /repos/{repo:path}/blob/{sha}", "GET /repos/{repo:path}/commits", "GET /repos/{repo:path}")
add(app, "GET /raw/{name:path}.zip", "GET /raw/{name:path}", "DELETE /raw/{name:path}/", "GET /v{major:int}/status")
add(app, "GET /v1/status", "GET /@{handle}", "GET /@{handle}/followers", "GET /compare/{base}...{head}")
add(app, "GET /range/{low:int}-{high:int}", "GET /range/{name}", "GET /geo/{lat:float},{lon:float}")
add(app, "GET /tiles/{z:int}/{x:int}/{y:int}.png", "GET /search", "HEAD /search", "GET,POST /form")
add(app, "GET /caf\u00e9/{dish}", "GET /keys/{key:uuid}.pem", "GET /bulk/{first:uuid}{second:uuid}")

orders = APIRouter(prefix="/orders")
add(orders, "GET ", "POST ", "GET /{order:uuid}", "GET /{order}", "GET /search", "POST /{order}/items/{n:int}")
teams = APIRouter()
# As for a preflight: a path that only this takes is no longer redirected to one with a slash.
add(teams, "OPTIONS /v1/{anything:path}", "GET /teams/{team}/members/{member:int}", "GET /teams/{team}/members/", "GET /teams/{team:path}")
teams.include_router(orders, prefix="/v1")
app.include_router(teams, prefix="/api")

admin = Starlette(routes=plain("/", "/users", "/users/{user:int}", "/users/{user}/edit/", "/logs/{day:path}/raw"))
app.mount("/admin", admin)
app.mount("/static", plain_app)
# What the mount swallows never comes here.
add(app, "GET /admin/reports", "GET /static/logo.png")
tenants = Starlette(routes=[*plain("/", "/settings"), Mount("/inner", routes=plain("/", "/{name}.txt"))])
app.mount("/tenants/{tenant}", tenants)
add(app, "GET /{page}", "GET /{page}/{section:int}")


def flattened(routes, mounts=()):
    """Pairs of an endpoint and its route as one list would hold it."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        if not isinstance(route, Mount):
            yield context.endpoint, alone(",".join(sorted(context.methods)), context.path, mounts)
        elif route.routes:
            yield from flattened(route.routes, (*mounts, route))
            yield None, alone("", "/{path:path}", (*mounts, route), swallows=True)
        else:
            yield route.app, alone("", "/{path:path}", (*mounts, route))


def alone(methods, path, mounts, **options):
    prefix = "".join(mount.path for mount in mounts)
    bare = taker(methods, path[:-1], mounts) if len(path) > 1 and path.endswith("/") else None
    return protocol.Route(f"{methods} {prefix}{path}".strip(), taker(methods, path, mounts), bare, **options)


def taker(methods, path, mounts):
    regex, _, convertors = compile_path(path)

    def takes(method, wire):
        scope = http(method, wire)
        for mount in mounts:
            match, below = mount.matches(scope)
            if match is not Match.FULL:
                return False
            scope.update(below)
        match = regex.match(get_route_path(scope))
        if not match or (methods and method not in methods.split(",")):
            return False
        try:
            return all(convertors[name].convert(value) is not None for name, value in match.groupdict().items())
        except ValueError:
            return False

    return takes


ROUTES = list(flattened(app.routes))
# By identity, for a router has no hash.
TEMPLATES = {id(endpoint): route.template for endpoint, route in ROUTES if endpoint}
LOOP = asyncio.new_event_loop()


async def ask(scope):
    """The status of the application's answer; it leaves the endpoint in the scope."""
    statuses = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


def http(method, wire):
    """The scope of a request, with the path decoded as uvicorn does."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "root_path": "",
        "path": unquote(wire),
        "raw_path": wire.encode("ascii"),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }


def choose(method, wire, redirects=0):
    scope = http(method, wire)
    try:
        status = LOOP.run_until_complete(ask(scope)) if redirects < REDIRECTS else None
    except ValueError:
        # A convertor may fail on what its own pattern takes.
        status = None
    if status is None:
        return protocol.Choice(None, wire, "failed")
    if status == 307 and unquote(wire).endswith("//"):
        return protocol.Choice(None, wire, "merged")
    if status == 307:
        return choose(method, redirected(wire), redirects + 1)
    if status == 405:
        return protocol.Choice(None, wire, "method")
    note = "slash" if redirects else None
    return protocol.Choice(TEMPLATES.get(id(scope.get("endpoint"))), wire, note)


def redirected(wire):
    """Where Starlette's redirect leads: it takes the slash off the end, or puts one there."""
    path = unquote(wire)
    return quote(path.removesuffix("/") if path.endswith("/") else path + "/")


if __name__ == "__main__":
    protocol.serve([route for _, route in ROUTES], choose)
