"""Asks Werkzeug, Starlette and Django which segments their converters take, and writes vectors.tsv.

Not run by the tests: they read what it wrote. Run it in an environment that has all three:

    python vectors.py > vectors.tsv
"""

import platform
from importlib.metadata import version
from urllib.parse import quote

from django.conf import settings
from django.urls.resolvers import RoutePattern
from django.utils.encoding import repercent_broken_unicode
from starlette.routing import compile_path
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule

settings.configure()

SEGMENTS = [
    b"a", b"ab", b"abc", b"abcd", b"0", b"7", b"12", b"0012", b"123", b"1234", b"99", b"100",
    b"101", b"-5", b"-05", b"-0", b"+5", b"5.", b".5", b"1.5", b"0.5", b"-1.5", b"1.50", b"2.0",
    b"10.25", b"1.2.3", b"1e3", b"inf", b"nan", b"1_000",
    b"99999999999999999999999999999999999999999999",
    b"0000000000000000000000000000000000000000000000000050", "٣".encode(), "١٢٣".encode(),
    "1٢".encode(), "٣.٥".encode(), "0.٥".encode(), "๑๒๓๔".encode(), "𝟙𝟚".encode(), "½".encode(),
    "²".encode(), "-٣".encode(), b"6f1a5b2c-0d3e-4f5a-8b9c-0123456789ab",
    b"6F1A5B2C-0D3E-4F5A-8B9C-0123456789AB", b"6f1a5b2c0d3e4f5a8b9c0123456789ab",
    b"6f1a5b2c0d3e-4f5a8b9c-0123456789ab", b"6f1a5b2c-0d3e-4f5a-8b9c-0123456789a",
    b"6f1a5b2c-0d3e-4f5a-8b9c-0123456789abc", b"6f1a5b2c-0d3e-4f5a-8b9c-0123456789ag",
    b"{6f1a5b2c-0d3e-4f5a-8b9c-0123456789ab}", b"hello-world", b"hello_world", b"Hello-2",
    b"hello.world", b"a b", b"a\nb", b"a;b", b"a,b", "é".encode(), "éé".encode(),
    "ééé".encode(), "日本".encode(), "e\u0301".encode(), b"\xff", b"\xff\xfe", b"a\xff",
    b"\xe2\x82", b"\xe2\x82a", b"\xed\xa0\x80", b"\xf0\x9f\x98", "😀".encode(), b"a%b", b"a)",
    b"True", b"0.1", b"0.10000000000000000001", b"0.100001", b"-", b"--5", b"1-2",
]

FLASK = [
    "/<x>", "/<string:x>", "/<string(length=2):x>", "/<string(minlength=2):x>",
    "/<string(maxlength=2):x>", "/<string(2, 3):x>", "/<string(minlength=2, maxlength=4):x>",
    "/<string(minlength=5, length=2):x>", "/<int:x>", "/<int(4):x>", "/<int(fixed_digits=3):x>",
    "/<int(min=5):x>", "/<int(max=100):x>", "/<int(min=5, max=100):x>", "/<int(signed=True):x>",
    "/<int(signed=True, fixed_digits=3):x>", "/<int(signed=True,max=5):x>",
    "/<int(fixed_digits=4, min=5, max=12):x>", "/<int(0, 5, 100, True):x>", "/<float:x>",
    "/<float(min=1.0):x>", "/<float(max=0.1):x>", "/<float(signed=True):x>",
    "/<float(signed=True, max=1.5):x>", "/<uuid:x>", '''/<any(abc, ab, "a,b", 'a)'):x>''',
    "/<any(True2, hello_world, hello.world):x>",
]

STARLETTE = [
    "/{x}", "/{x:str}", "/{x:int}", "/{x:float}", "/{x:uuid}",
]

DJANGO = [
    "<x>", "<str:x>", "<int:x>", "<slug:x>", "<uuid:x>",
]


def werkzeug_takes(template):
    urls = Map([Rule(template, endpoint="it")], merge_slashes=False).bind("host")

    def takes(segment):
        try:
            urls.match("/" + segment.decode("utf-8", "replace"))
        except NotFound:
            return False
        return True

    return takes


def starlette_takes(template):
    regex, _, converters = compile_path(template)

    def takes(segment):
        match = regex.match("/" + segment.decode("utf-8", "replace"))
        for name, value in match.groupdict().items() if match else ():
            converters[name].convert(value)
        return match is not None

    return takes


def django_takes(template):
    pattern = RoutePattern(template, is_endpoint=True)
    return lambda segment: pattern.match(repercent_broken_unicode(segment).decode()) is not None


def encoded(segment):
    return quote(segment, safe="")


names = ", ".join(f"{it} {version(it)}" for it in ("Werkzeug", "Starlette", "Django"))
print(f"# Which segments the real converters take: CPython {platform.python_version()}, {names}.")
print("# Written by vectors.py. A `segment` line has a segment that each was asked about, as it stands in a")
print("# path. A `takes` line has a template and the segments it takes; it refuses all the others.")
for segment in SEGMENTS:
    print("segment", encoded(segment), sep="\t")
for templates, takes_of in (
    (FLASK, werkzeug_takes),
    (STARLETTE, starlette_takes),
    (DJANGO, django_takes),
):
    for template in templates:
        takes = takes_of(template)
        print("takes", template, " ".join(filter(None, (encoded(s) for s in SEGMENTS if takes(s)))), sep="\t")
