//! A route as it was found: how its framework writes it, and what its path is made of.

use serde::Deserialize;

/// The methods that a template can name, in the order in which they are written.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "CONNECT"];

/// A route, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// As the framework writes it: what `http.route` is to say.
    pub(super) name: String,
    /// In capitals; none named means any.
    pub(super) methods: Vec<String>,
    /// What its path is made of, or why it cannot be said.
    pub(super) path: Result<Vec<Part>, String>,
}

/// A part of a path.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(super) enum Part {
    /// A parameter in a spelling of the framework's that ours is too.
    Written {
        /// With its brackets.
        written: String,
        /// What it is called.
        name: String,
    },
    /// A parameter with a converter of the app's own.
    Custom {
        /// What it is called.
        name: String,
        /// What its values look like.
        regex: String,
    },
    /// One of several words.
    Any {
        /// What it is called.
        name: String,
        /// Which words.
        any: Vec<String>,
    },
    /// A regular expression, its groups being parameters.
    Expression {
        /// As Python reads it.
        expression: String,
        /// Whether nothing stands behind it.
        ends: bool,
    },
    /// What must stand there.
    Text {
        /// As it is once it is decoded.
        text: String,
    },
}

impl Part {
    /// What must stand there.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// The methods in their order. GET takes HEAD, so that need not be said.
pub(super) fn written(methods: &[String]) -> Vec<String> {
    let has = |wanted: &str| methods.iter().any(|method| method == wanted);
    let known = METHODS.into_iter().filter(|method| has(method));
    known.filter(|method| *method != "HEAD" || !has("GET")).map(ToOwned::to_owned).collect()
}

impl Route {
    /// A route for these methods only, and another one for those that no template can name.
    pub(super) fn with_methods(
        name: String,
        methods: Vec<String>,
        path: Result<Vec<Part>, String>,
    ) -> Vec<Self> {
        let (known, unknown): (Vec<_>, Vec<_>) =
            methods.into_iter().partition(|method| METHODS.contains(&method.as_str()));
        let why = Err("templates know the methods of HTTP, PATCH and QUERY".to_owned());
        let unknown = Self { name: name.clone(), methods: unknown, path: why };
        let known = Self { name, methods: written(&known), path };
        let routes = [known, unknown].into_iter();
        routes.filter(|route| !route.methods.is_empty()).collect()
    }

    /// The same behind a prefix. Django's begin without a slash, and then so does the prefix.
    pub(super) fn behind(&self, prefix: &str) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = match prefix {
            "" => String::new(),
            _ if self.name.starts_with('/') && self.begins_with_slash() => format!("/{prefix}"),
            _ => format!("{prefix}/"),
        };
        let name = match self.name.as_str() {
            "/" if !self.begins_with_slash() => prefix.clone(),
            name => format!("{prefix}{}", name.strip_prefix('^').unwrap_or(name)),
        };
        let path = self.path.clone().map(|mut parts| {
            parts.insert(0, Part::text(prefix));
            parts
        });
        Self { name, methods: self.methods.clone(), path }
    }

    fn begins_with_slash(&self) -> bool {
        match self.path.as_deref() {
            Ok([Part::Text { text }, ..]) => text.starts_with('/'),
            Ok(_) => false,
            Err(_) => self.name.starts_with('/'),
        }
    }
}
