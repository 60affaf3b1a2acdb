//! What `routes explain` is asked and what it says: several paths with one method, as text or as JSON.

use std::fmt::{self, Write as _};

use serde_json::{Value, json};
use sightline_core::Method;
use sightline_core::route::Source;

use super::{Explained, Explainer};
use crate::routes::path::path_of;

/// Paths, and the method that they are asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    method: String,
    targets: Vec<String>,
}

/// Why there is nothing to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoQuestion {
    /// No path is given, or a method only.
    NoPath(Option<String>),
    /// A method in small letters is another method, and a path begins with a slash.
    Lowercase(String),
}

/// One path with its answer in both cases.
struct Answered<'a> {
    target: &'a str,
    /// If the app shows that the path exists.
    existing: Explained,
    /// As long as it has not.
    unproven: Explained,
}

impl Question {
    /// A method perhaps, and paths or whole URLs behind it.
    pub fn of(arguments: Vec<String>) -> Result<Self, NoQuestion> {
        let mut targets = arguments;
        if let Some(first) = targets.first().filter(|first| is_lowercase_method(first)) {
            return Err(NoQuestion::Lowercase(first.clone()));
        }
        let has_method = targets.first().is_some_and(|first| is_method(first));
        let method = has_method.then(|| targets.remove(0));
        if targets.is_empty() {
            return Err(NoQuestion::NoPath(method));
        }
        Ok(Self { method: method.unwrap_or_else(|| "GET".to_owned()), targets })
    }

    /// The answers, for people.
    pub fn as_text(&self, explainer: &Explainer) -> String {
        let texts: Vec<String> =
            self.answers(explainer).map(|answered| answered.text(&self.method)).collect();
        texts.join("\n")
    }

    /// The answers, for programs.
    pub fn as_json(&self, explainer: &Explainer) -> Value {
        self.answers(explainer).map(|answered| answered.json(&self.method)).collect()
    }

    fn answers<'a>(&'a self, explainer: &'a Explainer) -> impl Iterator<Item = Answered<'a>> {
        self.targets.iter().map(move |target| {
            let path = rooted(path_of(target));
            let explained = |exists| explainer.explained(&self.method, &path, exists);
            Answered { target, existing: explained(true), unproven: explained(false) }
        })
    }
}

impl Answered<'_> {
    fn text(&self, method: &str) -> String {
        let mut text = format!("{method} {}\n", self.target);
        // Writing to a text does not fail.
        for (number, step) in (1..).zip(&self.existing.steps) {
            let _ = writeln!(text, "  {number}. {step}");
        }
        if self.depends() {
            let _ = writeln!(
                text,
                "  Once the app has answered such a request with 2xx, 3xx or 5xx: {}",
                called(&self.existing)
            );
            let _ = writeln!(text, "  Until then: {}", called(&self.unproven));
        } else {
            let _ = writeln!(text, "  {}", self.existing.conclusion());
        }
        text
    }

    fn json(&self, method: &str) -> Value {
        let mut answer =
            json!({ "method": method, "target": self.target, "steps": self.existing.steps });
        let until = self.depends().then(|| route_of(&self.unproven));
        let route = route_of(&self.existing);
        if let (Value::Object(answer), Value::Object(route)) = (&mut answer, route) {
            answer.extend(route);
            answer.extend(until.map(|until| ("until_answered".to_owned(), until)));
        }
        answer
    }

    /// Whether the app's answer makes a difference.
    fn depends(&self) -> bool {
        (&self.existing.route, self.existing.source) != (&self.unproven.route, self.unproven.source)
    }
}

fn route_of(explained: &Explained) -> Value {
    json!({ "route": explained.route, "route_source": explained.source.map(Source::as_str) })
}

fn called(explained: &Explained) -> String {
    let route = explained.route.as_deref().unwrap_or_default();
    let source = explained.source.map_or("", |source| source.as_str());
    format!("the route is {route}, and route_source is {source}.")
}

/// A path as clients send it: people leave out the slash in front.
fn rooted(path: &str) -> String {
    if path.starts_with('/') || path == "*" { path.to_owned() } else { format!("/{path}") }
}

