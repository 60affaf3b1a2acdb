//! Routes: whether they are as fast and as small as they are to be.
//!
//! Not with criterion: most of what is promised are ratios and counts. What is compared is measured in
//! turns, and the table at the end says what was promised of each number.
//!
//! The templates are asked in two ways. *spread*: ten thousand requests in a random order, for all
//! templates alike and hardly two of the same path, so that neither the cache nor the branch predictor
//! has seen one before: most of what that costs is waiting for memory. *few*: ten requests over and over.
//! A service's traffic lies between the two, nearer to the second, because a few routes take most of it.
//! What is promised is of a typical path and is judged by *few*; the other stands beside it.

use std::hint::black_box;
use std::path::PathBuf;
use std::{env, fs};

use std::alloc::System;

use sightline_benches::allocations::{self, COUNTED};
use sightline_benches::catalogue::{Catalogue, Flavour, Probe, uuid, word};
use sightline_benches::flood::Flood;
use sightline_benches::report::{Report, Unit};
use sightline_benches::rounds::{self, Contender, Times};
use sightline_core::Rng;
use sightline_core::route::learner::{Learned, Limits};
use sightline_core::route::{
    Alone, Answer, Inference, Inferred, Precedence, Scratch, Shape, Templates,
};
use stats_alloc::StatsAlloc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = COUNTED;

const SIZES: [usize; 3] = [10, 1_000, 10_000];

/// What is promised.
const FIND: f64 = 250.0;
const FIND_RATIOS: [f64; 3] = [1.0, 1.5, 2.0];
const INFER: f64 = 150.0;
const GROWTH: f64 = 1024.0 * 1024.0;

/// As the filter's own defaults.
const LIMITS: Limits = Limits { routes: 200, children: Some(100) };

/// Paths after which the bound is reached: they have more routes than any limit.
const UNTIL_THE_BOUND: u64 = 100_000;

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    /// Requests that are spread over all templates.
    spread: usize,
    /// Distinct paths after the bound.
    paths: u64,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let name = arguments.iter().find(|argument| !argument.starts_with('-'));
    if name.is_some_and(|name| !"routes".contains(name.as_str())) {
        return;
    }
    // Without this it is a test that all of it runs.
    let effort = if arguments.iter().any(|argument| argument == "--bench") {
        Effort { rounds: 101, spread: 10_000, paths: 1_000_000 }
    } else {
        Effort { rounds: 1, spread: 10_000, paths: 10_000 }
    };
    let mut report = Report::default();
    matching(effort, &mut report);
    against_matchit(effort, &mut report);
    typing(effort, &mut report);
    learning(effort, &mut report);
    hits_allocate_nothing(&mut report);
    state(effort, "200 routes", LIMITS, &mut report);
    state(
        effort,
        "200 routes, nothing collapses",
        Limits { children: None, ..LIMITS },
        &mut report,
    );
    state(effort, "20,000 routes", Limits { routes: 20_000, ..LIMITS }, &mut report);
    print!("{report}");
    keep(&report);
}

/// Leaves the table where the others leave what they measured.
fn keep(report: &Report) {
    let Some(directory) = env::var_os("CRITERION_HOME").map(PathBuf::from) else { return };
    let kept = fs::create_dir_all(&directory)
        .and_then(|()| fs::write(directory.join("routes.txt"), report.to_string()));
    if let Err(error) = kept {
        eprintln!("{}: {error}", directory.display());
    }
}

fn rng() -> Rng {
    Rng::from_seed([7; 32])
}

/// Templates of one size, and what is asked of them.
struct Size {
    templates: Templates,
    spread: Vec<Probe>,
    few: Vec<Probe>,
}

impl Size {
    fn new(catalogue: Catalogue, precedence: Precedence, effort: Effort) -> Self {
        let templates = Templates::compile(&catalogue.templates(), precedence)
            .unwrap_or_else(|problems| panic!("{}", problems[0]));
        let mut rng = rng();
        let spread = catalogue.spread(effort.spread, &mut rng);
        let few = catalogue.few(&mut rng);
        let few = few.iter().cycle().take(effort.spread).cloned().collect();
        Self { templates, spread, few }
    }

