//! What goes upstream, for every mode, caller, and state.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::{Place, Rng, config};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// States that a caller may send, one line each. The trace's randomness is `ce929d0e0e4736`.
const STATES: [(&str, &[&str]); 8] = [
    ("no state", &[]),
    ("a stranger's", &["a=1"]),
    ("in two lines", &["a=1", "b=2"]),
    ("a threshold that explains it", &["a=1,ot=th:8"]),
    ("one that does not", &["a=1,ot=th:f;rv:00000000000001"]),
    ("nothing but a threshold", &["ot=th:f"]),
    ("an empty one", &[""]),
    ("an invalid one", &["a=1,b"]),
];

fn plan(said: &str) -> Plan {
    Plan::new(&config::read(said.as_bytes()).unwrap(), &Place::default())
}

fn head(traceparent: Option<&str>, states: &[&str], plan: &Plan) -> RequestHead {
    let traceparent = traceparent.map(|it| (b"traceparent".as_slice(), it.as_bytes()));
    let states = states.iter().map(|it| (b"tracestate".as_slice(), it.as_bytes()));
    RequestHead::read(traceparent.into_iter().chain(states), plan).0
}

fn hop(head: &RequestHead, target: Target, tracing: Tracing, plan: &Plan) -> Hop {
    Hop::of(head, target, tracing, plan, &mut Rng::from_seed([9; 32]))
}

/// Whose span it is, and each header that changes, with words for IDs.
fn told(hop: &Hop) -> String {
    let mut text = match hop.role {
        Role::Span => "a span".to_owned(),
        Role::Context => "a context".to_owned(),
        Role::Bystander => "nothing".to_owned(),
    };
    hop.edit(|edit| {
        let _ = match edit {
            Edit::Set(name, value) | Edit::Add(name, value) => {
                let value = str::from_utf8(value).unwrap().replace(TRACE, "JOINED");
                let ours = str::from_utf8(&hop.context.span_id.to_hex()).unwrap().to_owned();
                let trace = str::from_utf8(&hop.context.trace_id.to_hex()).unwrap().to_owned();
                let value = value.replace(&ours, "OURS").replace(&trace, "NEW");
                write!(text, "; {} {value}", str::from_utf8(name).unwrap())
            }
            Edit::Remove(name) => write!(text, "; no {}", str::from_utf8(name).unwrap()),
        };
    });
    text + if hop.link.is_some() { "; a link\n" } else { "\n" }
}

#[test]
fn what_goes_upstream_for_every_caller_and_state() {
    let sampled = format!("00-{TRACE}-{PARENT}-01");
    let unsampled = format!("00-{TRACE}-{PARENT}-02");
    let callers = [
        ("nobody", None),
        ("who sampled", Some(sampled.as_str())),
        ("who did not", Some(unsampled.as_str())),
        ("who is invalid", Some("00-0-0-01")),
    ];
    let mut text = String::new();
    for said in [
        r#"{"sampling": {"ratio": 1}}"#,
        r#"{"sampling": {"ratio": 0}}"#,
        r#"{"sampling": {"ratio": 0.25, "parent": "ignore"}}"#,
        r#"{"sampling": {"ratio": 1}, "trace": {"inbound": "restart"}}"#,
    ] {
        let plan = plan(said);
        for (caller, traceparent) in callers {
            let _ = writeln!(text, "--- {said}, {caller}");
            for (name, states) in STATES {
                let head = head(traceparent, states, &plan);
                let hop = hop(&head, Target::Open, Tracing::Own, &plan);
                let _ = write!(text, "{name}: {}", told(&hop));
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn where_nothing_is_traced_a_caller_passes_untouched() {
    let sampled = format!("00-{TRACE}-{PARENT}-01");
    let plan = plan(r#"{"sampling": {"ratio": 1}}"#);
    let new = "a context; traceparent 00-NEW-OURS-02\n";
    for (tracing, target, traceparent, expected) in [
        (Tracing::Own, Target::Ignored, Some(sampled.as_str()), "nothing\n"),
        (Tracing::Own, Target::Ignored, None, new),
        (Tracing::Enrich, Target::Open, Some(sampled.as_str()), "nothing\n"),
        (Tracing::Enrich, Target::Open, None, "nothing\n"),
        (Tracing::Enrich, Target::Ignored, None, "nothing\n"),
        (Tracing::Off, Target::Open, Some(sampled.as_str()), "nothing\n"),
        (Tracing::Off, Target::Open, None, "nothing\n"),
        (Tracing::Off, Target::Ignored, Some("00-0-0-01"), "nothing\n"),
    ] {
        let head = head(traceparent, &[], &plan);
        let hop = hop(&head, target, tracing, &plan);
        assert_eq!(told(&hop), expected, "{tracing:?} {target:?} {traceparent:?}");
        let joined = hop.context.trace_id.to_hex() == *TRACE.as_bytes();
        assert_eq!(joined, traceparent == Some(sampled.as_str()), "{tracing:?} {traceparent:?}");
    }
}

#[test]
fn a_span_that_is_kept_by_rule_loses_its_threshold_and_nothing_else() {
    let unsampled = format!("00-{TRACE}-{PARENT}-00");
    let plan = plan(r#"{"sampling": {"ratio": 0}}"#);
    for (name, states, expected) in [
        ("none", [].as_slice(), ""),
        ("a stranger's", &["a=1"], "a=1"),
        ("a threshold", &["a=1,ot=th:f"], "a=1"),
        (
            "one among others",
            &["a=1,ot=x:y;th:f;rv:00000000000001,b=2"],
            "ot=x:y;rv:00000000000001,a=1,b=2",
        ),
        ("an invalid one", &["a=1,b"], ""),
    ] {
        let head = head(Some(&unsampled), states, &plan);
        let hop = hop(&head, Target::Open, Tracing::Own, &plan);
        let state = hop.tracestate_without_threshold(&head);
        assert_eq!(String::from_utf8(state).unwrap(), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn what_goes_upstream_is_valid_whatever_came(
        state in proptest::collection::vec(any::<u8>(), 0..60), sampled in any::<bool>(),
        ratio in 0.0_f64..=1.0, ignores in any::<bool>(),
    ) {
        let parent = if ignores { "ignore" } else { "respect" };
        let plan = plan(&format!(r#"{{"sampling": {{"ratio": {ratio:.4}, "parent": "{parent}"}}}}"#));
        let traceparent = format!("00-{TRACE}-{PARENT}-0{}", u8::from(sampled));
        let pairs = [(b"traceparent".as_slice(), traceparent.as_bytes()), (b"tracestate", &state)];
        let head = RequestHead::read(pairs.into_iter(), &plan).0;
        let hop = hop(&head, Target::Open, Tracing::Own, &plan);
        prop_assert!(Tracestate::parse(hop.tracestate(&head)).is_ok());
        prop_assert!(Tracestate::parse(&hop.tracestate_without_threshold(&head)).is_ok());
        let mut names = Vec::new();
        hop.edit(|edit| names.push(match edit {
            Edit::Set(name, value) => {
                let valid = name != b"tracestate" || Tracestate::parse(value).is_ok_and(|it| !it.is_empty());
                (name.to_vec(), valid)
            }
            Edit::Add(name, _) | Edit::Remove(name) => (name.to_vec(), name == b"tracestate"),
        }));
        prop_assert!(names.iter().all(|(_, valid)| *valid), "{:?}", names);
        prop_assert_eq!(names.iter().filter(|(name, _)| name == b"traceparent").count(), 1);
        prop_assert!(hop.context.parent.is_some());
    }
}
