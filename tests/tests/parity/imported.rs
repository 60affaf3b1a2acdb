//! `sightline routes import` asks real apps, and odd ones: nothing that they do while they are loaded corrupts the answer
//! or outlasts it, and no route is lost on the way.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use sightline_cli::routes::import::{Block, Framework, Question, Refusal, Template};
use sightline_core::route::{Scratch, Templates};
use sightline_setup::{Checkout, python};

use crate::deviation::{self, Deviation, Expectation};
use crate::probes::Probe;
use crate::{Parity, method, report};

/// The other tests here ask all probes, and these each one of so many.
const STEP: usize = 4;

const SOON: Duration = Duration::from_mins(2);

/// What comes of asking the module `odd`, which is this.
fn asked(framework: Framework, source: &str, app: &str) -> Result<Block, Refusal> {
    asked_within(SOON, framework, source, app)
}

fn asked_within(
    timeout: Duration,
    framework: Framework,
    source: &str,
    app: &str,
) -> Result<Block, Refusal> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("odd.py"), source).unwrap();
    let python = python::interpreter(&Checkout::find().unwrap()).unwrap();
    let dir = folder.path().to_owned();
    let app = app.to_owned();
    Question { framework, app, python, dir, timeout, prefix: None }.ask()
}

/// The templates, with a name where it is another.
fn templates(block: &Block) -> Vec<String> {
    let told = |it: &Template| match &it.name {
        Some(name) => format!("{} as {name}", it.text()),
        None => it.text(),
    };
    block.templates().map(told).collect()
}

/// The templates of the module, without those that every app of the framework has.
fn found(framework: Framework, source: &str, app: &str) -> Vec<String> {
    let block = asked(framework, source, app).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let mut templates = templates(&block);
    templates.retain(|it| {
        !it.contains("/docs") && !it.ends_with("/openapi.json") && !it.ends_with("/redoc")
    });
    templates
}

fn refused(framework: Framework, source: &str, app: &str) -> String {
    asked(framework, source, app).expect_err(source).to_string()
}

const FLASK: &str = "from flask import Flask\napp = Flask('odd', static_folder=None)\napp.add_url_rule('/a', 'a', methods=['POST'])\n";

#[test]
fn an_app_that_is_noisy_or_busy_answers_all_the_same() {
    for (name, noise) in [
        ("it prints", "print('{\"routes\": []}', flush=True)"),
        ("it writes to its stdout", "import os; os.write(1, b'{}\\n')"),
        ("it starts what prints", "import subprocess; subprocess.run(['echo', '{}'])"),
        ("it leaves what prints", "import subprocess; subprocess.Popen(['sleep', '1000'])"),
        ("it closes its stdout", "import sys; sys.stdout.close()"),
        (
            "it has a thread",
            "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()",
        ),
        ("it does not end", "import atexit, time; atexit.register(time.sleep, 1000)"),
        ("it goes elsewhere", "import os; os.chdir('/')"),
        ("it reads its arguments", "import argparse; argparse.ArgumentParser().parse_args()"),
        ("it forks", "import os, time; os.fork() or time.sleep(1000)"),
    ] {
        let source = format!("{FLASK}{noise}\n");
        assert_eq!(found(Framework::Flask, &source, "odd"), ["POST,OPTIONS /a"], "{name}");
    }
}

