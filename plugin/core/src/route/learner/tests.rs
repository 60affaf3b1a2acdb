//! What the learner promises, seen from outside, and the invariants of its state.

mod agreement;
mod bytes;
mod settling;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::collapse::for_each_child;
use super::tree::{Ends, Id};
use super::*;
use crate::route::segment::Kind;

const LIMITS: Limits = Limits { routes: 200, children: Some(32) };

/// The parts of a path written as a route is.
fn parts(path: &str) -> Vec<Part<'_>> {
    path.split('/').filter(|part| !part.is_empty()).map(part).collect()
}

fn part(part: &str) -> Part<'_> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.placeholder() == part);
    kind.map_or(Part::Word(part.as_bytes()), Part::Kind)
}

/// What a caller does with a confirmed answer where there is but one worker.
fn answer(learned: &mut Learned, path: &str, limits: Limits) {
    let path = parts(path);
    if learned.find(&path).is_none() || learned.count(&path) == Attention::Promote {
        let _ = learned.admit(&path, limits);
    }
}

fn learned<'a>(paths: impl IntoIterator<Item = &'a str>, limits: Limits) -> Learned {
    let mut learned = Learned::default();
    paths.into_iter().for_each(|path| answer(&mut learned, path, limits));
    check(&learned);
    learned
}

fn route<'a>(learned: &'a Learned, path: &str) -> Option<&'a str> {
    learned.find(&parts(path)).and_then(|found| learned.name(found.route))
}

fn routes(learned: &Learned) -> BTreeSet<&str> {
    learned.routes().map(|(_, name)| name).collect()
}

fn encoded(learned: &Learned) -> Vec<u8> {
    let mut bytes = Vec::new();
    learned.encode(&mut bytes);
    bytes
}

/// The invariants that hold between any two calls.
fn check(learned: &Learned) {
    let mut spelled = BTreeSet::new();
    check_below(learned, Id::ROOT, &mut String::new(), 0, &mut spelled);
    let named: BTreeSet<_> = learned.routes().map(|(slot, name)| (slot, name.to_owned())).collect();
    assert_eq!(spelled, named);
    assert_eq!(learned.summary().active, named.len());
    let ids = learned.tree.below(Id::ROOT);
    assert_eq!(ids.len(), learned.tree.len(), "no node is lost");
    let words = ids.iter().flat_map(|&id| &learned.tree.node(id).unwrap().words);
    assert_eq!(words.map(|edge| edge.word.len()).sum::<usize>(), learned.tree.word_bytes);
    assert!(learned.tree.len() <= bounds::NODES && learned.tree.word_bytes <= bounds::WORD_BYTES);
}

fn check_below(
    learned: &Learned,
    id: Id,
    path: &mut String,
    depth: usize,
    spelled: &mut BTreeSet<(Slot, String)>,
) {
    let node = learned.tree.node(id).unwrap();
    assert!(depth <= bounds::DEPTH);
    assert_ne!(node.ends, Ends::Unnamed);
    if let Ends::At(slot) = node.ends {
        let name = if path.is_empty() { "/".to_owned() } else { path.clone() };
        assert!(spelled.insert((slot, name)));
    }
    for_each_child(node, path, &mut |child, path| {
        check_below(learned, child, path, depth + 1, spelled);
    });
}

/// A small generator, so that an order is one number.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for at in (1..items.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
    }
}

