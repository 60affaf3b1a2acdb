//! What the scripts in the user's Python answer, made into routes.

use serde::Deserialize;

use super::route::{Part, Route};

/// One line of JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    routes: Vec<Told>,
    /// What is true of more than one route.
    pub(super) notes: Vec<String>,
    /// Whether the first route that matches is taken.
    pub(super) declared: bool,
    /// In front of every route, and yet each is taken without it too.
    both: String,
    /// Why there are no routes.
    pub(super) failed: Option<String>,
    /// Where that was.
    pub(super) trace: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    name: String,
    methods: Option<Vec<String>>,
    parts: Vec<Part>,
    why: Option<String>,
}

impl Answer {
    /// The routes, each behind what stands in front of all where Envoy sees them.
    pub(super) fn routes(&mut self, prefix: Option<&str>) -> Vec<Route> {
        let routes: Vec<Route> = self.routes.drain(..).flat_map(Told::routes).collect();
        match prefix {
            Some(prefix) => routes.iter().map(|route| route.behind(prefix)).collect(),
            None if self.both.is_empty() => routes,
            // First, because a parameter in front would take the prefix for its value.
            None => {
                let said = routes.iter().filter(|route| route.path.is_ok());
                said.map(|route| route.behind(&self.both)).chain(routes.iter().cloned()).collect()
            }
        }
    }
}

impl Told {
    fn routes(self) -> Vec<Route> {
        let Self { name, methods, parts, why } = self;
        // The root has no spelling of its own in Django.
        let name = if name.is_empty() { "/".to_owned() } else { name };
        let path = why.map_or(Ok(parts), Err);
        match methods {
            Some(methods) => Route::with_methods(name, methods, path),
            None => vec![Route { name, methods: Vec::new(), path }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(json: &str, prefix: Option<&str>) -> Vec<String> {
        let mut answer: Answer = serde_json::from_str(json).unwrap();
        let shown = |route: &Route| {
            let path = match &route.path {
                Ok(parts) => super::super::spelling::templates(parts).unwrap().join(" or "),
                Err(why) => format!("({why})"),
            };
            format!("{} {} is {path}", route.methods.join(","), route.name)
        };
        answer.routes(prefix).iter().map(shown).collect()
    }

    #[test]
    fn routes_are_read_with_their_methods() {
        let json = r#"{"routes": [
            {"name": "/a", "methods": ["HEAD", "POST", "GET"], "parts": [{"text": "/a"}]},
            {"name": "/b", "methods": null, "parts": [{"text": "/b"}]},
            {"name": "", "methods": null, "parts": []},
            {"name": "/c", "methods": ["PURGE", "GET"], "parts": [{"text": "/c"}]},
            {"name": "/d", "methods": ["PURGE"], "parts": [{"text": "/d"}]},
            {"name": "/e", "why": "it is odd"}]}"#;
        let unknown = "templates know the methods of HTTP, PATCH and QUERY";
        let expected = [
            "GET,POST /a is /a",
            " /b is /b",
            " / is /",
            "GET /c is /c",
            &format!("PURGE /c is ({unknown})"),
            &format!("PURGE /d is ({unknown})"),
            " /e is (it is odd)",
        ];
        assert_eq!(routes(json, None), expected);
    }

    #[test]
    fn a_prefix_stands_in_front_as_the_framework_writes_it() {
        let flask = r#"{"routes": [{"name": "/a", "parts": [{"text": "/a"}]}]}"#;
        let django = r#"{"routes": [
            {"name": "^a/$", "parts": [{"expression": "^a/$", "ends": true}]},
            {"name": "<b>/", "parts": [{"written": "<b>", "name": "b"}, {"text": "/"}]},
            {"name": "", "parts": []}]}"#;
        for prefix in ["/x", "x", "/x/"] {
            assert_eq!(routes(flask, Some(prefix)), [" /x/a is /x/a"]);
            let expected = [" x/a/$ is x/a/", " x/<b>/ is x/<b>/", " x/ is x/"];
            assert_eq!(routes(django, Some(prefix)), expected);
        }
        assert_eq!(routes(flask, Some("/")), [" /a is /a"]);
    }

    #[test]
    fn what_is_taken_with_a_prefix_and_without_is_there_twice() {
        let json = r#"{"both": "/api", "routes": [
            {"name": "/a", "parts": [{"text": "/a"}]}, {"name": "/e", "why": "odd"}]}"#;
        assert_eq!(routes(json, None), [" /api/a is /api/a", " /a is /a", " /e is (odd)"]);
        assert_eq!(routes(json, Some("/v1")), [" /v1/a is /v1/a", " /v1/e is (odd)"]);
    }
}
