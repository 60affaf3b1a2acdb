"""A small shop on Django, in a single file."""

import json
import time

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import Http404, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for the demo",
)


@require_GET
def index(request):
    return JsonResponse({"hello": "world"})


@require_GET
def headers(request):
    pairs = [[name.lower(), value] for name, value in request.headers.items()]
    return JsonResponse(pairs, safe=False)


@require_GET
def user(request, user_id):
    if user_id == 404:
        raise Http404("no such user")
    return JsonResponse({"id": user_id, "name": f"user {user_id}"})


@require_GET
def boom(request):
    raise RuntimeError("boom")


@require_GET
def slow(request):
    ms = int(request.GET.get("ms", 500))
    time.sleep(ms / 1000)
    return JsonResponse({"slept_ms": ms})


@csrf_exempt
@require_POST
def create_order(request):
    order = json.loads(request.body or "{}")
    return JsonResponse(
        {"id": 1, "item": order.get("item", "tea"), "count": order.get("count", 1)},
        status=201,
    )


urlpatterns = [
    path("", index),
    path("headers", headers),
    path("users/<int:user_id>", user),
    path("boom", boom),
    path("slow", slow),
    path("orders", create_order),
]

app = get_wsgi_application()
