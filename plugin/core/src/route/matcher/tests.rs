//! The matcher against tables, and against a model that tries everything.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::route::template::{Piece, Rest};

fn compile(templates: &[&str], precedence: Precedence) -> Templates {
    let texts: Vec<String> = templates.iter().map(|&text| text.to_owned()).collect();
    match Templates::compile(&texts, precedence) {
        Ok(templates) => templates,
        Err(problems) => panic!("{problems:?}"),
    }
}

fn specific(templates: &[&str]) -> Templates {
    compile(templates, Precedence::Specific)
}

fn find(templates: &Templates, path: &str) -> Option<usize> {
    templates.find(Method::Get, path.as_bytes(), &mut Scratch::default())
}

/// Each path with the number of its template.
fn check(name: &str, templates: &Templates, table: &[(&str, Option<usize>)]) {
    for (path, expected) in table {
        assert_eq!(find(templates, path), *expected, "{name}: {path}");
    }
}

#[test]
fn literals_beat_typed_parameters_beat_free_ones_beat_rests() {
    let templates = specific(&[
        "/u/{rest:path}",
        "/u/{id}",
        "/u/{id:int}",
        "/u/v-{id}",
        "/u/me",
        "/u/{id}.json",
    ]);
    check(
        "order",
        &templates,
        &[
            ("/u/me", Some(4)),
            ("/u/v-5", Some(3)),
            ("/u/5.json", Some(5)),
            ("/u/5", Some(2)),
            ("/u/five", Some(1)),
            ("/u/a/b", Some(0)),
            ("/u", Some(0)),
            ("/", None),
        ],
    );
}

#[test]
fn a_step_that_leads_to_nothing_is_taken_back() {
    let templates = specific(&[
        "/foo/bar/bae/",
        "/foo/:id",
        "/foo/{id}/push",
        "/ski/**",
        "/snow/mobile/**",
        "/",
    ]);
    check(
        "backtracking",
        &templates,
        &[
            ("/", Some(5)),
            ("//", None),
            ("/foo/bar/bae", Some(0)),
            ("/foo/1234", Some(1)),
            ("/foo/bar", Some(1)),
            ("/foo/bar/push", Some(2)),
            ("/foo", None),
            ("/foo/bar/bae/baz", None),
            ("/foo/1234/down", None),
            ("/ski", Some(3)),
            ("/ski/doo/new/", Some(3)),
            ("/snow/man", None),
        ],
    );
}

#[test]
fn the_first_that_matches_wins_where_the_order_is_declared() {
    let templates =
        compile(&["/:section/profile", "/@:username/profile", "/a/profile"], Precedence::Declared);
    check("first", &templates, &[("/@carol/profile", Some(0)), ("/a/profile", Some(0))]);
    let templates = compile(&["/@:username/profile", "/:section/profile"], Precedence::Declared);
    check("reversed", &templates, &[("/@carol/profile", Some(0)), ("/carol/profile", Some(1))]);
    let templates = compile(&["/{p:path}", "/a"], Precedence::Declared);
    check("a rest in front", &templates, &[("/a", Some(0)), ("/", Some(0))]);
}

#[test]
fn a_rest_may_stand_anywhere() {
    let templates = specific(&[
        "/files/<path:name>/metadata",
        "/x/{p:path}.json",
        "/y/v{p:path}",
        "/z/**/end",
        "/w/**/a/**/b",
    ]);
    check(
        "rests",
        &templates,
        &[
            ("/files/a/metadata", Some(0)),
            ("/files/a/b/metadata", Some(0)),
            ("/files/a/metadata/b/metadata", Some(0)),
            ("/files/metadata", None),
            ("/files//metadata", None),
            ("/files/a/metadata/b", None),
            ("/x/a.json", Some(1)),
            ("/x/a/b.json", Some(1)),
            ("/x/.json", Some(1)),
            ("/x/a.json/b", None),
            ("/y/v", Some(2)),
            ("/y/v1/2/3", Some(2)),
            ("/y/w", None),
            ("/z/end", Some(3)),
            ("/z/1/2/end", Some(3)),
            ("/z/1/2", None),
            ("/w/a/b", Some(4)),
            ("/w/1/a/2/a/3/b", Some(4)),
            ("/w/1/b", None),
        ],
    );
}

