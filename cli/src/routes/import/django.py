"""The URL patterns of a Django project, in the order in which it tries them, prefixes of languages included."""

PARAMETER = re.compile(r"<(?:([^>:]+):)?([^>]+)>")


def django_routes(spec):
    set_up(spec)
    from django.conf import settings
    from django.urls import get_resolver

    notes = []
    if settings.FORCE_SCRIPT_NAME:
        notes.append(
            "FORCE_SCRIPT_NAME is %s: if it stands in front of the paths where Envoy sees them, add --prefix %s"
            % (settings.FORCE_SCRIPT_NAME, settings.FORCE_SCRIPT_NAME)
        )
    if any("whitenoise" in it.lower() for it in settings.MIDDLEWARE):
        notes.append("WhiteNoise serves %s without a pattern: add a template for it" % settings.STATIC_URL)
    routes = []
    for chain in chains(get_resolver().url_patterns, ()):
        routes.extend(spelt(chain))
    return {"routes": routes, "notes": notes, "declared": True}


def set_up(spec):
    """Loads the settings: from the module of settings itself, from one that sets them, as wsgi.py does, or from
    DJANGO_SETTINGS_MODULE."""
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured

    module = spec.partition(":")[0]
    if module:
        try:
            loaded = importlib.import_module(module)
        except (AppRegistryNotReady, ImproperlyConfigured):
            # It is one that needs the settings, as urls.py may be.
            if not os.environ.get("DJANGO_SETTINGS_MODULE"):
                raise
            django.setup()
            loaded = importlib.import_module(module)
        if not settings.configured and hasattr(loaded, "ROOT_URLCONF"):
            os.environ["DJANGO_SETTINGS_MODULE"] = module
    if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise Failed(
            "%s sets no settings. Name the module of the settings, as in mysite.settings, or that of wsgi.py"
            % (module or "DJANGO_SETTINGS_MODULE is not set, and no module")
        )
    if not apps.ready:
        django.setup()


def chains(patterns, above):
    """Depth first: Django tries an include's own patterns before it goes on behind it."""
    from django.urls import URLResolver

    for pattern in patterns:
        chain = above + (pattern,)
        if isinstance(pattern, URLResolver):
            yield from chains(pattern.url_patterns, chain)
        else:
            yield chain


def spelt(chain):
    """The routes of a chain of patterns: one, unless it is written differently in different languages."""
    from django.conf import settings
    from django.utils import translation

    patterns = [it.pattern for it in chain]
    languages = [settings.LANGUAGE_CODE]
    if has_languages(settings) and any(is_translated(it) for it in patterns):
        languages = [code for code, _ in settings.LANGUAGES] + languages
    # What the patterns say, and the prefixes under which they say it.
    said = {}
    for number, language in enumerate(languages):
        with translation.override(language):
            texts, prefix = said_in_language(patterns)
        prefixes = said.setdefault(texts, [])
        # The default may be a variant of one that was there, and is then never in front of a path.
        if prefix not in prefixes and not (number and prefix and language not in dict(settings.LANGUAGES)):
            prefixes.append(prefix)
    for texts, prefixes in said.items():
        yield from in_languages(patterns, texts, prefixes)


def said_in_language(patterns):
    """The texts of patterns in the language that is active, none for its prefix, and the prefix."""
    from django.urls.resolvers import LocalePrefixPattern

    prefixes = [it.language_prefix for it in patterns if isinstance(it, LocalePrefixPattern)]
    texts = tuple(None if isinstance(it, LocalePrefixPattern) else str(it) for it in patterns)
    return texts, prefixes[0] if prefixes else ""


def is_translated(pattern):
    from django.urls.resolvers import LocalePrefixPattern

    raw = getattr(pattern, "_route", None) or getattr(pattern, "_regex", "")
    return isinstance(pattern, LocalePrefixPattern) or not isinstance(raw, str)


def has_languages(settings):
    """Whether a request can change the language at all; a middleware of the project's own may be called anything."""
    names = [it.lower() for it in settings.MIDDLEWARE]
    return settings.USE_I18N and any("locale" in it or "language" in it for it in names)


def in_languages(patterns, texts, prefixes):
    """The default language may have no prefix; then it is a route of its own."""
    if "" in prefixes:
        yield route(patterns, texts, [])
    codes = [it.rstrip("/") for it in prefixes if it]
    if codes:
        yield route(patterns, texts, codes)


def route(patterns, texts, codes):
    name, parts = "", []
    for pattern, text in zip(patterns, texts):
        if text is None:
            name += "<language>/" if codes else ""
            parts += [{"name": "language", "any": codes}, {"text": "/"}] if codes else []
        else:
            name = joined(name, text)
            parts += list(pieces(pattern, text))
    if name.startswith(("/", "^/")):
        return {"name": name, "why": "it begins with a slash, so its URL has two"}
    return {"name": name, "methods": None, "parts": parts}


def joined(before, text):
    """As Django joins what it says of a route."""
    return before + text[1:] if before and text.startswith("^") else before + text


def pieces(pattern, text):
    from django.urls.resolvers import RoutePattern

    if not isinstance(pattern, RoutePattern):
        yield {"expression": text, "ends": bool(pattern._is_endpoint)}
        return
    end = 0
    for found in PARAMETER.finditer(text):
        if found.start() > end:
            yield {"text": text[end : found.start()]}
        yield parameter(pattern, found)
        end = found.end()
    if end < len(text):
        yield {"text": text[end:]}


def parameter(pattern, found):
    from django.urls.converters import DEFAULT_CONVERTERS

    known, converter = DEFAULT_CONVERTERS.get(found[1] or "str"), pattern.converters[found[2]]
    if type(converter) is type(known):
        return {"written": found[0], "name": found[2]}
    return {"name": found[2], "regex": converter.regex}


answer(django_routes)