    fn ask<'a>(&'a self, probes: &'a [Probe]) -> Contender<'a> {
        let mut scratch = Scratch::default();
        let find = move |probe: &Probe| {
            self.templates.find(probe.method, black_box(probe.path.as_bytes()), &mut scratch)
        };
        each(probes, find)
    }
}

/// A contender that looks something up for each of these, and finds it.
fn each<'a, T, R>(items: &'a [T], mut find: impl FnMut(&'a T) -> Option<R> + 'a) -> Contender<'a> {
    Contender::new(items.len(), move || {
        let found = items.iter().filter(|item| black_box(find(item)).is_some()).count();
        assert_eq!(found, items.len(), "something was not found");
    })
}

fn sizes(flavour: Flavour, precedence: Precedence, effort: Effort) -> [Size; 3] {
    SIZES.map(|size| Size::new(Catalogue { flavour, size }, precedence, effort))
}

fn matching(effort: Effort, report: &mut Report) {
    for precedence in [Precedence::Specific, Precedence::Declared] {
        let sizes = sizes(Flavour::All, precedence, effort);
        let [a, b, c] = &sizes;
        let contenders = [
            a.ask(&a.spread),
            b.ask(&b.spread),
            c.ask(&c.spread),
            a.ask(&a.few),
            b.ask(&b.few),
            c.ask(&c.few),
        ];
        let times = rounds::take(effort.rounds, contenders);
        let (spread, few) = times.split_at(SIZES.len());
        let mode = format!("{precedence:?}").to_lowercase();
        for (size, times) in SIZES.into_iter().zip(few) {
            let what = format!("find, {mode}, {size} templates, few");
            report.promised(what, times.time(), Unit::Nanoseconds, FIND);
        }
        for ((size, times), most) in SIZES.into_iter().zip(few).zip(FIND_RATIOS).skip(1) {
            let what = format!("find, {mode}, {size} templates to 10, few");
            report.promised(what, times.ratio_to(&few[0]), Unit::Times, most);
        }
        for (size, times) in SIZES.into_iter().zip(spread) {
            let what = format!("find, {mode}, {size} templates, spread");
            report.found(what, times.time(), Unit::Nanoseconds);
        }
        for (size, times) in SIZES.into_iter().zip(spread).skip(1) {
            let what = format!("find, {mode}, {size} templates to 10, spread");
            report.found(what, times.ratio_to(&spread[0]), Unit::Times);
        }
    }
}

/// The same templates and paths through another router. It hands back the parameters too, and decodes
/// nothing.
fn against_matchit(effort: Effort, report: &mut Report) {
    for size in sizes(Flavour::Plain, Precedence::Specific, effort).iter().zip(SIZES) {
        let (size, count) = size;
        let mut router = matchit::Router::new();
        let catalogue = Catalogue { flavour: Flavour::Plain, size: count };
        for (number, template) in catalogue.templates().into_iter().enumerate() {
            router.insert(template, number).expect("matchit takes these templates");
        }
        let theirs = |probe: &'_ Probe| router.at(black_box(&probe.path)).ok().map(|it| *it.value);
        let contenders = [
            size.ask(&size.spread),
            each(&size.spread, theirs),
            size.ask(&size.few),
            each(&size.few, theirs),
        ];
        let [ours, theirs, our_few, their_few] = rounds::take(effort.rounds, contenders);
        for (way, ours, theirs) in [("spread", ours, theirs), ("few", our_few, their_few)] {
            let of = format!("literals and parameters, {count} templates, {way}");
            report.found(format!("{of}: find"), ours.time(), Unit::Nanoseconds);
            report.found(format!("{of}: matchit"), theirs.time(), Unit::Nanoseconds);
            report.found(format!("{of}: find to matchit"), ours.ratio_to(&theirs), Unit::Times);
        }
    }
}

