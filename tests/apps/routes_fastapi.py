"""An app with every kind of route that FastAPI and Starlette have. It says in x-route which one it chose."""

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from fastapi.telemetry import _api
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles


class PartConvertor(Convertor):
    regex = r"[A-Z]{2}-\d+"

    def convert(self, value):
        return value

    def to_string(self, value):
        return value


register_url_convertor("part", PartConvertor())


def answer():
    async def answered():
        return PlainTextResponse("")

    return answered


def add(router, *routes):
    """As FastAPI's decorators do: "GET,POST /orders"."""
    for route in routes:
        methods, _, path = route.partition(" ")
        router.add_api_route(path, answer(), methods=methods.split(","))


async def plain(request):
    return PlainTextResponse("")


async def raw(scope, receive, send):
    await PlainTextResponse("")(scope, receive, send)


api = FastAPI()
add(api, "GET /", "GET /users/me", "GET /users/{user_id:int}", "GET /users/{user_id}", "POST /users")
add(api, "PUT,PATCH /users/{user_id}", "DELETE /users/{user_id:uuid}", "GET /prices/{price:float}")
add(api, "GET /parts/{number:part}", "GET /parts/{number}", "GET /reports/{year}.csv", "GET /@{handle}")
add(api, "GET /files/{path:path}", "GET /repos/{repo:path}/blob/{sha}", "POST /items/{item}:cancel", "GET /things/")


@api.get("/counts/{number}")
async def count(number: int):
    return number


orders = APIRouter(prefix="/orders")
add(orders, "GET ", "GET /{order_id:uuid}", "GET /{order_id}/items/{number:int}", "HEAD /probe")
orders.mount("/labels", StaticFiles(directory="."))
v1 = APIRouter()
v1.include_router(orders, prefix="/v1")
api.include_router(v1, prefix="/api")

admin = FastAPI()
add(admin, "GET /", "GET /users/{name}", "DELETE /users/{name}")
reports = FastAPI()
add(reports, "GET /{year:int}/{month:int}")
admin.mount("/reports", reports)
api.mount("/admin", admin)
api.mount("/tenants/{tenant}", Starlette(routes=[Route("/", plain), Route("/settings", plain)]))
api.mount("/deep", Starlette(routes=[Mount("/{level}", routes=[Route("/{level}.txt", plain)])]))
api.mount("/static", StaticFiles(directory="."))
api.mount("/raw", raw)
add(api, "GET /{page}", "GET /{page}/{section:int}")


async def app(scope, receive, send):
    """Adds what FastAPI takes for the route, and behind a mount what Starlette does."""
    if scope["type"] != "http":
        return await api(scope, receive, send)
    seen = scope["fastapi.telemetry"] = _api._RequestTelemetry(span=None, span_method=scope["method"])

    async def sent(message):
        # Of a mount within Starlette's own nobody says the prefix.
        is_said = seen.route and not seen.route.startswith("/deep/")
        if message["type"] == "http.response.start" and message["status"] < 300 and is_said:
            route, inner = seen.route, scope.get("route")
            if seen._mount_prefix and isinstance(inner, Route) and not isinstance(inner, APIRoute):
                route = seen._mount_prefix + inner.path_format
            message["headers"].append((b"x-route", route.encode("utf-8")))
        await send(message)

    await api(scope, receive, sent)


app.routes = api.routes
app.router = api.router