#[test]
fn an_app_that_cannot_be_loaded_is_told() {
    for (source, app, parts) in [
        (
            "raise RuntimeError('no database')",
            "odd",
            &["RuntimeError: no database", "odd.py:1 in <module>"][..],
        ),
        ("import sys; sys.exit(3)", "odd", &["it called sys.exit(3) while it was loaded"]),
        ("import os; os._exit(4)", "odd", &["Python ended", "exit status: 4"]),
        ("import os; print('bye'); os.kill(os.getpid(), 9)", "odd", &["Python ended", "signal: 9"]),
        ("def f(:", "odd", &["SyntaxError"]),
        (
            "import no_such_module",
            "odd",
            &["No module named 'no_such_module'", "--python", "--dir"],
        ),
        ("app = 1", "odd", &["odd has no app called app or application"]),
        ("app = 1", "odd:app", &["app is no app of this framework, but builtins.int"]),
        ("", "odd:nothing", &["odd has no nothing"]),
        ("", "odd:f(", &["is no name of an app"]),
        ("def f(x): pass", "odd:f(g())", &["must be plain values"]),
        ("def f(x): pass", "odd:f()", &["TypeError"]),
        ("", "no_such", &["No module named 'no_such'"]),
        ("", "", &["cannot be loaded"]),
        ("from flask import Flask\na = Flask('a')\nb = Flask('b')", "odd", &["several apps: a, b"]),
        ("raise BaseException('\\ud800 \\x1b[2J')", "odd", &["BaseException: ? \\u{1b}[2J"]),
    ] {
        let told = refused(Framework::Flask, source, app);
        for part in parts {
            assert!(told.contains(part), "{source:?}: {part} is not in {told}");
        }
    }
    let hanging = asked_within(
        Duration::from_secs(3),
        Framework::Flask,
        "import time\ntime.sleep(1000)",
        "odd",
    );
    assert!(matches!(hanging, Err(Refusal::TimedOut { .. })), "{hanging:?}");
}

#[test]
fn an_app_is_found_however_it_is_named() {
    let made = "from flask import Flask\ndef create_app(path='/a', *, twice=False):\n    it = Flask('x', static_folder=None)\n    \
                it.add_url_rule(path, 'a')\n    if twice: it.add_url_rule('/b', 'b')\n    return it\n";
    for (source, app, expected) in [
        (made.to_owned(), "odd", &["GET,OPTIONS /a"][..]),
        (made.to_owned(), "odd:create_app", &["GET,OPTIONS /a"]),
        (
            made.to_owned(),
            "odd:create_app('/c', twice=True)",
            &["GET,OPTIONS /c", "GET,OPTIONS /b"],
        ),
        (format!("{made}shop = create_app()"), "odd", &["GET,OPTIONS /a"]),
        (format!("{made}class Here: shop = create_app()"), "odd:Here.shop", &["GET,OPTIONS /a"]),
        (
            format!("{made}from flask import request, current_app\napplication = create_app()"),
            "odd",
            &["GET,OPTIONS /a"],
        ),
    ] {
        assert_eq!(found(Framework::Flask, &source, app), expected, "{app} in\n{source}");
    }
}

#[test]
fn what_fastapi_can_be_around_and_under_is_seen_through() {
    let app = "from fastapi import FastAPI, APIRouter, WebSocket\nfrom starlette.applications import Starlette\n\
               from starlette.routing import Route, Mount, Host, Router\nasync def f(): ...\n";
    for (source, expected) in [
        ("app = FastAPI(root_path='/api')\napp.get('/a')(f)", &["GET /api/a", "GET /a"][..]),
        (
            "from starlette.middleware.cors import CORSMiddleware\ninner = FastAPI()\ninner.get('/a')(f)\napp = CORSMiddleware(inner)",
            &["GET /a"],
        ),
        (
            "app = Starlette(routes=[Host('a.example', Router([Route('/a', f)])), Mount('/b', routes=[])])\napp.add_route('/c', f)",
            &["GET /a", "GET /c"],
        ),
        (
            "app = FastAPI()\napp.mount('/old', lambda scope, receive, send: None)",
            &["/old/{path:path} as /old/{path}"],
        ),
        (
            "app = FastAPI()\nrouter = APIRouter(prefix='/b')\nrouter.get('')(f)\nrouter.post('')(f)\nshop = app\ndel app\nshop.include_router(router, prefix='/a')",
            &["GET,POST /a/b"],
        ),
        ("app = FastAPI()\napp.api_route('/a', methods=['PURGE', 'GET'])(f)", &["GET /a"]),
        (
            "app = FastAPI()\napp.get('/x y/{a}:{b}/%41')(f)",
            &["GET /x%20y/{a}:{b}/%2541 as /x y/{a}:{b}/%41"],
        ),
        ("app = FastAPI()\napp.websocket('/ws/{room}')(f)", &["GET /ws/{room}"]),
        (
            "app = FastAPI()\nsub = FastAPI()\nsub.get('/{id}')(f)\napp.mount('/t/{id}', sub)",
            &["GET /t/{id}/{id_2} as /t/{id}/{id}"],
        ),
        (
            "app = FastAPI()\napp.get('/a/{x}')(f)\napp.get('/a/{y}')(f)\napp.get('/a/{x}')(f)",
            &["GET /a/{x}"],
        ),
    ] {
        assert_eq!(
            found(Framework::Fastapi, &format!("{app}{source}"), "odd"),
            expected,
            "{source}"
        );
    }
    let notes = asked(Framework::Fastapi, &format!("{app}app = FastAPI(root_path='/api')"), "odd")
        .unwrap()
        .notes;
    assert!(notes.iter().any(|note| note.starts_with("root_path is /api")), "{notes:?}");
}