/// A thousand paths of six segments.
fn paths(mut path: impl FnMut(&mut Rng) -> String) -> Vec<String> {
    let mut rng = rng();
    (0..1_000).map(|_| path(&mut rng)).collect()
}

fn number(rng: &mut Rng) -> u64 {
    rng.next_u64() % 1_000_000
}

fn typing(effort: Effort, report: &mut Report) {
    let words =
        paths(|rng| format!("/api/v1/{}/{}/{}/{}", word(rng), word(rng), word(rng), word(rng)));
    let typical = paths(|rng| format!("/api/v1/users/{}/orders/{}", number(rng), number(rng)));
    let ids = paths(|rng| format!("/api/v1/users/{}/orders/{}", uuid(rng), number(rng)));
    let slugs = paths(|rng| {
        format!("/blog/2024/05/{}-{}-{}/comments/{}", word(rng), word(rng), word(rng), number(rng))
    });
    let worst = paths(|rng| {
        (0..6).fold(String::new(), |mut path, _| {
            path.push_str("/a1-");
            (0..6).for_each(|_| {
                path.push_str(&word(rng));
                path.push('-');
            });
            path.truncate(path.len() - 1);
            path
        })
    });
    let shape = |path: &String| Some(Shape::of(black_box(path.as_bytes())).parts().len());
    let kinds =
        [("words", &words), ("words and numbers", &typical), ("words, a UUID and a number", &ids)];
    let found = [("a slug and numbers", &slugs), ("six slugs of some 40 bytes", &worst)];
    let [a, b, c, d, e] = rounds::take(
        effort.rounds * 4,
        [
            each(&words, shape),
            each(&typical, shape),
            each(&ids, shape),
            each(&slugs, shape),
            each(&worst, shape),
        ],
    );
    for ((kind, _), times) in kinds.into_iter().zip([a, b, c]) {
        let what = format!("type six segments: {kind}");
        report.promised(what, times.time(), Unit::Nanoseconds, INFER);
    }
    for ((kind, _), times) in found.into_iter().zip([d, e]) {
        report.found(format!("type six segments: {kind}"), times.time(), Unit::Nanoseconds);
    }
}

/// Two hundred routes, and five paths of each.
fn known() -> (Learned, Vec<String>) {
    let mut rng = rng();
    let parents: Vec<[String; 2]> = (0..20).map(|_| [word(&mut rng), word(&mut rng)]).collect();
    let actions: Vec<String> = (0..10).map(|_| word(&mut rng)).collect();
    let mut learned = Learned::default();
    let paths = paths(|rng| {
        let at = usize::try_from(rng.next_u64() >> 32).unwrap_or(0) % 200;
        let ([service, resource], action) = (&parents[at % 20], &actions[at / 20]);
        format!("/api/{service}/{resource}/{}/{action}", number(rng))
    });
    for path in &paths {
        learned.admit(Shape::of(path.as_bytes()).parts(), LIMITS).expect("there is room");
    }
    (learned, paths)
}

fn shapes(paths: &[String]) -> Vec<Shape<'_>> {
    paths.iter().map(|path| Shape::of(path.as_bytes())).collect()
}

fn inference(learned: &Learned) -> (Inference, Alone) {
    let mut memory = Alone::default();
    learned.encode(&mut memory.state);
    (Inference::new(Some(LIMITS)), memory)
}

