//! The configuration: any bytes as what Envoy hands over.
//!
//! What is refused must be said in lines that a log can hold, each about one problem. What is accepted must
//! compile into a plan whose templates are found by their own samples.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::Method;
use sightline_core::config::{Problem, Settings, read};
use sightline_core::route::{Scratch, Target};
use sightline_core::{Place, Plan};

const METHODS: [Method; 4] = [Method::Get, Method::Post, Method::Query, Method::Trace];

fuzz_target!(|input: &[u8]| {
    let said = read(input);
    assert_eq!(said, read(input), "said twice");
    match said {
        Ok(settings) => is_compiled(&settings),
        Err(problems) => {
            assert!(problems.iter().count() > 0);
            assert_eq!(problems.to_string().lines().count(), problems.iter().count());
            problems.iter().for_each(is_one_line);
        }
    }
});

fn is_one_line(problem: &Problem) {
    let line = problem.to_string();
    assert!(!line.is_empty() && !line.contains(char::is_control), "{line:?}");
}

fn is_compiled(settings: &Settings) {
    settings.warnings().iter().for_each(is_one_line);
    let plan = Plan::new(settings, &Place::default());
    assert!(!plan.request_id_header.is_empty() && !plan.service.is_empty());
    let scratch = &mut Scratch::default();
    for entry in &settings.routes.keys.templates.0 {
        let path = entry.template.sample(0);
        for method in METHODS.into_iter().filter(|&method| entry.template.methods.takes(method)) {
            let target = plan.router.target(method, path.as_bytes(), scratch);
            assert_ne!(target, Target::Open, "{method:?} {path:?}");
            if let Target::Template(_) = target {
                assert!(plan.router.rules(target).is_some(), "{target:?}");
            }
            if let Some(redacted) = plan.router.redacted(target, path.as_bytes(), scratch) {
                let redacted = String::from_utf8_lossy(&redacted);
                assert!(redacted.contains("REDACTED"), "{redacted:?} of {path:?}");
            }
        }
    }
}