#[test]
fn what_flask_says_beside_its_paths_is_told() {
    let source = "from flask import Flask\napp = Flask('odd', static_folder=None, subdomain_matching=True)\n\
                  app.config.update(APPLICATION_ROOT='/shop')\n\
                  app.add_url_rule('/a', 'a', subdomain='api')\napp.add_url_rule('/b', 'b', build_only=True)\n\
                  app.add_url_rule('/c', 'c', strict_slashes=False)\napp.add_url_rule('/c/', 'c2')\n\
                  app.add_url_rule('/d', 'd', methods=['PURGE'])\n";
    let block = asked(Framework::Flask, source, "odd").unwrap();
    assert_eq!(templates(&block), ["GET,OPTIONS /a", "GET,OPTIONS /c", "OPTIONS /d"]);
    let left_out: Vec<&str> = block.left_out().map(|it| it.route.as_str()).collect();
    assert_eq!(left_out, ["/b", "GET,OPTIONS /c/", "PURGE /d"]);
    let notes = block.notes.join("\n");
    for part in ["APPLICATION_ROOT is /shop", "/a is for the subdomain api only"] {
        assert!(notes.contains(part), "{notes}");
    }
}

const DJANGO: &str = "from django.conf import settings\n\
    settings.configure(ROOT_URLCONF='odd', SECRET_KEY='x', USE_I18N=True, LANGUAGE_CODE='en', LANGUAGES=[('en', 'E'), ('de', 'D')], MIDDLEWARE=[MIDDLEWARE])\n\
    import django\ndjango.setup()\n\
    from django.urls import path, re_path, include\nfrom django.conf.urls.i18n import i18n_patterns\n\
    from django.utils.translation import get_language\nfrom django.utils.functional import lazystr, lazy\n\
    def v(request): ...\n\
    said = lazy(lambda: 'kontakt/' if get_language() == 'de' else 'contact/', str)()\n";

const LOCALE: &str = "'django.middleware.locale.LocaleMiddleware'";

#[test]
fn what_django_says_in_languages_and_expressions_is_read() {
    for (middleware, patterns, expected) in [
        (
            LOCALE,
            "i18n_patterns(path('a/', v))",
            &["<any(en, de):language>/a/ as <language>/a/"][..],
        ),
        (
            LOCALE,
            "i18n_patterns(path('a/', v), prefix_default_language=False)",
            &["a/", "<any(de):language>/a/ as <language>/a/"],
        ),
        ("", "i18n_patterns(path('a/', v))", &["<any(en):language>/a/ as <language>/a/"]),
        (LOCALE, "[path(said, v)]", &["contact/", "kontakt/"]),
        (
            LOCALE,
            "i18n_patterns(path(said, v))",
            &[
                "<any(en):language>/contact/ as <language>/contact/",
                "<any(de):language>/kontakt/ as <language>/kontakt/",
            ],
        ),
        (
            "",
            "[re_path('^a/(?P<x>[0-9]{4})$', v), re_path('^b', v)]",
            &["a/{x:[0-9]{4}} as ^a/(?P<x>[0-9]{4})$", "b{rest:path} as ^b"],
        ),
        ("", "[path('a/', v), path('a', v), path('/b', v), re_path('c/', v)]", &["a/"]),
    ] {
        let source = format!(
            "{}urlpatterns = {patterns}\n",
            DJANGO.replace("MIDDLEWARE]", &format!("{middleware}]"))
        );
        assert_eq!(found(Framework::Django, &source, "odd"), expected, "{patterns}");
    }
    let told = refused(Framework::Django, "x = 1", "odd");
    assert!(told.contains("odd sets no settings"), "{told}");
}

