//! Tables of templates: what each spelling means, and what is said of those that mean nothing.

mod languages;

use std::fmt::Write as _;

use super::*;
use crate::Method;

/// A template in short: pieces as they are, parameters as `(name language)`.
fn short(text: &str) -> String {
    let template = parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let mut short = String::from("/");
    for piece in &template.pieces {
        match piece {
            Piece::Slash => short.push('/'),
            Piece::Literal(literal) => short.push_str(&String::from_utf8_lossy(literal)),
            Piece::Param(Param { name, language, .. }) => {
                let name = name.as_deref().unwrap_or("-");
                write!(short, "({name} {})", word(language)).unwrap();
            }
        }
    }
    short
}

fn word(language: &Language) -> String {
    match language {
        Language::AnyOf(items) => {
            let items: Vec<_> = items.iter().map(|it| String::from_utf8_lossy(it)).collect();
            format!("any {}", items.join("|"))
        }
        Language::Uuid(form) => format!("uuid {form:?}"),
        Language::Int(Int::ASCII) => "int".to_owned(),
        Language::Int(Int::WERKZEUG) => "int Unicode".to_owned(),
        Language::Int(int) => {
            format!("int {:?} {:?} {:?} {}", int.width, int.min, int.max, int.signed)
        }
        Language::Float(Float::STARLETTE) => "float".to_owned(),
        Language::Float(Float::WERKZEUG) => "float Unicode".to_owned(),
        Language::Float(float) => {
            let value = |bound: Option<Bound>| bound.map(Bound::value);
            format!("float {:?} {:?} {}", value(float.min), value(float.max), float.signed)
        }
        Language::Inline(_) => "inline".to_owned(),
        Language::Slug => "slug".to_owned(),
        Language::Text { least, most } => format!("text {least} {most:?}"),
        Language::Free => "free".to_owned(),
        Language::Rest(rest) => format!("rest {rest:?}"),
    }
}

