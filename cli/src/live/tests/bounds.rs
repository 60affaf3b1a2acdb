//! Memory is bounded whatever comes, and what is counted stays exact.

use super::super::bounds;
use super::*;

#[test]
fn two_hundred_thousand_lines_are_counted_exactly_within_bounds() {
    let mut store = store();
    let lines: Vec<String> = (0..1_000_u64)
        .map(|number| {
            Written::new(&format!("/route/{}", number % 100), NOW + number * 10_000, number)
                .with("status", if number % 10 == 0 { 500 } else { 200 })
                .with("request_id", format!("req-{number}"))
                .with("trace_id", TRACE)
                .with("user_agent", "x".repeat(300))
                .text()
        })
        .collect();
    for number in 0..200_000_u64 {
        let line = &lines[usize::try_from(number % 1_000).unwrap()];
        take(&mut store, NOW + 10 * SECOND, line.as_bytes());
    }
    let snapshot = store.snapshot(NOW + 10 * SECOND);
    assert_eq!((snapshot.totals.requests, snapshot.totals.errors), (200_000, 20_000));
    assert_eq!(snapshot.routes.len(), 100);
    assert!(snapshot.routes.iter().all(|row| row.told.requests == 2_000));
    assert_eq!(snapshot.totals.spark[50..], [20_000; 10]);
    assert_eq!((snapshot.totals.rate, snapshot.totals.error_ratio), (20_000.0, 0.1));
    assert_eq!((snapshot.kept.lines, snapshot.kept.lines_taken), (bounds::NEWEST, 200_000));
    assert_eq!(snapshot.dropped, Dropped::default());
    let newest = store.search("req-999");
    assert_eq!((newest.found.len(), newest.more), (bounds::FOUND, true));
}

#[test]
fn long_lines_take_up_no_more_than_the_newest_may() {
    let mut store = store();
    let long = Written::new("/a", NOW, 1).with("user_agent", "x".repeat(16_000)).text();
    for _ in 0..5_000 {
        take(&mut store, NOW, long.as_bytes());
    }
    let snapshot = store.snapshot(NOW);
    assert_eq!(snapshot.totals.requests, 5_000);
    assert!(snapshot.kept.line_bytes <= bounds::NEWEST_BYTES);
    assert!(snapshot.kept.lines > 1_900, "{}", snapshot.kept.lines);
}

#[test]
fn rows_have_a_limit_and_the_rest_is_one_row() {
    let mut store = store();
    for number in 0..2_500 {
        let line = Written::new(&format!("/{number}"), NOW, 1);
        take(&mut store, NOW, line.text().as_bytes());
        take(&mut store, NOW, line.text().as_bytes());
    }
    let snapshot = store.snapshot(NOW);
    assert_eq!(snapshot.routes.len(), bounds::ROUTES + 1);
    let rest = &snapshot.routes[0];
    assert_eq!(
        (rest.route.as_str(), rest.source, rest.told.requests),
        ("_other", "overflow", 1_000)
    );
    let reason = snapshot.dropped.reason.unwrap();
    assert_eq!(
        reason,
        "1000 requests are counted as _other, because there are 2,000 rows of routes."
    );
    assert_eq!(snapshot.totals.requests, 5_000);
}

#[test]
fn what_was_shown_is_found_long_after_it_was_new() {
    let mut store = store();
    let written = |id: String| Written::new("/a", NOW, 7).with("request_id", id).text();
    take(&mut store, NOW, written("shown-once".to_owned()).as_bytes());
    assert_eq!(store.snapshot(NOW).recent[0].request_id, "shown-once");
    let failed = Written::new("/a", NOW, 1).with("request_id", "it-failed").with("status", 500);
    take(&mut store, NOW, failed.text().as_bytes());
    let slow = Written::new("/a", NOW, 9_000_000).with("request_id", "it-was-slow");
    take(&mut store, NOW, slow.text().as_bytes());
    for number in 0..30_000 {
        take(&mut store, NOW, written(format!("later-{number}")).as_bytes());
    }
    for id in ["shown-once", "it-failed", "it-was-slow", "later-29999"] {
        let found = store.search(id).found;
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(found[0].request.request_id, id);
    }
    assert_eq!(store.search("later-9999").found.len(), 0, "gone, and no prefix of what is there");
}

#[test]
fn spans_have_a_limit() {
    let mut store = store();
    for _ in 0..60 {
        let spans = (0..1_000).map(|_| span(1, 0, "x", NOW, 1)).collect();
        store.spans(NOW, &exported("shop", "app", spans));
    }
    let kept = store.snapshot(NOW).kept;
    assert_eq!((kept.spans, kept.spans_taken), (bounds::SPANS, 60_000));
    let mut long = span(1, 0, "x", NOW, 1);
    let text = Said::StringValue("x".repeat(2_000));
    long.attributes = (0..500).map(|at| attribute(&at.to_string(), text.clone())).collect();
    let long = exported("shop", "app", vec![long]);
    for _ in 0..1_500 {
        store.spans(NOW, &long);
    }
    let kept = store.snapshot(NOW).kept;
    assert!(kept.span_bytes <= bounds::SPAN_BYTES, "{kept:?}");
    assert!(kept.spans > 500, "{kept:?}");
}