#[test]
fn a_path_is_matched_as_a_server_sees_it() {
    let templates =
        specific(&["/a%20b/{id}", "/x/{id}/y", "/n/<int:id>", "/d/{id:[^a]}", "/.well-known/{x}"]);
    check(
        "decoding",
        &templates,
        &[
            ("/a%20b/1", Some(0)),
            ("/a%2520b/1", None),
            ("/x/%2F/y", None),
            ("/x%2F1%2fy", Some(1)),
            ("/x/%zz/y", Some(1)),
            ("/x/%/y", Some(1)),
            ("/x//y", None),
            ("//x/1/y", None),
            ("/x/./y", Some(1)),
            ("/x/../y", Some(1)),
            ("/x/1/y/", Some(1)),
            ("/x/1/y//", None),
            ("x/1/y", Some(1)),
            ("/n/%31%32", Some(2)),
            ("/n/1%00", None),
            ("/d/%C3%A9", Some(3)),
            ("/d/%FF", None),
            ("/x/%FF/y", Some(1)),
            ("/.well-known/security.txt", Some(4)),
        ],
    );
    assert_eq!(templates.find(Method::Get, b"/x/\xff\x00/y", &mut Scratch::default()), Some(1));
}

#[test]
fn methods_are_part_of_the_match() {
    let templates =
        specific(&["GET /a", "POST,PUT /a", "/a", "GET /b/me", "/b/{id}", "POST /c", "HEAD /a"]);
    let table = [
        (Method::Get, "/a", Some(0)),
        (Method::Head, "/a", Some(6)),
        (Method::Put, "/a", Some(1)),
        (Method::Delete, "/a", Some(2)),
        (Method::Other, "/a", Some(2)),
        (Method::Head, "/b/me", Some(3)),
        (Method::Post, "/b/me", Some(4)),
        (Method::Get, "/c", None),
    ];
    for (method, path, expected) in table {
        let found = templates.find(method, path.as_bytes(), &mut Scratch::default());
        assert_eq!(found, expected, "{method:?} {path}");
    }
    assert_eq!(templates.all(b"/b/me", &mut Scratch::default()), [3, 4]);
}

#[test]
fn templates_that_match_the_same_are_told() {
    let same: [(&[&str], Option<usize>); 14] = [
        (&["/a/{x}", "/a/{y}"], Some(0)),
        (&["/a/{x}", "/b", "/a/<y>/"], Some(0)),
        (&["/a/:x", "/a/*"], Some(0)),
        (&["/a/{x:int}", "/a/{y:[0-9]+}"], Some(0)),
        (&["/a/{x:[a-c]}", "/a/{y:a|b|c}"], Some(0)),
        (&["/a.{x}", "/a.{y}"], Some(0)),
        (&["GET /a", "GET,POST /a"], Some(0)),
        (&["GET /a", "POST /a"], None),
        (&["GET /a", "HEAD /a"], None),
        (&["GET,HEAD,OPTIONS /a", "POST,OPTIONS /a"], None),
        (&["OPTIONS /a", "GET,OPTIONS /a"], None),
        (&["OPTIONS /a", "OPTIONS /a"], Some(0)),
        (&["GET /a", "/a"], None),
        (&["/a/{x:int}", "/a/{y:float}"], None),
    ];
    for (templates, expected) in same {
        let texts: Vec<String> = templates.iter().map(|&text| text.to_owned()).collect();
        let told = Templates::compile(&texts, Precedence::Specific).err();
        let fault =
            told.map(|problems| problems.into_iter().map(|it| it.fault).collect::<Vec<_>>());
        assert_eq!(fault, expected.map(|other| vec![Fault::Same(other)]), "{templates:?}");
    }
    let declared = compile(&["/a/{x}", "GET /a/{y}", "POST /b", "GET /b"], Precedence::Declared);
    assert_eq!(declared.notes(), [Note::NeverReached(1, 0)]);
}