/// What it is, how it is written, and what it means.
const SPELLINGS: &[(&str, &str, &str)] = &[
    ("the root", "/", "/"),
    ("a word", "/users", "/users"),
    ("without a leading slash", "users/", "/users"),
    ("with a slash at the end", "/users/", "/users"),
    ("Starlette", "/users/{id}", "/users/(id free)"),
    ("Starlette's str", "/{a:str}", "/(a free)"),
    ("Starlette's int", "/{a:int}", "/(a int)"),
    ("Starlette's float", "/{a:float}", "/(a float)"),
    ("Starlette's uuid", "/{a:uuid}", "/(a uuid Loose)"),
    ("Starlette's path", "/{a:path}", "/(a rest Empty)"),
    ("Starlette's without a slash", "{a:int}/{b:path}", "/(a int)/(b rest Empty)"),
    ("slug in braces", "/{a:slug}", "/(a slug)"),
    ("string in braces", "/{a:string}", "/(a free)"),
    ("Flask", "/users/<id>", "/users/(id free)"),
    ("Flask's default", "/<default:id>", "/(id free)"),
    ("Flask's int", "/<int:id>", "/(id int Unicode)"),
    ("Flask's float", "/<float:x>", "/(x float Unicode)"),
    ("Flask's uuid", "/<uuid:u>", "/(u uuid Hyphens)"),
    ("Flask's path", "/<path:p>", "/(p rest NoSlashFirst)"),
    ("Flask's string", "/<string:s>", "/(s free)"),
    ("a string with a length", "/<string(length=2):s>", "/(s text 2 Some(2))"),
    ("a string with bounds", "/<string(minlength=2,maxlength=3):s>", "/(s text 2 Some(3))"),
    ("a string in order", "/<string(2, 3):s>", "/(s text 2 Some(3))"),
    ("a string of at least one", "/<string(minlength=1):s>", "/(s free)"),
    ("a string of at least two", "/<string(2):s>", "/(s text 2 None)"),
    ("an int with bounds", "/<int(min=1, max=9):i>", "/(i int None Some(1) Some(9) false)"),
    ("an int with a width", "/<int(fixed_digits=4):i>", "/(i int Some(4) None None false)"),
    ("an int in order", "/<int(4):i>", "/(i int Some(4) None None false)"),
    ("no width", "/<int(0):i>", "/(i int Unicode)"),
    ("a signed int", "/<int(signed=True):i>", "/(i int None None None true)"),
    ("an int below zero", "/<int(signed=True, max=-1):i>", "/(i int None None Some(-1) true)"),
    ("a float with bounds", "/<float(max=1.5):x>", "/(x float None Some(1.5) false)"),
    ("a signed float", "/<float(signed = True):x>", "/(x float None None true)"),
    ("a choice", "/<any(b, a,b):x>", "/(x any a|b)"),
    ("a quoted choice", r#"/<any("x,y", 'a b', u"c>d"):x>"#, "/(x any a b|c>d|x,y)"),
    ("a choice with a bracket", r#"/<any("a)", b):x>"#, "/(x any a)|b)"),
    ("a choice of numbers", "/<any(1, 2.0):x>", "/(x any 1|2.0)"),
    ("Django", "users/<int:pk>/", "/users/(pk int)"),
    ("Django's default", "<x>", "/(x free)"),
    ("Django's str", "<str:x>", "/(x free)"),
    ("Django's slug", "<slug:x>", "/(x slug)"),
    ("Django's uuid", "<uuid:x>", "/(x uuid Lower)"),
    ("Django's path", "f/<path:x>", "/f/(x rest Some)"),
    ("Django's slug with a slash", "/<slug:x>", "/(x slug)"),
    ("Django's str with a slash", "/<str:x>", "/(x free)"),
    ("Flask's float without", "<float:x>", "/(x float Unicode)"),
    ("Flask's arguments without", "<int(min=1):x>", "/(x int None Some(1) None false)"),
    ("a colon", "/users/:id", "/users/(id free)"),
    ("two colons", "/flights/:from-:to", "/flights/(from free)-(to free)"),
    ("a colon behind punctuation", "/@:user", "/@(user free)"),
    ("a colon and an ending", "/:name.json", "/(name free).json"),
    ("a verb", "/items/{id}:cancel", "/items/(id free):cancel"),
    ("a verb behind a word", "/v1/things:batchGet", "/v1/things:batchGet"),
    ("a colon behind a digit", "/at/12:30", "/at/12:30"),
    ("a colon before a digit", "/:80", "/:80"),
    ("a colon alone", "/:", "/:"),
    ("a star", "/files/*", "/files/(- free)"),
    ("a star in the middle", "/a/*/b", "/a/(- free)/b"),
    ("a star before an ending", "/*.m4s", "/(- free).m4s"),
    ("two stars", "/files/**", "/files/(- rest Any)"),
    ("two stars in the middle", "/a/**/b", "/a/(- rest Any)/b"),
    ("Go's rest", "/f/{rest...}", "/f/(rest rest Any)"),
    ("gRPC's rest", "/f/{name=**}", "/f/(name rest Any)"),
    ("gRPC's segment", "/f/{name=*}", "/f/(name free)"),
    ("gRPC's pattern", "/v1/{name=projects/*}", "/v1/projects/(- free)"),
    (
        "gRPC's longer pattern with a verb",
        "/v1/{name=a/*/b/**}:cancel",
        "/v1/a/(- free)/b/(- rest Any):cancel",
    ),
    ("gRPC's pattern behind a literal", "/x{name=y/*}/z", "/xy/(- free)/z"),
    (".NET's rest", "/f/{**rest}", "/f/(rest rest Any)"),
    (".NET's other rest", "/f/{*rest}", "/f/(rest rest Any)"),
    ("an expression", "/{id:[a-f]+}", "/(id inline)"),
    ("an expression that is int", "/{id:[0-9]+}", "/(id int)"),
    ("an expression that is slug", "/{id:[-a-zA-Z0-9_]+}", "/(id slug)"),
    ("an expression that is more", r"/{id:[-\w]+}", "/(id inline)"),
    ("an expression of a segment", "/{id:[^/]+}", "/(id free)"),
    ("an expression with a slash left out", "/{id:[^/.]+}", "/(id inline)"),
    ("an expression with counts", "/{y:[0-9]{4}}", "/(y inline)"),
    ("an expression with a brace in a class", "/{y:[}]x}", "/(y inline)"),
    ("an expression with an escaped brace", r"/{y:\}x}", "/(y inline)"),
    ("an expression of anything", "/{p:.*}", "/(p rest Empty)"),
    ("an expression of something", "/{p:^.+$}", "/(p rest Some)"),
    ("an expression as Flask's path", "/{p:[^/].*?}", "/(p rest NoSlashFirst)"),
    ("an expression with a colon", "/{p:a:b?}", "/(p inline)"),
    ("literals around", "/files/{name}.json", "/files/(name free).json"),
    ("a literal before", "/@{user}", "/@(user free)"),
    ("two parameters", "/{a}-{b:int}", "/(a free)-(b int)"),
    ("two parameters side by side", "/{a}{b}", "/(a free)(b free)"),
    ("a rest beside a literal", "/{p:path}.json", "/(p rest Empty).json"),
    ("a rest in the middle", "/f/<path:p>/meta", "/f/(p rest NoSlashFirst)/meta"),
    ("mixed spellings", "/{a}/<int:b>/:c/*", "/(a free)/(b int Unicode)/(c free)/(- free)"),
    ("an escape", "/a%20b%41", "/a bA"),
    ("no escape", "/100%/%zz", "/100%/%zz"),
    ("letters beyond ASCII", "/größe/{größe}", "/größe/(größe free)"),
    ("punctuation", "/$batch/~a!b&c'd(e)+f,g;h=i@j", "/$batch/~a!b&c'd(e)+f,g;h=i@j"),
    ("OData", "/Products({id})", "/Products((id free))"),
    ("a hidden segment", "/.well-known/x..y/...", "/.well-known/x..y/..."),
    ("a hyphen in a name", "/{user-id}", "/(user-id free)"),
    ("blanks around", "  /x \n", "/x"),
];

#[test]
fn each_spelling_means_what_its_framework_means() {
    for &(name, text, expected) in SPELLINGS {
        assert_eq!(short(text), expected, "{name}: {text:?}");
    }
}

#[test]
fn the_text_is_as_written_without_the_methods() {
    let table = [
        ("/users/{id}", "/users/{id}"),
        ("GET,POST   /users/<int:id>/  ", "/users/<int:id>/"),
        (" users/<int:pk>/\n", "users/<int:pk>/"),
        ("GET /a%20b", "/a%20b"),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text).unwrap().text, expected, "{text:?}");
    }
    let template = parse("DELETE, GET users/").unwrap();
    assert!(template.methods.takes(Method::Head) && !template.methods.takes(Method::Post));
}

