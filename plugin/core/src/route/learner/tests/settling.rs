//! Second thoughts: decay, opening, relapses, pressure.

use super::*;

/// One hour of traffic, and its end.
fn hour(state: &mut Learned, hour: u32, paths: impl Iterator<Item = String>) {
    let mut own = state.clone();
    let mut open = Vec::new();
    for path in paths {
        if own.find(&parts(&path)).is_none() || own.count(&parts(&path)) == Attention::Promote {
            open.push(path);
        }
    }
    state.absorb(&own, LIMITS);
    for path in open {
        let _ = state.admit(&parts(&path), LIMITS);
    }
    state.settle(hour, LIMITS);
    check(state);
}

fn many(hour: u32) -> impl Iterator<Item = String> {
    (0..400).map(move |n| format!("/blog/post-{hour}-{n}"))
}

fn few() -> impl Iterator<Item = String> {
    (0..100).map(|n| format!("/blog/page-{}", n % 3))
}

/// Hours of few words until the parent opens.
fn patience(state: &mut Learned, from: u32) -> u32 {
    let opens = |at: &u32| {
        hour(state, from + at, few());
        state.summary().collapsed == 0
    };
    (1..500).find(opens).unwrap()
}

fn hits(state: &Learned, path: &str) -> u32 {
    let end = state.tree.walk(&parts(path)).unwrap();
    state.tree.node(end.id).unwrap().hits.agreed
}

#[test]
fn hits_halve_with_every_hour_that_has_passed_and_only_then() {
    let mut state = Learned::default();
    for _ in 0..64 {
        state.admit(&parts("/a"), LIMITS).unwrap();
    }
    let rows = [
        ("first", 10, 64),
        ("same", 10, 64),
        ("next", 11, 32),
        ("back", 9, 32),
        ("three", 14, 4),
        ("far", u32::MAX, 0),
    ];
    for (row, hour, expected) in rows {
        state.settle(hour, LIMITS);
        assert_eq!(hits(&state, "/a"), expected, "{row}");
        let bytes = encoded(&state);
        state.settle(hour, LIMITS);
        assert_eq!(encoded(&state), bytes, "{row}: once");
    }
    assert_eq!(route(&state, "/a"), Some("/a"));
}

#[test]
fn a_parent_opens_when_its_rare_words_are_gone_and_later_after_each_relapse() {
    let mut state = Learned::default();
    let mut now = 1;
    let mut waited = Vec::new();
    for _ in 0..3 {
        hour(&mut state, now, many(now));
        assert_eq!(state.summary().collapsed, 1);
        let hours = patience(&mut state, now);
        waited.push(hours);
        now += hours + 1;
        hour(&mut state, now, few());
        assert_eq!(route(&state, "/blog/page-1"), Some("/blog/page-1"));
        assert_eq!(route(&state, "/blog/other"), None, "{{str}} has gone");
        now += 1;
    }
    // Some hours pass before the sketch has forgotten the rare words.
    assert!((6..12).contains(&waited[0]), "{waited:?}");
    assert!((12..18).contains(&waited[1]), "{waited:?}");
    assert!((24..30).contains(&waited[2]), "{waited:?}");
}

#[test]
fn a_parent_that_keeps_its_rare_words_stays_collapsed_also_through_quiet_nights() {
    let mut state = Learned::default();
    for now in 1..100 {
        let busy = if now % 24 < 12 { 400 } else { 2 };
        hour(&mut state, now, many(now).take(busy));
        assert_eq!(state.summary().collapsed, 1, "hour {now}");
    }
    assert_eq!(routes(&state), BTreeSet::from(["/blog/{str}"]));
}

#[test]
fn typed_traffic_keeps_str_when_a_parent_opens() {
    let mut state = Learned::default();
    hour(&mut state, 1, many(1));
    let busy = || few().chain((0..50).map(|_| "/blog/{str}".to_owned()));
    (2..20).for_each(|now| hour(&mut state, now, busy()));
    assert_eq!(state.summary().collapsed, 0);
    assert_eq!(route(&state, "/blog/{str}"), Some("/blog/{str}"));
}

#[test]
fn a_kept_word_that_has_become_rare_falls_back_into_str() {
    let mut state = Learned::default();
    hour(&mut state, 1, (0..100).map(|_| "/blog/today".to_owned()));
    hour(&mut state, 2, many(2));
    assert_eq!(route(&state, "/blog/today"), Some("/blog/today"));
    (3..10).for_each(|now| hour(&mut state, now, (0..3).flat_map(move |_| many(now))));
    assert_eq!(routes(&state), BTreeSet::from(["/blog/{str}"]));
}

#[test]
fn pressure_collapses_the_widest_parents_until_a_quarter_is_free() {
    let mut state = Learned::default();
    state.settle(1, LIMITS);
    for parent in 0..20 {
        let width = if parent < 10 { 20 } else { 3 };
        for child in 0..width {
            let _ = state.admit(&parts(&format!("/p{parent}/c{child}")), LIMITS);
        }
    }
    assert_eq!(state.summary().active, 200);
    assert_eq!(state.summary().refused, 30);
    state.settle(2, LIMITS);
    check(&state);
    // Three of the ten wide ones: 200 - 3 * 19 is under 150.
    assert_eq!(state.summary(), Summary { active: 143, collapsed: 3, refused: 30 });
    assert_eq!(route(&state, "/p0/other"), Some("/p0/{str}"));
    state.settle(3, LIMITS);
    assert_eq!(state.summary().active, 143, "without refusals nothing more");
}

#[test]
fn where_the_limit_refuses_again_and_again_room_is_made_within_the_hour() {
    let mut state = Learned::default();
    state.settle(1, LIMITS);
    // Names below names: no parent is wide enough by itself.
    let path = |number: usize| {
        format!("/user{}/repo{}", "a".repeat(number % 25), "b".repeat(number / 25 % 50))
    };
    let mut number = 0;
    while state.summary().refused < 119 {
        let _ = state.admit(&parts(&path(number)), LIMITS);
        number += 1;
    }
    state.settle(1, LIMITS);
    assert_eq!(state.summary(), Summary { active: 200, collapsed: 0, refused: 119 });
    while state.summary().refused < 120 {
        let _ = state.admit(&parts(&path(number)), LIMITS);
        number += 1;
    }
    state.settle(1, LIMITS);
    check(&state);
    assert!(state.summary().active <= 150, "{:?}", state.summary());
}

#[test]
fn a_name_that_comes_back_has_its_old_number() {
    let mut state = Learned::default();
    let first = state.admit(&parts("/blog/page-1"), LIMITS).unwrap().route;
    hour(&mut state, 1, many(1));
    assert_eq!(state.name(first), Some("/blog/page-1"), "an exchange may still be on its way");
    patience(&mut state, 1);
    let again = state.admit(&parts("/blog/page-1"), LIMITS).unwrap().route;
    assert_eq!(again, first);
}

#[test]
fn when_names_run_out_nearly_all_paths_still_have_a_route() {
    let mut state = Learned::default();
    // Each hour other parents, all too narrow to collapse by themselves.
    for now in 1..40 {
        let paths = (0..300).map(|n| format!("/p{}/q{}/r-{now}-{n}", n % 4, n % 20));
        hour(&mut state, now, paths);
        assert!(state.names.all().count() <= 2 * LIMITS.routes);
    }
    let before = state.summary().refused;
    hour(&mut state, 40, (0..300).map(|n| format!("/p{}/q{}/r-{n}", n % 4, n % 20)));
    let refused = state.summary().refused - before;
    assert!(refused <= 30, "{refused} of 300: {:?}", routes(&state));
}