#[test]
fn templates_that_rival_for_some_paths_are_told() {
    type Row<'a> = (&'a [&'a str], &'a [(usize, usize)]);
    let table: [Row<'_>; 9] = [
        (&["/a/{x:[a-m]+}", "/a/{y:[g-z]+}"], &[(0, 1)]),
        (&["/a/{x:[a-f]+}", "/a/{y:[g-z]+}"], &[]),
        (&["/a/<any(b, c):x>", "/a/<any(c, d):x>"], &[(0, 1)]),
        (&["/a/{x:[a-m]+}/b", "/a/{y:[g-z]+}/c"], &[]),
        (&["/a/{x:[a-m]+}/b/{z}", "/a/{y:[g-z]+}/b/{w}", "/a/{y:[g-z]+}/b"], &[(0, 1)]),
        (&["GET /a/{x:[a-m]+}", "POST /a/{y:[g-z]+}"], &[]),
        (&["/a/{x:int}", "/a/{y:[0-9a-f]+}", "/a/{z}"], &[]),
        (&["/{a:[ab]+}/{b:[ab]+}", "/{a:[bc]+}/{b:[bc]+}"], &[(0, 1)]),
        (&["/{a:[ab]+}/x/{b:[ab]+}", "/{a:[bc]+}/x/{b:[ab]+}"], &[(0, 1)]),
    ];
    for (templates, expected) in table {
        let expected: Vec<Note> = expected.iter().map(|&(a, b)| Note::Rivals(a, b)).collect();
        assert_eq!(specific(templates).notes(), expected, "{templates:?}");
    }
}

#[test]
fn values_are_found_in_the_paths_own_bytes() {
    let templates = specific(&[
        "/reset/{token}",
        "/f/{name}.{ext}",
        "/d/{p:path}/e",
        "/{a}/x/{b}",
        "/k/p-{key}-s",
    ]);
    let table: [(usize, &[&str], &str, &[&str]); 10] = [
        (0, &["token"], "/reset/abc", &["abc"]),
        (0, &["token"], "/reset/a%20c/", &["a%20c"]),
        (0, &["token"], "%2Freset%2Fab", &["ab"]),
        (0, &[], "/reset/abc", &[]),
        (1, &["name"], "/f/a.b", &["a.b"]),
        (2, &["p"], "/d/1/2%2F3/e", &["1/2%2F3"]),
        (3, &["a", "b"], "/1/x/2", &["1", "2"]),
        (3, &["b"], "/%31/x/%32", &["%32"]),
        (4, &["key"], "/k/p-123-s", &["123"]),
        (0, &["token"], "/other", &[]),
    ];
    for (template, names, path, expected) in table {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let ranges = templates.locate(template, &names, path.as_bytes(), &mut Scratch::default());
        let values: Vec<&str> = ranges.into_iter().map(|range| path.get(range).unwrap()).collect();
        assert_eq!(values, expected, "{path}");
    }
}

#[test]
fn the_work_is_bounded_for_any_path() {
    // Each rest could begin anywhere: without memory this would take longer than anybody waits.
    let templates = specific(&[
        "/**/a/**/a/**/a/**/a/**/b",
        "/{p:path}/a/{q:path}/a/{r:path}/c",
        "/**/{x}/{y}/{z}/d",
    ]);
    let path = "/a".repeat(30_000);
    assert_eq!(find(&templates, &path), None);
    assert_eq!(find(&templates, &format!("{path}/b")), Some(0));
    let declared = compile(&["/**/a/**/a/**/a/**/b", "/{a}/{b:path}/{c}/b"], Precedence::Declared);
    assert_eq!(find(&declared, &format!("{path}/b")), Some(0));
}

#[test]
fn a_scratch_serves_any_templates() {
    let mut scratch = Scratch::default();
    let few = specific(&["/**/x"]);
    let many = specific(&["/a/**/x", "/b/**/x", "/c/**/y/**/z"]);
    for _ in 0..3 {
        assert_eq!(few.find(Method::Get, b"/1/2/x", &mut scratch), Some(0));
        assert_eq!(many.find(Method::Get, b"/c/1/y/2/z", &mut scratch), Some(2));
        assert_eq!(many.find(Method::Get, b"/c/1/y/2/w", &mut scratch), None);
    }
}

/// Matches one template by trying everything, over the whole path at once.
fn model(pieces: &[Piece], path: &[u8]) -> bool {
    let Some((piece, more)) = pieces.split_first() else { return path.is_empty() };
    match piece {
        Piece::Slash => path.strip_prefix(b"/").is_some_and(|rest| model(more, rest)),
        Piece::Literal(literal) => {
            path.strip_prefix(literal.as_slice()).is_some_and(|rest| model(more, rest))
        }
        Piece::Param(param) => (0..=path.len()).any(|end| {
            let (taken, rest) = path.split_at(end);
            let fits = match param.language.rest() {
                Some(Rest::Empty | Rest::Any) => true,
                Some(Rest::Some) => !taken.is_empty(),
                Some(Rest::NoSlashFirst) => !taken.is_empty() && !taken.starts_with(b"/"),
                None => !taken.contains(&b'/') && param.language.matches(taken),
            };
            fits && model(more, rest)
        }),
    }
}