fn learning(effort: Effort, report: &mut Report) {
    let (learned, paths) = known();
    let shapes = shapes(&paths);
    let mut counting = learned.clone();
    let (mut inference, mut memory) = inference(&learned);
    let contenders = [
        each(&shapes, |shape| black_box(&learned).find(shape.parts())),
        each(&shapes, move |shape| Some(black_box(&mut counting).count(shape.parts()))),
        each(&paths, move |path| {
            let shape = Shape::of(black_box(path.as_bytes()));
            is_known(inference.infer(&shape, Answer::Exists, || true, &mut memory))
        }),
    ];
    let times: [Times; 3] = rounds::take(effort.rounds * 4, contenders);
    let whats = ["find it among what was learned", "count it", "type it, find it, count it"];
    for (what, times) in whats.into_iter().zip(times) {
        let what = format!("a known path of five segments: {what}");
        report.found(what, times.time(), Unit::Nanoseconds);
    }
}

fn is_known(inferred: Inferred) -> Option<()> {
    matches!(inferred, Inferred::Known(_)).then_some(())
}

fn hits_allocate_nothing(report: &mut Report) {
    let mut say = |what: &str, mut contender: Contender<'_>| {
        // The scratch has the capacity that it needs after the first time.
        contender.run();
        let allocations = allocations::during(|| contender.run());
        let allocations = f64::from(u32::try_from(allocations).unwrap_or(u32::MAX));
        report.promised(
            format!("allocations in 1,000 hits: {what}"),
            allocations,
            Unit::Count,
            0.0,
        );
    };
    let effort = Effort { rounds: 1, spread: 1_000, paths: 0 };
    for (what, precedence) in
        [("find, specific", Precedence::Specific), ("find, declared", Precedence::Declared)]
    {
        let catalogue = Catalogue { flavour: Flavour::All, size: 1_000 };
        let size = Size::new(catalogue, precedence, effort);
        say(what, size.ask(&size.spread));
    }
    let (learned, paths) = known();
    let shapes = shapes(&paths);
    let mut counting = learned.clone();
    let (mut inference, mut memory) = inference(&learned);
    say("type", each(&paths, |path| Some(Shape::of(path.as_bytes()))));
    say("find among what was learned", each(&shapes, |shape| learned.find(shape.parts())));
    say("count", each(&shapes, |shape| Some(counting.count(shape.parts()))));
    say(
        "all of inference",
        each(&paths, |path| {
            let shape = Shape::of(path.as_bytes());
            is_known(inference.infer(&shape, Answer::Exists, || true, &mut memory))
        }),
    );
}

/// What a worker and the agreed state take, as paths come that were never seen before.
fn state(effort: Effort, name: &str, limits: Limits, report: &mut Report) {
    let (mut flood, mut memory) = (Flood::default(), Alone::default());
    let nothing = allocations::held();
    let mut inference = Inference::new(Some(limits));
    let mut come = |paths: u64, inference: &mut Inference, memory: &mut Alone| {
        for number in 0..paths {
            if number % 10_000 == 0 {
                memory.hour += u32::from(number % 100_000 == 0);
                inference.agree(memory);
            }
            let answer = if number % 8 == 0 { Answer::Nothing } else { Answer::Exists };
            let shape = Shape::of(flood.step().as_bytes());
            black_box(inference.infer(&shape, answer, || true, memory));
        }
    };
    come(UNTIL_THE_BOUND, &mut inference, &mut memory);
    assert!(inference.learned().summary().refused > 0, "the bound is not reached yet");
    let bound = allocations::held();
    come(effort.paths, &mut inference, &mut memory);
    let grown = |from: usize, to: usize| bytes(to.saturating_sub(from));
    let after = allocations::held();
    let of = format!("{} more paths, {name}", effort.paths);
    report.promised(format!("{of}: growth"), grown(bound, after), Unit::Bytes, GROWTH);
    report.found(format!("{of}: all that is held"), grown(nothing, after), Unit::Bytes);
    let estimate = bytes(inference.learned().bytes());
    report.found(format!("{of}: what the learner says it takes"), estimate, Unit::Bytes);
    report.found(format!("{of}: the shared state"), bytes(memory.state.len()), Unit::Bytes);
    let routes = bytes(inference.counts().active);
    report.found(format!("{of}: routes"), routes, Unit::Count);
}

fn bytes(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
