//! What was imported: a `routes:` block, and what is not in it.

use sightline_core::config::{self, Value};
use sightline_core::route::Precedence as CorePrecedence;

use super::Refusal;
use super::route::Route;
use super::settle;

/// Which of several templates that match is the route.
pub type Precedence = CorePrecedence;

/// Routes that the core takes, and what could not be made one.
#[derive(Clone, Debug)]
pub struct Block {
    /// Where they come from, as the user named it.
    pub source: String,
    /// Which of several that match is the route.
    pub precedence: Precedence,
    /// In the order in which they were found.
    pub items: Vec<Item>,
    /// What is to be known of more than one of them.
    pub notes: Vec<String>,
}

/// A route that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// It is a template.
    Template(Template),
    /// It is none.
    LeftOut(LeftOut),
}

/// A template of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// In capitals; none named means any.
    pub methods: Vec<String>,
    /// The template without them.
    pub path: String,
    /// What the framework calls it, where that is not the template.
    pub name: Option<String>,
}

/// A route that is not in the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The route as it was found, with its methods.
    pub route: String,
    /// Why it is not there.
    pub why: String,
}

impl Template {
    /// The template with its methods in front.
    pub fn text(&self) -> String {
        with_methods(&self.methods, &self.path)
    }

    /// What `http.route` says.
    pub fn route(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.path)
    }
}

impl Block {
    pub(super) fn new(
        source: String,
        precedence: Precedence,
        routes: Vec<Route>,
        notes: Vec<String>,
    ) -> Result<Self, Refusal> {
        if routes.is_empty() {
            return Err(Refusal::Nothing { source });
        }
        let (items, more) = settle::settled(routes, precedence);
        let notes = notes.into_iter().chain(more).collect();
        let mut block = Self { source, precedence, items, notes };
        let settings = config::interpret(&block.said()).map_err(Refusal::NotTaken)?;
        block.notes.extend(settle::ignored(&settings, &block));
        Ok(block)
    }

    /// The templates.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.items.iter().filter_map(|item| match item {
            Item::Template(template) => Some(template),
            Item::LeftOut(_) => None,
        })
    }

    /// What is not in the block.
    pub fn left_out(&self) -> impl Iterator<Item = &LeftOut> {
        self.items.iter().filter_map(|item| match item {
            Item::LeftOut(left_out) => Some(left_out),
            Item::Template(_) => None,
        })
    }

    /// The block as a configuration.
    pub fn said(&self) -> Value {
        let templates = self.templates().map(said).collect();
        let routes = vec![
            ("precedence".to_owned(), text(self.precedence_name())),
            ("templates".to_owned(), Value::List(templates)),
        ];
        Value::Map(vec![("routes".to_owned(), Value::Map(routes))])
    }

    /// How the precedence is written.
    pub fn precedence_name(&self) -> &'static str {
        match self.precedence {
            Precedence::Specific => "specific",
            Precedence::Declared => "declared",
        }
    }
}

fn said(template: &Template) -> Value {
    let Some(name) = &template.name else { return text(&template.text()) };
    let entry = |key: &str, value: &str| (key.to_owned(), text(value));
    Value::Map(vec![entry("path", &template.text()), entry("name", name)])
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// Methods and what they are for.
pub(super) fn with_methods(methods: &[String], path: &str) -> String {
    if methods.is_empty() { path.to_owned() } else { format!("{} {path}", methods.join(",")) }
}
