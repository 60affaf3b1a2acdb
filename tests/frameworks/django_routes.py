"""A newspaper on Django: the URLs that its developers would write, and what Django chooses.

Routes are Django's own `path()` and `include()`; Django resolves without regard to the method.
"""

from functools import lru_cache

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.middleware.common import CommonMiddleware
from django.urls import Resolver404, URLPattern, get_resolver, include, path

import protocol

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="only for the test")
django.setup()


def view(request, **_):
    return HttpResponse()


def paths(*templates):
    return [path(template, view) for template in templates]


articles = [
    # The order of Django's tutorial, so that the literal year comes first.
    *paths("", "2003/", "<int:year>/", "<int:year>/<int:month>/", "<int:year>/<int:month>/<slug:slug>/"),
    *paths("<slug:slug>/", "<str:title>/", "latest/", "<slug:slug>/comments/"),
    *paths("<int:year>/archive/", "<slug:slug>/comments/<int:number>/", "<int:a>-<int:b>/range/"),
]

members = paths("", "me/", "<int:pk>/", "<uuid:key>/", "<str:name>/", "<str:name>/posts/<int:pk>/")

# Nested twice, and the inner prefix has a parameter.
tenants = [
    *paths("", "settings/"),
    path("members/", include(members)),
    *paths("<path:rest>/history/", "<slug:section>/"),
]

rest_api = [
    *paths("orders", "orders/<uuid:key>", "orders/<int:pk>", "orders/<int:pk>/items", "orders/search"),
    *paths("orders/<str:reference>", "orders/<str:reference>:cancel", "users/<int:pk>.json", "users/<int:pk>"),
    *paths("tiles/<int:z>/<int:x>/<int:y>.png", "compare/<str:base>...<str:head>"),
]

urlpatterns = [
    *paths("", "about/", "robots.txt", ".well-known/<path:what>", "health"),
    path("articles/", include(articles)),
    path("api/v1/", include(rest_api)),
    path("t/<slug:tenant>/", include(tenants)),
    # Reached only by what the include above does not take.
    *paths("t/<str:tenant>/outside/", "t/special/settings/"),
    *paths("files/<path:name>.zip", "files/<path:name>/meta/", "files/<path:name>"),
    *paths("wiki/<path:page>/edit/", "wiki/<path:page>/", "wiki/"),
    *paths("@<str:user>/", "@<slug:user>/followers/", "v<int:version>/status/", "v1/status/"),
    *paths("pair/<slug:left>--<slug:right>/", "pair/<str:left>.<str:right>/", "key/<uuid:key>.pem"),
    *paths("both", "both/", "caf\u00e9/<str:dish>/", "<slug:page>/", "<slug:page>/<int:number>/"),
]


def flattened(patterns, prefix=""):
    """Depth first: Django tries an include's own URLs before it goes on behind it."""
    for pattern in patterns:
        template = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield template
        else:
            yield from flattened(pattern.url_patterns, template)


def spelt(template):
    """The root has no spelling of its own in Django."""
    return template or "/"


@lru_cache(maxsize=16)
def path_info(wire):
    return WSGIRequest(protocol.environ("GET", wire)).path_info


def alone(template):
    bare = taker(template[:-1]) if template.endswith("/") else None
    return protocol.Route(spelt(template), taker(template), bare)


def taker(template):
    pattern = path(template, view)

    def takes(_, wire):
        info = path_info(wire)
        return info.startswith("/") and pattern.resolve(info[1:]) is not None

    return takes


def choose(method, wire):
    """As Django's handler resolves, and then as its common middleware appends a slash."""
    request = WSGIRequest(protocol.environ(method, wire))
    resolver = get_resolver()
    try:
        return protocol.Choice(spelt(resolver.resolve(request.path_info).route), wire)
    except Resolver404:
        if not CommonMiddleware(view).should_redirect_with_slash(request):
            return protocol.Choice(None, wire)
    chosen = resolver.resolve(request.path_info + "/")
    return protocol.Choice(spelt(chosen.route), wire + "/", "slash")


if __name__ == "__main__":
    protocol.serve([alone(template) for template in flattened(urlpatterns)], choose)
