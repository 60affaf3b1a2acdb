"""A project with every kind of pattern that Django has. It says in x-route which one it chose."""

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
    LANGUAGES=[("en", "English"), ("de", "German"), ("pt-br", "Portuguese")],
    LANGUAGE_CODE="en",
    MESSAGE_STORAGE="django.contrib.messages.storage.cookie.CookieStorage",
    MIDDLEWARE=[
        "routes_django.Name",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    ROOT_URLCONF="routes_django",
    SECRET_KEY="only for tests",
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    USE_I18N=True,
)

import django

django.setup()

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import include, path, re_path, register_converter
from django.views.static import serve


class HexConverter:
    regex = "[0-9a-f]{12}"

    def to_python(self, value):
        return value

    def to_url(self, value):
        return value


register_converter(HexConverter, "hexid")


def view(request, *_, **__):
    return HttpResponse()


class Name:
    """Middleware that adds what Django takes for the route."""

    def __init__(self, below):
        self.below = below

    def __call__(self, request):
        response = self.below(request)
        if request.resolver_match is not None:
            response.headers["x-route"] = request.resolver_match.route or "/"
        return response


def paths(*templates):
    return [path(template, view) for template in templates]


articles = [
    *paths("", "2003/", "<int:year>/", "<int:year>/<int:month>/<slug:slug>/"),
    re_path(r"^(?P<year>[0-9]{4})/(?P<month>[0-9]{2})/$", view),
    re_path(r"^archive/(\d+)/$", view),
    re_path(r"^page(?:-(?P<page>\d+))?/$", view),
    re_path(r"^feeds/(?P<format>rss|atom)/?$", view),
]

urlpatterns = [
    path("admin/", admin.site.urls),
    *paths("", "about/", "robots.txt", "orders/<hexid:order>/", "keys/<uuid:key>", "users/<str:name>/"),
    path("articles/", include(articles)),
    re_path(r"^legacy/", include([*paths("<int:pk>/"), re_path(r"^(?P<slug>[\w-]+)\.html$", view)])),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": "."}),
    re_path(r"^api/(?P<version>v1|v2)/", include(paths("users/", "users/<int:pk>.json"))),
    path("files/<path:name>/meta/", view),
    path("files/<path:name>", view),
    path("tenants/<slug:tenant>/", include(paths("", "settings/"))),
    *i18n_patterns(
        path("contact/", view),
        path("shop/", include(paths("", "<slug:item>/"))),
        re_path(r"^terms/(?P<edition>\d+)/$", view),
        prefix_default_language=False,
    ),
    path("pages/<slug:page>/", view),
]

# Behind the middleware and the patterns, which it looks up.
app = get_wsgi_application()