/// Whether a template matches a path or the same with a slash at its end.
fn model_matches(text: &str, path: &str) -> bool {
    let template = template::parse(text).unwrap();
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').filter(|inner| !inner.is_empty()).unwrap_or(inner);
    let matches = |path: &str| model(&template.pieces, path.as_bytes());
    // There is no slash to add to the root.
    matches(inner) || (!inner.is_empty() && matches(&format!("{inner}/")))
}

fn a_template() -> impl Strategy<Value = String> {
    let segment = select(vec![
        "a",
        "b",
        "ab",
        "1",
        "{x}",
        "{x}",
        "<int:x>",
        "{x}.b",
        "a{x}",
        "{x:[ab]+}",
        "{x:path}",
        "<path:x>",
        "a{x:path}",
        "{x:path}b",
        "{x}-{y}",
    ]);
    proptest::collection::vec(segment, 1..5).prop_filter_map("names are unique", |segments| {
        let named = |(at, segment): (usize, &&str)| {
            segment.replace('x', &format!("x{at}")).replace('y', &format!("y{at}"))
        };
        let text =
            format!("/{}", segments.iter().enumerate().map(named).collect::<Vec<_>>().join("/"));
        template::parse(&text).is_ok().then_some(text)
    })
}

fn a_path() -> impl Strategy<Value = String> {
    let segment = select(vec!["a", "b", "ab", "1", "12", "a.b", "", "b-a", "aab", "-"]);
    proptest::collection::vec(segment, 0..6).prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #[test]
    fn one_template_matches_what_the_model_matches(template in a_template(), path in a_path()) {
        let found = find(&specific(&[&template]), &path).is_some();
        prop_assert_eq!(found, model_matches(&template, &path), "{} {}", template, path);
    }

    #[test]
    fn of_many_declared_ones_the_first_of_the_model_wins(
        templates in proptest::collection::vec(a_template(), 1..12),
        path in a_path(),
    ) {
        let texts: Vec<&str> = templates.iter().map(String::as_str).collect();
        let expected = texts.iter().position(|text| model_matches(text, &path));
        prop_assert_eq!(find(&compile(&texts, Precedence::Declared), &path), expected);
    }

    #[test]
    fn the_most_specific_one_is_one_that_matches(
        templates in proptest::collection::vec(a_template(), 1..12),
        path in a_path(),
    ) {
        let mut texts: Vec<String> = Vec::new();
        for template in templates {
            texts.push(template);
            if Templates::compile(&texts, Precedence::Specific).is_err() {
                texts.pop();
            }
        }
        let made = Templates::compile(&texts, Precedence::Specific).unwrap();
        let all: Vec<usize> =
            (0..texts.len()).filter(|&at| model_matches(&texts[at], &path)).collect();
        prop_assert_eq!(made.all(path.as_bytes(), &mut Scratch::default()), all.clone());
        let found = find(&made, &path);
        prop_assert_eq!(found.is_some(), !all.is_empty());
        prop_assert!(found.is_none_or(|found| all.contains(&found)));
    }

    #[test]
    fn what_a_template_renders_matches_it(template in a_template(), seed in any::<u64>()) {
        let sample = template::parse(&template).unwrap().sample(seed);
        prop_assert_eq!(find(&specific(&[&template]), &sample), Some(0), "{}", sample);
    }

    #[test]
    fn any_bytes_are_a_path(path in proptest::collection::vec(any::<u8>(), 0..300)) {
        let templates = specific(&["/{p:path}/a/{q:path}", "/{x}/{y:int}/{z}.b"]);
        let _ = templates.find(Method::Get, &path, &mut Scratch::default());
        let all = templates.all(&path, &mut Scratch::default());
        for template in all {
            let names = ["p", "q", "x", "y", "z"].map(str::to_owned);
            for range in templates.locate(template, &names, &path, &mut Scratch::default()) {
                prop_assert!(path.get(range).is_some());
            }
        }
    }
}
