//! Parity: does the core name the route that the real framework chooses?
//!
//! Three applications, as somebody would write them on `FastAPI`, Flask and Django, are in
//! `tests/frameworks/`. Each prints its routes in the order in which its framework tries them, and
//! answers any probe with the route that the framework itself chooses. The core compiles the same
//! list and is asked the same. No answer is written down here: the framework is the judge.
//!
//! What counts as chosen:
//!
//! - A redirect to the same path with or without a slash at its end counts as the route to which it
//!   leads, in all three: for us a trailing slash makes no difference.
//! - Several slashes that Flask or Starlette take for one, or for none at the end, count as no route,
//!   and so does the answer that a route exists but not with this method.
//! - What a mount swallows without a route of its own has none.
//!
//! Where we mean to differ is said once, in `deviation.rs`, each with its reason. A deviation is part
//! of what is expected, so it holds for all probes; and one that changes nothing fails the test.

mod deviation;
mod framework;
mod imported;
mod probes;
mod schema;
mod values;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sightline_core::Method;
use sightline_core::route::{Precedence, Scratch, Templates};

use deviation::{Deviation, Expectation};
use framework::Framework;
use probes::Probe;

/// How many differences a failure shows; the first ones tell enough.
const SHOWN: usize = 60;

/// A framework and all that it is asked.
struct Parity {
    framework: Framework,
    probes: Vec<Probe>,
}

/// Whether what the core found is what it should have.
type Fits = fn(&Expectation, Option<usize>) -> bool;

/// It is the very route.
const SAME: Fits = |expected, found| expected.route == found;

/// It is one of those that match by themselves, if the framework chooses any.
const POSSIBLE: Fits = |expected, found| {
    expected.route.is_none() || found.is_some_and(|it| expected.matching.contains(&it))
};

impl Parity {
    fn of(name: &str) -> Self {
        let framework = Framework::start(name);
        let templates = framework.templates();
        assert!(templates.len() >= 45, "{name} has only {} routes", templates.len());
        let probes = probes::of(&templates);
        assert!(probes.len() >= 400, "{name} is asked only {} probes", probes.len());
        Self { framework, probes }
    }

    fn holds_in_declared_order(&mut self, deviations: &[Deviation]) {
        let core = Core::declared(&self.framework);
        self.holds(&core, deviations, SAME);
    }

    fn holds_for_the_most_specific(&mut self, deviations: &[Deviation], fits: Fits) {
        let core = Core::specific(&self.framework);
        // Nobody writes the OPTIONS that Flask adds to its rules.
        self.probes.retain(|probe| probe.method != "OPTIONS");
        self.holds(&core, deviations, fits);
    }

    fn holds(&mut self, core: &Core, deviations: &[Deviation], fits: Fits) {
        let mut differences = Vec::new();
        let (mut met, mut routed) = (BTreeSet::new(), BTreeSet::new());
        for probe in &self.probes {
            let expected = Expectation::of(probe, &mut self.framework, deviations);
            let found = self.framework.route_of(core.find(probe));
            if !fits(&expected, found) {
                differences.push(self.difference(probe, &expected, found));
            }
            routed.extend(expected.route);
            met.extend(expected.met);
        }
        report(&differences, self.probes.len());
        let unmet: Vec<_> = deviations.iter().filter(|it| !met.contains(it)).collect();
        assert!(unmet.is_empty(), "no probe shows {unmet:?}: take it away, or find a probe");
        // Else most probes could be of no route, and to agree would mean little.
        assert!(routed.len() * 10 >= core.places.len() * 8, "only {routed:?} are ever chosen");
    }

    fn difference(&self, probe: &Probe, expected: &Expectation, found: Option<usize>) -> String {
        format!(
            "{probe}\n    expected {}\n    found    {}\n    the framework itself: {}",
            self.framework.spelt(expected.route),
            self.framework.spelt(found),
            expected.answer
        )
    }
}

/// Our side: templates, each with its place in the framework's list.
struct Core {
    templates: Templates,
    places: Vec<usize>,
}

impl Core {
    /// The list as it is.
    fn declared(framework: &Framework) -> Self {
        Self::compiled(framework.templates().into_iter().enumerate(), Precedence::Declared)
    }

    /// The list as people write it: without the OPTIONS that Flask adds, which all rules for a path have
    /// in common, and without a second spelling of a path. The core refuses both, for neither of two
    /// templates would be the more specific one.
    fn specific(framework: &Framework) -> Self {
        let mut seen = BTreeSet::new();
        let all = framework.templates().into_iter().map(|it| without_options(&it)).enumerate();
        let once = all.filter(|(_, it)| seen.insert(it.trim_end_matches('/').to_owned()));
        Self::compiled(once, Precedence::Specific)
    }

    fn compiled(all: impl Iterator<Item = (usize, String)>, precedence: Precedence) -> Self {
        let (places, texts): (Vec<_>, Vec<_>) = all.unzip();
        let templates = Templates::compile(&texts, precedence).unwrap_or_else(|problems| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("the core does not take the framework's routes:\n{}", lines.join("\n"))
        });
        Self { templates, places }
    }

    fn find(&self, probe: &Probe) -> Option<usize> {
        let (method, path) = (method(probe.method), probe.path.as_bytes());
        let found = self.templates.find(method, path, &mut Scratch::default());
        found.map(|number| self.places[number])
    }
}

fn without_options(template: &str) -> String {
    template.replacen(",OPTIONS", "", 1).replacen("OPTIONS,", "", 1)
}

fn method(name: &str) -> Method {
    match name {
        "CONNECT" => Method::Connect,
        "DELETE" => Method::Delete,
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "QUERY" => Method::Query,
        "TRACE" => Method::Trace,
        _ => Method::Other,
    }
}

fn report(differences: &[String], probes: usize) {
    let mut text = String::new();
    for difference in differences.iter().take(SHOWN) {
        let _ = writeln!(text, "{difference}");
    }
    assert!(
        differences.is_empty(),
        "{} of {probes} probes differ, of which the first are:\n{text}",
        differences.len()
    );
}

#[test]
fn the_core_names_the_route_that_fastapi_chooses() {
    let mut parity = Parity::of("fastapi");
    parity.holds_in_declared_order(deviation::FASTAPI);
    parity.holds_for_the_most_specific(deviation::FASTAPI, POSSIBLE);
}

#[test]
fn the_core_names_the_rule_that_flask_chooses() {
    let mut parity = Parity::of("flask");
    parity.holds_in_declared_order(deviation::FLASK);
    parity.holds_for_the_most_specific(deviation::FLASK_BY_WEIGHT, SAME);
}

#[test]
fn the_core_names_the_path_that_django_chooses() {
    let mut parity = Parity::of("django");
    parity.holds_in_declared_order(deviation::DJANGO);
    parity.holds_for_the_most_specific(deviation::DJANGO, POSSIBLE);
}
