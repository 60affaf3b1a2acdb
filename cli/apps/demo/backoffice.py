"""The back office of a small tea shop, on Django in a single file: invoices, reports, staff pages."""

import random
import statistics
import time
import uuid

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse, HttpResponseForbidden, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path, register_converter
from django.views.decorators.http import require_GET, require_http_methods, require_POST

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for the demo",
    USE_TZ=True,
)

LAST_INVOICE = 90_000
dice = random.Random(3)


class Quarter:
    """2026-q3, as accountants write it."""

    regex = "[0-9]{4}-q[1-4]"

    def to_python(self, value):
        year, quarter = value.split("-q")
        return int(year), int(quarter)

    def to_url(self, value):
        return "{}-q{}".format(*value)


register_converter(Quarter, "quarter")


def work(median_ms, spread=0.6):
    """Waits as a database would make us: mostly about so long, now and then much longer."""
    time.sleep(min(median_ms * dice.lognormvariate(0, spread), 5_000) / 1000)


def page(title):
    return HttpResponse(f"<!doctype html><title>{title}</title><h1>{title}</h1>")


def is_staff(request):
    return request.COOKIES.get("staff") == "yes"


def index(request):
    return redirect("/staff/")


def health(request):
    return JsonResponse({"ok": True})


@require_http_methods(["GET", "POST"])
def login(request):
    if request.method == "GET":
        return page("Staff: log in")
    work(40)
    answer = redirect("/staff/")
    answer.set_cookie("staff", "yes", httponly=True)
    return answer


@require_GET
def staff(request):
    work(15)
    return page("Staff") if is_staff(request) else redirect("/staff/login/")


@require_http_methods(["GET", "POST"])
def change(request, app, model, pk):
    if not is_staff(request):
        return HttpResponseForbidden("staff only")
    work(25)
    return page(f"Change {app}.{model} {pk}") if request.method == "GET" else redirect(f"/staff/{app}/{model}/")


@require_GET
def listing(request, app, model):
    if not is_staff(request):
        return HttpResponseForbidden("staff only")
    work(20)
    return page(f"All {model}")


@require_GET
def invoices(request):
    work(18)
    return JsonResponse({"last": LAST_INVOICE})


@require_GET
def invoice(request, invoice_id):
    work(9)
    if invoice_id > LAST_INVOICE:
        raise Http404("no such invoice")
    return JsonResponse({"id": invoice_id, "cents": 1990})


@require_GET
def invoice_pdf(request, invoice_id):
    work(220, spread=0.7)
    return HttpResponse(b"%PDF-1.7" + bytes(40_000), content_type="application/pdf")


@require_GET
def shared_invoice(request, public_id):
    work(8)
    return JsonResponse({"id": str(public_id)})


@require_GET
def customer(request, slug):
    work(11)
    return JsonResponse({"customer": slug})


@require_GET
def monthly(request, year, month):
    work(70, spread=0.8)
    # As reports are: nobody tried a month without a sale.
    sales = [] if month == 2 else [1990, 890, 490]
    return JsonResponse({"year": year, "month": month, "mean_cents": statistics.mean(sales)})


@require_GET
def quarterly(request, quarter):
    work(120, spread=0.8)
    return JsonResponse({"quarter": quarter})


@require_GET
def table(request, name):
    work(30)
    return StreamingHttpResponse((f"{row};{row * 890}\n" for row in range(1_000)), content_type="text/csv")


@require_GET
def document(request, year, file):
    work(14)
    return JsonResponse({"year": year, "file": file})


@require_POST
def start_job(request):
    work(10)
    return JsonResponse({"id": str(uuid.uuid4())}, status=202)


@require_http_methods(["GET", "DELETE"])
def job(request, job_id):
    work(5)
    if request.method == "DELETE":
        return JsonResponse({"error": "the job has ended"}, status=409)
    return JsonResponse({"id": str(job_id), "state": "done"})


urlpatterns = [
    path("", index),
    path("healthz", health),
    path("staff/login/", login),
    path("staff/", staff),
    path("staff/<str:app>/<str:model>/", listing),
    path("staff/<str:app>/<str:model>/<int:pk>/change/", change),
    path("invoices/", invoices),
    path("invoices/<int:invoice_id>/", invoice),
    path("invoices/<int:invoice_id>/pdf/", invoice_pdf),
    path("invoices/<uuid:public_id>/", shared_invoice),
    path("customers/<slug:slug>/", customer),
    path("reports/<int:year>/<int:month>/", monthly),
    path("reports/<quarter:quarter>/", quarterly),
    path("reports/<slug:name>.csv", table),
    path("archive/<int:year>/<path:file>", document),
    path("jobs/", start_job),
    path("jobs/<uuid:job_id>/", job),
]

app = get_wsgi_application()
