//! How a path comes to its route, step by step, as data: for people who ask why.
//!
//! Each step is asked of the same code that decides for requests, so what is explained is what happens.

use std::fmt;

use super::inference::Inference;
use super::learner::{Learned, Limits, Taken};
use super::matcher::{Scratch, Templates};
use super::router::{Router, Target};
use super::segment::{Verdict, judge};
use super::shape::Shape;
use super::{Route, Source};
use crate::Method;
use crate::percent::Decoded;

/// How a path comes to its route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// The route; none: the request leaves no trace.
    pub route: Option<String>,
    /// Where the route came from.
    pub source: Option<Source>,
}

/// One step on the way to a route. Templates are numbered from 0 in the order of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The path as the app sees it: without the query, and decoded.
    Read(String),
    /// It is among those to be ignored, by this entry.
    Ignored(usize),
    /// This template matches, and its route is this.
    Matched(usize, String),
    /// This template matches the path, but is for other methods.
    OtherMethods(usize),
    /// This template matches too, but the one before goes first.
    Outranked(usize),
    /// No template matches.
    NoTemplate,
    /// Nothing is inferred.
    NotInferred,
    /// What a segment is taken for.
    Judged(String, Verdict),
    /// The path is too deep: from here on, all is one.
    TooDeep,
    /// This word is one of so many beside each other that the rare ones are counted together.
    Collapsed(String, usize),
    /// This route is known.
    Known,
    /// This route is not known, and nothing has shown that the path exists.
    NotKnown,
    /// This route becomes known with an answer that shows that the path exists.
    Admitted,
    /// There are as many routes as there may be.
    Full,
}

impl Inference {
    /// Explains the route of a request, with an answer that shows that the path exists or without one.
    /// Nothing is learned from it.
    pub fn explain(
        &self,
        router: &Router,
        method: Method,
        path: &[u8],
        exists: bool,
    ) -> Explanation {
        let mut scratch = Scratch::default();
        let mut steps = vec![Step::Read(readable(path))];
        match router.target(method, path, &mut scratch) {
            Target::Ignored => {
                steps.extend(router.ignored().find(method, path, &mut scratch).map(Step::Ignored));
                Explanation { steps, route: None, source: None }
            }
            Target::Template(template) => {
                let name = router.name(template);
                steps.push(Step::Matched(template, name.to_owned()));
                also_matching(router.templates(), method, path, template, &mut steps);
                Explanation { steps, route: Some(name.to_owned()), source: Some(Source::Template) }
            }
            Target::Open => {
                let all = router.templates().all(path, &mut scratch);
                steps.extend(all.into_iter().map(Step::OtherMethods));
                steps.push(Step::NoTemplate);
                let route = match router.limits {
                    Some(limits) => {
                        explain_inferred(self.learned(), limits, path, exists, &mut steps)
                    }
                    None => {
                        steps.push(Step::NotInferred);
                        (Route::UNMATCHED.name.to_owned(), Source::Unmatched)
                    }
                };
                Explanation { steps, route: Some(route.0), source: Some(route.1) }
            }
        }
    }
}

fn also_matching(
    templates: &Templates,
    method: Method,
    path: &[u8],
    chosen: usize,
    steps: &mut Vec<Step>,
) {
    let mut scratch = Scratch::default();
    for template in templates.all(path, &mut scratch) {
        if template != chosen {
            let takes = templates.methods(template).takes(method);
            steps.push(if takes {
                Step::Outranked(template)
            } else {
                Step::OtherMethods(template)
            });
        }
    }
}

fn explain_inferred(
    learned: &Learned,
    limits: Limits,
    path: &[u8],
    exists: bool,
    steps: &mut Vec<Step>,
) -> (String, Source) {
    let shape = Shape::of(path);
    explain_segments(path, &shape, steps);
    // An answer can be the one too many for a parent, so it is tried out on a copy.
    let mut after = learned.clone();
    let known = learned.find(shape.parts());
    let found = match known {
        None if exists => after.admit(shape.parts(), limits).ok(),
        known => known,
    };
    for step in after.explain(shape.parts()) {
        if let Taken::AsStr { distinct } = step.taken {
            steps.push(Step::Collapsed(step.part, distinct));
        }
    }
    let (step, otherwise) = match (known, exists) {
        (Some(_), _) => (Step::Known, Route::UNMATCHED),
        (None, false) => (Step::NotKnown, Route::UNMATCHED),
        (None, true) if found.is_some() => (Step::Admitted, Route::UNMATCHED),
        (None, true) => (Step::Full, Route::OVERFLOW),
    };
    steps.push(step);
    let name = found.and_then(|found| Some((after.name(found.route)?, found.collapsed)));
    match name {
        Some((name, true)) => (name.to_owned(), Source::Learned),
        Some((name, false)) => (name.to_owned(), Source::Typed),
        None => (otherwise.name.to_owned(), otherwise.source),
    }
}

fn explain_segments(path: &[u8], shape: &Shape<'_>, steps: &mut Vec<Step>) {
    let segments = path.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty());
    let judged = |segment: &[u8]| {
        Step::Judged(String::from_utf8_lossy(segment).into_owned(), judge(segment))
    };
    let count = segments.clone().count();
    let kept = if count > shape.parts().len() { shape.parts().len() - 1 } else { count };
    steps.extend(segments.take(kept).map(judged));
    if kept < count {
        steps.push(Step::TooDeep);
    }
}