/// A method of HTTP's, or anything that is spelled as methods are.
fn is_method(argument: &str) -> bool {
    argument.starts_with(|first: char| first.is_ascii_uppercase())
        && argument.bytes().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(&byte))
}

fn is_lowercase_method(argument: &str) -> bool {
    let upper = argument.to_ascii_uppercase();
    argument != upper && Method::from_bytes(upper.as_bytes()) != Method::Other
}

impl fmt::Display for NoQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath(None) => f.write_str("No path is given. Name one, such as /users/17."),
            Self::NoPath(Some(method)) => write!(
                f,
                "{method} is a method, and no path stands behind it. Name one, as in: {method} /users/17"
            ),
            Self::Lowercase(said) => write!(
                f,
                "\"{said}\" is a method in small letters, which is none. Write {}, or /{said} if it is a path.",
                said.to_ascii_uppercase()
            ),
        }
    }
}

impl std::error::Error for NoQuestion {}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(arguments: &[&str]) -> Result<Question, NoQuestion> {
        Question::of(arguments.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_method_in_front_is_for_all_paths() {
        for (arguments, method, targets) in [
            (&["/a"][..], "GET", &["/a"][..]),
            (&["POST", "/a", "/b?c=d"], "POST", &["/a", "/b?c=d"]),
            (&["BREW-COFFEE", "/a"], "BREW-COFFEE", &["/a"]),
            (&["/a", "POST"], "GET", &["/a", "POST"]),
            (&["users/1"], "GET", &["users/1"]),
            (&["OPTIONS", "*"], "OPTIONS", &["*"]),
            (&[""], "GET", &[""]),
        ] {
            let expected = Question {
                method: method.to_owned(),
                targets: targets.iter().map(ToString::to_string).collect(),
            };
            assert_eq!(question(arguments), Ok(expected), "{arguments:?}");
        }
        for (arguments, told) in [
            (&[][..], "No path is given."),
            (&["GET"], "as in: GET /users/17"),
            (&["get", "/a"], "Write GET, or /get if it is a path."),
        ] {
            let refused = question(arguments).unwrap_err().to_string();
            assert!(refused.contains(told), "{arguments:?}: {refused}");
        }
    }

    #[test]
    fn answers_are_told_with_the_app_and_before_it() {
        let explainer = Explainer::new("routes: { templates: ['/users/{id}'] }").unwrap();
        let question = question(&["http://shop/orders/17?page=2", "users/7"]).unwrap();
        assert_eq!(
            question.as_text(&explainer),
            "GET http://shop/orders/17?page=2\n  \
               1. The path is read as \"/orders/17\".\n  \
               2. No template matches.\n  \
               3. \"orders\" stays: letters only.\n  \
               4. \"17\" becomes {int}: digits only.\n  \
               Once the app has answered such a request with 2xx, 3xx or 5xx: the route is /orders/{int}, and route_source is typed.\n  \
               Until then: the route is _unmatched, and route_source is unmatched.\n\
             \n\
             GET users/7\n  \
               1. The path is read as \"/users/7\".\n  \
               2. routes.templates[0], /users/{id}, matches, and its route is /users/{id}.\n  \
               The route is /users/{id}, and route_source is template.\n"
        );
    }

    #[test]
    fn answers_for_programs_say_the_same() {
        let explainer = Explainer::new("routes: { templates: ['/users/{id}'] }").unwrap();
        let answers = question(&["PUT", "/users/7", "/a", "/healthz"]).unwrap().as_json(&explainer);
        assert_eq!(answers[0]["method"], "PUT");
        assert_eq!(answers[0]["route"], "/users/{id}");
        assert_eq!(answers[0]["route_source"], "template");
        assert_eq!(answers[0]["until_answered"], Value::Null);
        assert_eq!(answers[1]["route"], "/a");
        let until = json!({ "route": "_unmatched", "route_source": "unmatched" });
        assert_eq!(answers[1]["until_answered"], until);
        assert_eq!(answers[2]["route"], Value::Null);
        assert_eq!(answers[2]["steps"][0], "The path is read as \"/healthz\".");
    }
}