#[test]
fn a_path_is_known_once_it_is_admitted_and_not_before() {
    let rows = [
        ("the root", "/"),
        ("a word", "/users"),
        ("a kind", "/{int}"),
        ("words and kinds", "/users/{int}/orders/{uuid}"),
        ("sixteen parts", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p"),
        (
            "a word of 64 bytes",
            concat!("/", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        ),
        ("seven and eight bytes", "/1234567/12345678"),
    ];
    for (row, path) in rows {
        let mut learned = Learned::default();
        assert_eq!(route(&learned, path), None, "{row}");
        let found = learned.admit(&parts(path), LIMITS).unwrap();
        assert_eq!(learned.find(&parts(path)), Some(found), "{row}");
        assert_eq!(learned.name(found.route), Some(path), "{row}");
        assert!(!found.collapsed, "{row}");
        check(&learned);
    }
}

#[test]
fn words_of_any_length_are_told_apart() {
    let limits = Limits { routes: 2_000, children: None };
    let mut words: Vec<String> =
        (1..=64).map(|length| "/".to_owned() + &"a".repeat(length)).collect();
    for length in 1..=64 {
        for at in 0..length {
            let mut word = "a".repeat(length);
            word.replace_range(at..=at, "b");
            words.push(format!("/{word}"));
        }
    }
    words.truncate(2_000);
    shuffle(&mut words, 5);
    let learned = learned(words.iter().map(String::as_str), limits);
    for word in &words {
        assert_eq!(route(&learned, word), Some(&**word));
    }
    assert!(Learned::decode(&encoded(&learned)).is_some(), "sorted as the bytes say");
}

#[test]
fn what_typing_never_gives_is_refused() {
    let long = format!("/{}", "a".repeat(65));
    let deep = "/a".repeat(17);
    let rows = [("a word too long", &*long), ("a part too many", &deep), ("a brace", "/{x")];
    for (row, path) in rows {
        let mut learned = Learned::default();
        assert_eq!(learned.admit(&parts(path), LIMITS), Err(Full), "{row}");
        assert_eq!(learned.summary(), Summary { refused: 1, ..Summary::default() }, "{row}");
        check(&learned);
    }
}

#[test]
fn a_part_of_a_known_path_is_not_known() {
    let learned = learned(["/users/{int}/orders"], LIMITS);
    for path in ["/", "/users", "/users/{int}", "/users/{int}/orders/x", "/users/me"] {
        assert_eq!(route(&learned, path), None, "{path}");
    }
}

#[test]
fn one_word_too_many_collapses_the_rare_ones() {
    let mut paths: Vec<String> = vec!["/blog/about".to_owned(); 40];
    paths.extend((0..32).map(|n| format!("/blog/post-{n}")));
    let learned = learned(paths.iter().map(String::as_str), LIMITS);
    assert_eq!(routes(&learned), BTreeSet::from(["/blog/about", "/blog/{str}"]));
    assert_eq!(learned.summary(), Summary { active: 2, collapsed: 1, refused: 0 });
    let found = learned.find(&parts("/blog/never-seen")).unwrap();
    assert!(found.collapsed);
}

#[test]
fn what_is_below_collapsed_words_is_merged_and_may_collapse_in_turn() {
    let paths = (0..40).flat_map(|n| {
        [
            format!("/shops/shop-{n}"),
            format!("/shops/shop-{n}/items/item-{n}/{{int}}"),
            format!("/shops/shop-{n}/orders"),
        ]
    });
    let paths: Vec<_> = paths.collect();
    let learned = learned(paths.iter().map(String::as_str), LIMITS);
    let expected = ["/shops/{str}", "/shops/{str}/items/{str}/{int}", "/shops/{str}/orders"];
    assert_eq!(routes(&learned), BTreeSet::from(expected));
}

#[test]
fn typed_and_collapsed_str_share_a_route() {
    let mut paths = vec!["/blog/{str}".to_owned()];
    paths.extend((0..40).map(|n| format!("/blog/post-{n}")));
    let learned = learned(paths.iter().map(String::as_str), LIMITS);
    assert_eq!(routes(&learned), BTreeSet::from(["/blog/{str}"]));
    assert!(!learned.find(&parts("/blog/{str}")).unwrap().collapsed);
    assert!(learned.find(&parts("/blog/x")).unwrap().collapsed);
}

#[test]
fn nothing_collapses_where_words_are_only_typed() {
    let limits = Limits { routes: 500, children: None };
    let paths: Vec<_> = (0..400).map(|n| format!("/blog/post-{n}")).collect();
    let mut learned = learned(paths.iter().map(String::as_str), limits);
    learned.settle(1, limits);
    learned.settle(2, limits);
    assert_eq!(learned.summary(), Summary { active: 400, collapsed: 0, refused: 0 });
}

#[test]
fn a_word_that_becomes_heavy_leaves_str() {
    let paths: Vec<_> = (0..40).map(|n| format!("/blog/post-{n}")).collect();
    let mut learned = learned(paths.iter().map(String::as_str), LIMITS);
    assert_eq!(route(&learned, "/blog/archive"), Some("/blog/{str}"));
    (0..20).for_each(|_| answer(&mut learned, "/blog/archive", LIMITS));
    assert_eq!(route(&learned, "/blog/archive"), Some("/blog/archive"));
    check(&learned);
}

#[test]
fn promotions_take_at_most_half_of_the_limit() {
    let limits = Limits { routes: 20, children: Some(4) };
    let mut learned = Learned::default();
    for round in 0..400 {
        for parent in 0..4 {
            let path = format!("/p{parent}/word-{}", round % 8);
            answer(&mut learned, &path, limits);
        }
    }
    check(&learned);
    let beside = routes(&learned).iter().filter(|name| !name.ends_with("{str}")).count();
    assert!((8..=10).contains(&beside), "{:?}", routes(&learned));
    let path = parts("/p0/word-7");
    assert_eq!(learned.count(&path), Attention::None, "nobody asks in vain");
}

#[test]
fn at_the_limit_what_is_known_stays_and_what_is_new_is_refused() {
    let limits = Limits { routes: 3, children: Some(32) };
    let mut learned = learned(["/a", "/b/{int}", "/c"], limits);
    let before = encoded(&learned.clone());
    for path in ["/d", "/a/x/y", "/b", "/b/{uuid}", "/"] {
        assert_eq!(learned.admit(&parts(path), limits), Err(Full), "{path}");
        check(&learned);
    }
    assert!(learned.admit(&parts("/a"), limits).is_ok());
    assert_eq!(learned.summary(), Summary { active: 3, collapsed: 0, refused: 5 });
    assert_eq!(learned.tree.len(), Learned::decode(&before).unwrap().tree.len());
}

#[test]
fn explaining_says_for_each_part_how_it_was_taken() {
    let mut paths: Vec<_> = (0..40).map(|n| format!("/blog/post-{n}/edit")).collect();
    paths.extend(vec!["/blog/about".to_owned(); 40]);
    let learned = learned(paths.iter().map(String::as_str), LIMITS);
    let steps = learned.explain(&parts("/blog/hello/edit/now/{int}"));
    let taken: Vec<_> = steps.iter().map(|step| (&*step.part, step.taken)).collect();
    let expected = [
        ("blog", Taken::AsIs),
        ("hello", Taken::AsStr { distinct: 41 }),
        ("edit", Taken::AsIs),
        ("now", Taken::Unknown),
        ("{int}", Taken::Unknown),
    ];
    assert_eq!(taken, expected);
}

#[test]
fn suggestions_are_for_routes_with_parameters_and_the_most_used_come_first() {
    let mut paths: Vec<_> = (0..40).map(|n| format!("/blog/post-{n}")).collect();
    paths.extend(["/users/{int}/orders/{uuid}".to_owned(), "/health".to_owned()]);
    let learned = learned(paths.iter().map(String::as_str), LIMITS);
    let found = learned.suggest();
    let said: Vec<_> =
        found.iter().map(|one| (&*one.template, &*one.replaces, one.hits, one.learned)).collect();
    let orders = "/users/{int}/orders/{uuid}";
    let expected = [
        ("/blog/{blog_slug}", "/blog/{str}", 40, true),
        ("/users/{user_id:int}/orders/{order_id:uuid}", orders, 1, false),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_million_distinct_paths_stay_under_a_mebibyte() {
    const PATHS: u64 = 1_000_000;
    let mut learned = Learned::default();
    for n in 0..PATHS {
        let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let path = match n % 5 {
            0 => format!("/word-{n}"),
            1 => format!("/blog/a-slug-of-some-length-{random:x}"),
            2 => format!("/t-{:x}/u-{:x}/v-{random:x}", random >> 60, random >> 50),
            3 => {
                format!("/p{}/q{}/r{}/s{}", random >> 62, random >> 59, random >> 57, random >> 40)
            }
            _ => format!(
                "/x{0}/{{int}}/y{0}/{{uuid}}/{1}",
                n % 64,
                "z".repeat(1 + (n % 60) as usize)
            ),
        };
        answer(&mut learned, &path, LIMITS);
        if n % 100_000 == 0 {
            learned.settle(1 + u32::try_from(n / 100_000).unwrap(), LIMITS);
        }
    }
    check(&learned);
    let (memory, encoded) = (learned.bytes(), encoded(&learned).len());
    println!("{PATHS} paths: {memory} bytes in memory, {encoded} encoded, {:?}", learned.summary());
    assert!(memory < 1024 * 1024 && encoded < 1024 * 1024);
    assert!(learned.summary().active <= LIMITS.routes);
}

#[test]
fn no_limits_however_large_lead_beyond_a_mebibyte() {
    let long = "x".repeat(55);
    let rows = [("typed", None), ("wide", Some(30_000)), ("narrow", Some(1))];
    for (row, children) in rows {
        let limits = Limits { routes: usize::MAX, children };
        let mut learned = Learned::default();
        for n in 0..20_000 {
            let kind = Kind::ALL[n % 9].placeholder();
            let date = Kind::ALL[n / 9 % 9].placeholder();
            answer(&mut learned, &format!("/{kind}/{date}/{long}-{n}/{}", n % 50), limits);
            answer(&mut learned, &format!("/w{n}"), limits);
        }
        check(&learned);
        let (memory, encoded) = (learned.bytes(), encoded(&learned));
        println!("{row}: {memory} bytes in memory, {} encoded", encoded.len());
        assert!(memory < 1024 * 1024, "{row}");
        assert!(Learned::decode(&encoded).is_some(), "{row}");
    }
}

fn any_path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => (0..12u8).prop_map(|n| format!("/w{n}")),
        1 => (0..9usize).prop_map(|n| format!("/{}", Kind::ALL[n].placeholder())),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn whatever_comes_the_bounds_and_invariants_hold(
        paths in prop::collection::vec(any_path(), 0..300),
        most in 0usize..6,
        limit in 0usize..40,
    ) {
        let limits = Limits { routes: limit, children: Some(most) };
        let mut learned = Learned::default();
        for (n, path) in paths.iter().enumerate() {
            answer(&mut learned, path, limits);
            if n % 50 == 0 {
                learned.settle(u32::try_from(n / 50).unwrap() + 1, limits);
            }
            check(&learned);
            prop_assert!(learned.summary().active <= limit);
            prop_assert!(learned.names.all().count() <= 2 * limit);
        }
    }

    #[test]
    fn without_collapse_the_routes_are_the_first_distinct_paths(
        paths in prop::collection::vec(any_path(), 0..100),
        limit in 0usize..40,
    ) {
        let limits = Limits { routes: limit, children: None };
        let mut model: Vec<&str> = Vec::new();
        let mut learned = Learned::default();
        for path in &paths {
            let name = if path.is_empty() { "/" } else { path };
            if !model.contains(&name) && model.len() < limit {
                model.push(name);
            }
            answer(&mut learned, path, limits);
        }
        let found: Vec<_> = learned.routes().map(|(_, name)| name).collect();
        prop_assert_eq!(found, model);
    }

    #[test]
    fn an_admitted_path_is_found_and_explained_alike(
        paths in prop::collection::vec(any_path(), 1..200),
        most in 1usize..6,
    ) {
        let limits = Limits { routes: 2_000, children: Some(most) };
        let mut learned = Learned::default();
        for path in &paths {
            let admitted = learned.admit(&parts(path), limits).unwrap();
            prop_assert_eq!(learned.find(&parts(path)), Some(admitted));
            let steps = learned.explain(&parts(path));
            let as_str = steps.iter().any(|step| matches!(step.taken, Taken::AsStr { .. }));
            prop_assert_eq!(as_str, admitted.collapsed);
            let spelled: String = steps.iter().map(|step| match step.taken {
                Taken::AsStr { .. } => "/{str}".to_owned(),
                _ => format!("/{}", step.part),
            }).collect();
            let name = learned.name(admitted.route).unwrap();
            prop_assert_eq!(name.trim_end_matches('/'), spelled);
        }
    }

    #[test]
    fn a_route_that_is_looked_up_as_a_path_is_itself(
        paths in prop::collection::vec(any_path(), 1..200),
    ) {
        let limits = Limits { routes: 2_000, children: Some(4) };
        let mut learned = Learned::default();
        for path in &paths {
            answer(&mut learned, path, limits);
        }
        for (slot, name) in learned.routes() {
            prop_assert_eq!(learned.find(&parts(name)).map(|found| found.route), Some(slot));
        }
    }
}