#[test]
fn the_module_of_the_settings_is_enough_for_django() {
    let source = "SECRET_KEY = 'x'\nROOT_URLCONF = 'odd_urls'\nimport sys, types\n\
                  urls = sys.modules['odd_urls'] = types.ModuleType('odd_urls')\n\
                  class Late(list):\n    def __iter__(self):\n        from django.urls import path\n        return iter([path('a/<int:x>/', print)])\n\
                  urls.urlpatterns = Late()\n";
    assert_eq!(found(Framework::Django, source, "odd"), ["a/<int:x>/"]);
}

/// What is asked of an app of this crate.
fn block_of(framework: Framework, name: &str) -> Block {
    let checkout = Checkout::find().unwrap();
    let question = Question {
        framework,
        app: format!("{name}_routes"),
        python: python::interpreter(&checkout).unwrap(),
        dir: checkout.root().join("tests/frameworks"),
        timeout: SOON,
        prefix: None,
    };
    question.ask().unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A template without its methods.
fn bare(template: &str) -> &str {
    match template.split_once(' ') {
        Some((_, path)) if !template.starts_with('/') => path,
        _ => template,
    }
}

/// Each request of the other tests that the app routes has, with the routes that were imported, the one that the
/// framework chooses. What the app does not route is nobody's.
fn holds(framework: Framework, name: &str, deviations: &[Deviation]) {
    let block = block_of(framework, name);
    let said: Vec<_> = block.templates().map(Template::text).collect();
    let templates = Templates::compile(&said, block.precedence).unwrap();
    let Parity { framework: mut chooses, probes } = Parity::of(name);
    let (mut differences, mut routed) = (Vec::new(), 0);
    // Flask adds OPTIONS to every rule, and of several that have it for a path its own order decides.
    let is_asked = |it: &&Probe| framework != Framework::Flask || it.method != "OPTIONS";
    for probe in probes.iter().filter(is_asked).step_by(STEP) {
        let expected = Expectation::of(probe, &mut chooses, deviations);
        let Some(route) = expected.route else { continue };
        let path = probe.path.as_bytes();
        let found = templates.find(method(probe.method), path, &mut Scratch::default());
        let found = found.map(|number| bare(&said[number]));
        let chosen = bare(chooses.template(route));
        routed += 1;
        if found != Some(chosen) {
            differences.push(format!("{probe}: {chosen} was chosen, and {found:?} is found"));
        }
    }
    report(&differences, probes.len());
    assert!(routed >= 100, "only {routed} requests are routed");
    let told: BTreeSet<&str> = said.iter().map(|it| bare(it)).collect();
    let left_out: BTreeSet<&str> = block.left_out().map(|it| bare(&it.route)).collect();
    for template in chooses.templates() {
        let path = bare(&template);
        let is_told =
            told.contains(path) || left_out.contains(path) || path.ends_with("/{path:path}");
        assert!(is_told, "{path} is lost: {}", block.summary());
    }
}

#[test]
fn what_is_imported_from_fastapi_names_what_it_chooses() {
    holds(Framework::Fastapi, "fastapi", deviation::FASTAPI);
}

#[test]
fn what_is_imported_from_flask_names_what_it_chooses() {
    holds(Framework::Flask, "flask", deviation::FLASK_BY_WEIGHT);
}

#[test]
fn what_is_imported_from_django_names_what_it_chooses() {
    holds(Framework::Django, "django", deviation::DJANGO);
}
