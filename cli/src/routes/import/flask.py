"""The rules of a Flask app, in the order of their registration. Which one wins is for their weights."""

PARAMETER = re.compile(r"<(?:([a-zA-Z_][a-zA-Z0-9_]*)(?:\((.*?)\))?:)?([a-zA-Z_][a-zA-Z0-9_]*)>")


def is_flask(it):
    from flask import Flask

    try:
        return isinstance(it, Flask) or (is_dispatcher(it) and callable(it))
    except Exception:
        # A proxy without an object behind it, as flask.request is one.
        return False


def is_dispatcher(it):
    return isinstance(getattr(it, "mounts", None), dict) and hasattr(it, "app")


def flask_routes(spec):
    seen = Seen()
    seen.walk(load(spec, ("app", "application"), is_flask), "")
    return {"routes": seen.routes, "notes": seen.notes, "declared": False}


class Seen:
    """What was found so far."""

    def __init__(self):
        self.routes = []
        self.notes = []
        self.dispatchers = set()

    def walk(self, app, prefix):
        """All routes of an app, and of what is mounted beside it, below a prefix."""
        for dispatcher in dispatchers(app):
            if id(dispatcher) in self.dispatchers:
                continue
            self.dispatchers.add(id(dispatcher))
            for path, mounted in dispatcher.mounts.items():
                self.mounted(mounted, prefix + "/" + path.strip("/"))
        app = flask_within(app)
        if app is None:
            self.skip(prefix + "/", "what is there is no Flask app")
            return
        root = app.config.get("APPLICATION_ROOT") or "/"
        if root != "/" and not prefix:
            self.notes.append(
                "APPLICATION_ROOT is %s: if it stands in front of the paths where Envoy sees them, add --prefix %s"
                % (root, root)
            )
        for rule in app.url_map.iter_rules():
            self.rule(app, rule, prefix)

    def mounted(self, app, prefix):
        if is_flask(app) or flask_within(app) is not None:
            self.walk(app, prefix)
        else:
            self.skip(prefix, "what is mounted there is no Flask app, but %s" % described(app))

    def rule(self, app, rule, prefix):
        name = prefix + rule.rule
        if rule.build_only:
            self.skip(name, "it only builds URLs, and matches none")
            return
        place = rule.host if app.url_map.host_matching else rule.subdomain
        if place:
            kind = "host" if app.url_map.host_matching else "subdomain"
            self.notes.append("%s is for the %s %s only, which is no part of a template" % (name, kind, place))
        methods = sorted(rule.methods) if rule.methods else (["GET"] if rule.websocket else None)
        parts = [{"text": prefix}] if prefix else []
        self.routes.append({"name": name, "methods": methods, "parts": parts + list(pieces(app, rule))})

    def skip(self, name, why):
        self.routes.append({"name": name, "why": why})


def pieces(app, rule):
    end = 0
    for found in PARAMETER.finditer(rule.rule):
        if found.start() > end:
            yield {"text": rule.rule[end : found.start()]}
        yield parameter(app, rule, found)
        end = found.end()
    if end < len(rule.rule):
        yield {"text": rule.rule[end:]}


def parameter(app, rule, found):
    from werkzeug.routing.converters import DEFAULT_CONVERTERS

    converter, name = found[1] or "default", found[3]
    if app.url_map.converters.get(converter) is DEFAULT_CONVERTERS.get(converter):
        return {"written": found[0], "name": name}
    return {"name": name, "regex": rule._converters[name].regex}


def around(app):
    """The app, and what it calls on the way to its routes."""
    for _ in range(20):
        yield app
        app = getattr(app, "wsgi_app", None) or getattr(app, "app", None)
        app = getattr(app, "__self__", app)
        if app is None:
            return


def flask_within(app):
    from flask import Flask

    return next((it for it in around(app) if isinstance(it, Flask)), None)


def dispatchers(app):
    return [it for it in around(app) if is_dispatcher(it)]


answer(flask_routes)