#[test]
fn the_span_of_a_parameter_is_all_of_it() {
    let table = [
        ("GET /users/{id:int}/x", "{id:int}"),
        ("/<any(a, b):x>", "<any(a, b):x>"),
        ("/größe/:id.json", ":id"),
        ("/a/**", "**"),
        ("/v1/{name=projects/*}", "*"),
        ("/v1/{name=*}", "{name=*}"),
        ("/f/{**rest}/x", "{**rest}"),
    ];
    for (text, expected) in table {
        let template = parse(text).unwrap();
        let spans: Vec<_> = template
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Param(param) => text.get(param.span.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(spans, [expected], "{text:?}");
    }
}

/// What is said of a template, with what it points at.
fn said(text: &str) -> String {
    match parse(text) {
        Ok(_) => format!("{text:?} is taken"),
        Err(error) => format!("{:?} {error}", text.get(error.span.clone()).unwrap()),
    }
}

/// Templates that mean nothing.
const MISTAKES: &[&str] = &[
    "",
    "  ",
    "GET",
    "get /x",
    "GET,POTS /x",
    "users /x",
    "/a b",
    "/a\tb",
    "/a\u{1}b",
    "/a;.;b",
    "https://example.com/users/{id}",
    "^users/(?P<id>[0-9]+)/$",
    "users/(?P<id>[0-9]+)/",
    r"/users/\d+",
    "/users?id={id}",
    "/users#top",
    "/users/{id}?x=1",
    "//users",
    "/users//x",
    "/users//",
    "/a/./b",
    "/a/%2e%2E",
    "..",
    "/a%2Fb",
    "/{id",
    "/<id",
    "/<int:id/x",
    "/a}",
    "/a>b",
    "/[id]",
    "/{}",
    "/<>",
    "/<int:>",
    "/{:int}",
    "/{*}",
    "/{1a}",
    "/{id.json}",
    "/{ id }",
    "/<a b>",
    "/<int:1a>",
    "/{id}/<id>",
    "/{a}/{a=x/*}",
    "/{id?}",
    "/{id:int?}",
    "/:id?",
    "/:id?/x",
    "/users(/:id)",
    "/{id=5}",
    "/{n:int=5}",
    "/{controller=Home}",
    r"/:id(\d+)",
    "/:id*",
    "/***",
    "/*rest",
    "/**rest",
    "/{x=a*/*}",
    "/{a:path}{b:path}",
    "/**-{a:path}",
    "/{id:}",
    "/<:id>",
    "/{id:itn}",
    "/{id:guid}",
    "/<itn:id>",
    "/<yyyy:year>",
    "/{id:hex}",
    "/{id:int(min=1)}",
    "/{id:int:min(1)}",
    "/<int(min=1)>",
    "/<int(minn=1):id>",
    "/<int(5,6,7,True,8):id>",
    "/<uuid(1):id>",
    "/<int(min=1,min=2):id>",
    "/<int(1,fixed_digits=2):id>",
    "/<int(min=a):id>",
    "/<int(min=1.5):id>",
    "/<int(min=99999999999999999999):id>",
    "/<int(signed=1):id>",
    "/<int(fixed_digits=65):id>",
    "/<string(length=0):s>",
    "/<string(length=\"2\"):s>",
    "/<string(maxlength=70000):s>",
    "/<float(max=inf):x>",
    "/<string(3,2):s>",
    "/<int(min=3,max=2):i>",
    "/<int(max=-1):i>",
    "/<int(fixed_digits=2,min=100):i>",
    "/<float(min=2.0,max=1.0):x>",
    "/<any():x>",
    "/<any:x>",
    "/<any(a,\"\"):x>",
    "/<any(a,\"b/c\"):x>",
    "/<any(a=b):x>",
    "/<any(a-b):x>",
    "/<any(a b):x>",
    "/<any(a,,b):x>",
    "/<any(\"a):x>",
    "/<any(a",
    "/v<float(min=1.0):x>",
    "/{id:[0-9}",
    "/{id:(a}",
    "/{id:a/b}",
    "/{id:(a|b)*a(a|b){20}}",
    "/{id:*}",
];

#[test]
fn each_mistake_is_pointed_at_with_what_to_write() {
    let mut report = String::new();
    for text in MISTAKES {
        writeln!(report, "{text:?}\n    {}", said(text)).unwrap();
    }
    insta::assert_snapshot!(report);
}

#[test]
fn what_is_too_large_is_refused_and_what_just_fits_is_not() {
    let fits = format!("/{}", "a".repeat(LONGEST_TEMPLATE - 1));
    assert!(parse(&fits).is_ok());
    assert_eq!(parse(&(fits + "a")).unwrap_err().kind, TemplateErrorKind::TooLong);
    let fits = "/a".repeat(MOST_SEGMENTS);
    assert!(parse(&fits).is_ok() && parse(&(fits.clone() + "/")).is_ok());
    assert_eq!(parse(&(fits + "/a")).unwrap_err().kind, TemplateErrorKind::TooManySegments);
    let glob = format!("/{{name={}*}}", "a/".repeat(MOST_SEGMENTS));
    assert_eq!(parse(&glob).unwrap_err().kind, TemplateErrorKind::TooManySegments);
    for deep in ["{", "<", "(", "[", "{a:(", "{a:{", "<a(", "{a=", "%", ":a", "*"] {
        let _ = parse(&format!("/{}", deep.repeat(200)));
    }
}
