"""The routes of a FastAPI or Starlette app, in the order in which it tries them."""

PARAMETER = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)(?::([a-zA-Z_][a-zA-Z0-9_]*))?}")
# How far into middleware an app is looked for.
DEEPEST = 20


def is_asgi(it):
    try:
        return callable(it) and not isinstance(it, type) and app_within(it) is not None
    except Exception:
        # A proxy without an object behind it, as some modules have them.
        return False


def is_main(it):
    """Not a router, which modules have beside their app."""
    from starlette.routing import Router

    return is_asgi(it) and not isinstance(it, Router)


def app_within(app):
    """An app with routes, or the one that middleware is around."""
    for _ in range(DEEPEST):
        if isinstance(getattr(app, "routes", None), list):
            return app
        # Sockets keep it as `other_asgi_app`, most middleware as `app`.
        app = getattr(app, "app", None) or getattr(app, "other_asgi_app", None)
    return None


def fastapi_routes(spec):
    from starlette import routing

    app = load(spec, ("app", "application"), is_asgi, is_main)
    seen = Seen(routing)
    inner = app_within(app)
    seen.walk(inner, "", 0)
    prefix = (getattr(inner, "root_path", "") or "").rstrip("/")
    routes = seen.routes
    if prefix:
        seen.notes.append(
            "root_path is %s: each route is there with it and without it, as the app takes both. "
            "With --prefix there is only the one that you say" % prefix
        )
    return {"routes": routes, "notes": seen.notes, "declared": True, "both": prefix}


class Seen:
    """What was found so far."""

    def __init__(self, routing):
        self.routing = routing
        self.routes = []
        self.notes = []
        self.convertors = built_in(routing)

    def walk(self, app, prefix, depth):
        """All routes of an app below a prefix."""
        if depth > DEEPEST:
            self.skip(prefix, "mounts are nested more than %d times" % DEEPEST)
            return
        for route in expanded(getattr(app, "routes", [])):
            self.route(route, prefix, depth)
        router = getattr(app, "router", app)
        files = [it for low in low_priority(router) for it in self.files(low, prefix)]
        # By the longest path first, as FastAPI does.
        for path in sorted(files, key=len, reverse=True):
            self.add(path + "/{path:path}", ["GET"])

    def route(self, route, prefix, depth):
        path = getattr(route, "path", None)
        if isinstance(route, self.routing.Host):
            self.notes.append("the routes of host %s: the host is no part of a template" % route.host)
            self.walk(app_within(route.app) or route.app, prefix, depth + 1)
        elif isinstance(route, self.routing.Mount):
            self.mount(route, prefix + path, depth)
        elif isinstance(route, self.routing.WebSocketRoute):
            self.add(prefix + path, ["GET"])
        elif isinstance(path, str):
            methods = getattr(route, "methods", None)
            self.add(prefix + path, sorted(methods) if methods else None)
        else:
            self.skip(prefix or "/", "%s tells no path" % described(route))

    def mount(self, mount, prefix, depth):
        inner = app_within(getattr(mount, "_base_app", mount.app))
        if inner is not None:
            self.walk(inner, prefix, depth + 1)
            return
        if "StaticFiles" not in described(mount.app):
            self.notes.append(
                "%s is one route: what is mounted there, %s, tells none of its own"
                % (PARAMETER.sub(r"{\1}", prefix) + "/{path}", described(mount.app))
            )
        self.add(prefix + "/{path:path}", None)

    def files(self, low, prefix):
        """Where FastAPI looks for files when no route matches."""
        group = getattr(getattr(low, "original_route", low), "routes", None)
        if isinstance(group, list):
            prefix += getattr(low, "frontend_prefix", "")
            return [prefix + it.path.rstrip("/") for it in group]
        self.skip(prefix or "/", "%s tells no path" % described(low))
        return []

    def add(self, path, methods):
        parts, end = [], 0
        for found in PARAMETER.finditer(path):
            if found.start() > end:
                parts.append({"text": path[end : found.start()]})
            parts.append(self.parameter(found))
            end = found.end()
        if end < len(path):
            parts.append({"text": path[end:]})
        # As Starlette's path_format, FastAPI's own spans and its OpenAPI document say it, without the converters.
        self.routes.append({"name": PARAMETER.sub(r"{\1}", path), "methods": methods, "parts": parts})

    def parameter(self, found):
        name, convertor = found[1], found[2] or "str"
        registered = self.convertors[0].get(convertor)
        if registered is None or type(registered) is self.convertors[1].get(convertor):
            return {"written": found[0], "name": name}
        return {"name": name, "regex": registered.regex}

    def skip(self, name, why):
        self.routes.append({"name": name, "why": why})


def built_in(routing):
    """The convertors of the app, and the classes of Starlette's own."""
    from starlette import convertors

    own = {
        "str": convertors.StringConvertor,
        "path": convertors.PathConvertor,
        "int": convertors.IntegerConvertor,
        "float": convertors.FloatConvertor,
        "uuid": getattr(convertors, "UUIDConvertor", None),
    }
    return convertors.CONVERTOR_TYPES, own


def expanded(routes):
    """Newer FastAPI keeps included routers as they are; older copied their routes."""
    try:
        from fastapi.routing import iter_route_contexts
    except ImportError:
        return list(routes)
    # Where a router was included, this is the route with its prefix.
    return [getattr(it, "_effective_route", it.original_route) for it in iter_route_contexts(routes)]


def low_priority(router):
    found = getattr(router, "_iter_low_priority_routes", None)
    return list(found()) if callable(found) else []


answer(fastapi_routes)
