"""A shop that logs, with the standard library and with structlog. It knows of no ID.

`app` is for WSGI, `asgi` for ASGI. Its views are the same for both, and none is asynchronous.
"""

import logging
import time

import structlog
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="only for tests")


def index(request):
    return JsonResponse({})


def order(request, name):
    time.sleep(0.01)
    logging.getLogger("shop").info("order %s", name)
    structlog.get_logger().info("order", name=name)
    return JsonResponse({})


def parts(request, name):
    def made():
        for part in "ab":
            logging.getLogger("shop").info("order %s", name)
            yield part

    return StreamingHttpResponse(made())


def boom(request, name):
    raise RuntimeError(name)


urlpatterns = [
    path("", index),
    path("orders/<name>", order),
    path("parts/<name>", parts),
    path("boom/<name>", boom),
]

app = get_wsgi_application()
asgi = get_asgi_application()