fn readable(path: &[u8]) -> String {
    String::from_utf8_lossy(&Decoded::new(path).collect::<Vec<u8>>()).into_owned()
}

/// One sentence, without what the number of a template stands for.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path) => write!(f, "the path is read as {path:?}"),
            Self::Ignored(entry) => write!(f, "routes.ignore[{entry}] matches: no telemetry"),
            Self::Matched(template, name) => {
                write!(f, "routes.templates[{template}] matches: {name}")
            }
            Self::OtherMethods(template) => {
                write!(f, "routes.templates[{template}] matches the path, but is for other methods")
            }
            Self::Outranked(template) => {
                write!(f, "routes.templates[{template}] matches too, but comes behind")
            }
            Self::NoTemplate => f.write_str("no template matches"),
            Self::NotInferred => f.write_str("routes.infer is off"),
            Self::Judged(segment, Verdict { kind: Some(kind), rule }) => {
                write!(f, "{segment:?} is {}: {rule}", kind.placeholder())
            }
            Self::Judged(segment, Verdict { kind: None, rule }) => {
                write!(f, "{segment:?} stays: {rule}")
            }
            Self::TooDeep => f.write_str("all that is deeper is one {str}"),
            Self::Collapsed(word, distinct) => write!(
                f,
                "{word:?} is {{str}}: it is one of {distinct} or more beside each other, and not one of the frequent ones"
            ),
            Self::Known => f.write_str("the route is known"),
            Self::NotKnown => {
                f.write_str("the route is not known, and no answer shows that the path exists")
            }
            Self::Admitted => {
                f.write_str("the route is not known yet, and the answer shows that the path exists")
            }
            Self::Full => f.write_str("the route is not known yet, and routes.limit is reached"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::route::inference::{Answer, alone::Alone};
    use proptest::prelude::*;

    fn explain(said: &str, exists: bool, path: &str) -> String {
        let settings = config::read(said.as_bytes()).unwrap();
        let router = Router::new(&settings.routes);
        let inference = Inference::new(router.limits);
        let Explanation { steps, route, source } =
            inference.explain(&router, Method::Get, path.as_bytes(), exists);
        let lines: Vec<String> = steps.iter().map(Step::to_string).collect();
        format!("{}\n= {route:?} {source:?}", lines.join("\n"))
    }

    const SAID: &str =
        r#"{"routes": {"templates": ["/users/{id}", "POST /orders", "GET /users/<int:n>"]}}"#;

    #[test]
    fn a_template_and_what_else_matches() {
        insta::assert_snapshot!(explain(SAID, true, "/users/%37"), @r#"
        the path is read as "/users/7"
        routes.templates[2] matches: /users/<int:n>
        routes.templates[0] matches too, but comes behind
        = Some("/users/<int:n>") Some(Template)
        "#);
    }

    #[test]
    fn a_path_without_a_template() {
        insta::assert_snapshot!(explain(SAID, true, "/orders/7/v2/abc123"), @r#"
        the path is read as "/orders/7/v2/abc123"
        no template matches
        "orders" stays: letters only
        "7" is {int}: digits only
        "v2" stays: a word with a few digits
        "abc123" is {hex}: has the form of one
        the route is not known yet, and the answer shows that the path exists
        = Some("/orders/{int}/v2/{hex}") Some(Typed)
        "#);
        insta::assert_snapshot!(explain(SAID, false, "/orders"), @r#"
        the path is read as "/orders"
        routes.templates[1] matches the path, but is for other methods
        no template matches
        "orders" stays: letters only
        the route is not known, and no answer shows that the path exists
        = Some("_unmatched") Some(Unmatched)
        "#);
    }

    #[test]
    fn a_path_to_be_ignored() {
        insta::assert_snapshot!(explain(SAID, true, "/healthz"), @r#"
        the path is read as "/healthz"
        routes.ignore[0] matches: no telemetry
        = None None
        "#);
    }

    proptest! {
        #[test]
        fn what_is_explained_is_what_happens(
            paths in proptest::collection::vec("(/(a|b|c|d|7|[a-z]{3,5})){0,4}", 1..80),
            limit in 1_usize..40,
        ) {
            let said = format!(r#"{{"routes": {{"templates": ["/a/{{x}}"], "limit": {limit}}}}}"#);
            let router = Router::new(&config::read(said.as_bytes()).unwrap().routes);
            let mut ledger = Alone::default();
            let mut inference = Inference::new(router.limits);
            for path in &paths {
                for (answer, exists) in [(Answer::Nothing, false), (Answer::Exists, true)] {
                    let explained = inference.explain(&router, Method::Get, path.as_bytes(), exists);
                    if explained.source == Some(Source::Template) {
                        continue;
                    }
                    let inferred = inference.infer(&Shape::of(path.as_bytes()), answer, || true, &mut ledger);
                    let happened = inference.name(inferred);
                    prop_assert_eq!(explained.route.as_deref(), Some(happened.name), "{}", path);
                    prop_assert_eq!(explained.source, Some(happened.source), "{}", path);
                }
                inference.agree(&mut ledger);
            }
        }
    }
}
