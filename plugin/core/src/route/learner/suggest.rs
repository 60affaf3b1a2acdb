//! Which templates would be worth pinning, in words that a Python developer would choose. It only reads
//! what was learned; whether a template is right, the developer knows.

use super::Learned;
use super::collapse::for_each_child;
use super::names::Slot;
use super::tree::{Ends, Id, Node};
use crate::route::segment::Kind;
use sightline_templates::sort::sort_by;

/// A template that could take the place of a learned route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// For example `/users/{user_id:int}/orders`.
    pub template: String,
    /// The route as it is called now: `/users/{int}/orders`.
    pub replaces: String,
    /// Hits of late: they halve every hour.
    pub hits: u64,
    /// Some parameter stands for words that a parent had too many of.
    pub learned: bool,
}

impl Learned {
    /// Templates for all routes with parameters, most used first. Routes without any are right as they are.
    pub fn suggest(&self) -> Vec<Suggestion> {
        let mut found = Vec::new();
        self.suggest_below(Id::ROOT, &mut String::new(), &mut Vec::new(), &mut found);
        sort_by(&mut found, |a, b| (b.hits, &a.template) < (a.hits, &b.template));
        found
    }

    /// `collapsed` says of each part on the way whether its parent has collapsed.
    fn suggest_below(
        &self,
        id: Id,
        path: &mut String,
        collapsed: &mut Vec<bool>,
        found: &mut Vec<Suggestion>,
    ) {
        let Some(node) = self.tree.node(id) else { return };
        found.extend(self.suggestion(node, collapsed));
        collapsed.push(node.collapse.is_some());
        for_each_child(node, path, &mut |child, path| {
            self.suggest_below(child, path, collapsed, found);
        });
        collapsed.pop();
    }

    fn suggestion(&self, node: &Node, collapsed: &[bool]) -> Option<Suggestion> {
        let Ends::At(slot) = node.ends else { return None };
        let replaces = self.route_with_parameters(slot)?;
        let mut template = Template::default();
        for (part, &collapsed) in replaces.split('/').skip(1).zip(collapsed) {
            template.push(part, collapsed);
        }
        Some(Suggestion {
            template: template.text,
            replaces: replaces.to_owned(),
            hits: node.hits.total(),
            learned: template.learned,
        })
    }

    fn route_with_parameters(&self, slot: Slot) -> Option<&str> {
        self.names.text(slot).filter(|name| name.contains('{'))
    }
}

/// A template in the making.
#[derive(Default)]
struct Template<'a> {
    text: String,
    names: Vec<String>,
    /// The part before, if it is a word.
    before: Option<&'a str>,
    learned: bool,
}

impl<'a> Template<'a> {
    fn push(&mut self, part: &'a str, collapsed: bool) {
        self.text.push('/');
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.placeholder() == part) else {
            self.text.push_str(part);
            self.before = Some(part);
            return;
        };
        let slug = kind == Kind::Str && collapsed;
        self.learned |= slug;
        let name = self.unique(name(self.before.and_then(thing), kind, slug));
        let converter = match kind {
            Kind::Int => ":int",
            Kind::Uuid => ":uuid",
            _ => "",
        };
        self.text.extend(["{", &name, converter, "}"]);
        self.names.push(name);
        self.before = None;
    }

    /// The name, with a number behind when it is taken.
    fn unique(&self, name: String) -> String {
        let is_free = |name: &String| !self.names.contains(name);
        if is_free(&name) {
            return name;
        }
        let mut numbered = (2..).map(|number| format!("{name}_{number}"));
        numbered.find(is_free).unwrap_or(name)
    }
}

fn name(thing: Option<String>, kind: Kind, slug: bool) -> String {
    let alone = match kind {
        Kind::Date => return "date".to_owned(),
        Kind::Email => return "email".to_owned(),
        Kind::Ip => return "ip".to_owned(),
        Kind::Int => "id",
        Kind::Uuid => "uuid",
        Kind::Ulid => "ulid",
        Kind::Hex => "hash",
        Kind::Token => "token",
        Kind::Str if slug => "slug",
        Kind::Str => "name",
    };
    let suffix = if slug { "slug" } else { "id" };
    thing.map_or_else(|| alone.to_owned(), |thing| format!("{thing}_{suffix}"))
}

/// What a word in a path is a collection of, as the beginning of an identifier: `OrderItems` and
/// `order-items` are both `order_item`. None when no identifier can begin so.
fn thing(word: &str) -> Option<String> {
    let mut snake = String::new();
    let mut lower_before = false;
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && lower_before {
            snake.push('_');
        }
        lower_before = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        snake.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' });
    }
    let snake = snake.trim_matches('_');
    let (before, last) = snake
        .rsplit_once('_')
        .map_or(("", snake), |(_, last)| (snake.strip_suffix(last).unwrap_or_default(), last));
    let thing = format!("{before}{}", singular(last));
    thing.starts_with(|first: char| first.is_ascii_alphabetic()).then_some(thing)
}

/// Plurals that no rule gets right.
const IRREGULAR: [(&str, &str); 24] = [
    ("people", "person"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("mice", "mouse"),
    ("indices", "index"),
    ("matrices", "matrix"),
    ("vertices", "vertex"),
    ("analyses", "analysis"),
    ("bases", "base"),
    ("caches", "cache"),
    ("movies", "movie"),
    ("cookies", "cookie"),
    ("series", "series"),
    ("species", "species"),
    ("news", "news"),
    ("aliases", "alias"),
    ("statuses", "status"),
    ("buses", "bus"),
    ("bonuses", "bonus"),
    ("campuses", "campus"),
    ("viruses", "virus"),
    ("lenses", "lens"),
    ("shoes", "shoe"),
];

/// Endings of plurals, the first that fits wins, and what stands in their place.
const ENDINGS: [(&str, &str); 10] = [
    ("ies", "y"),
    ("sses", "ss"),
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("zzes", "zz"),
    ("oes", "o"),
    ("ss", "ss"),
    ("us", "us"),
    ("is", "is"),
];

fn singular(word: &str) -> String {
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return (*one).to_owned();
    }
    // A stem of one letter is no stem: `ties` is not the plural of `ty`.
    let ending = ENDINGS.iter().find_map(|(many, one)| {
        word.strip_suffix(many).filter(|stem| stem.len() > 1).map(|stem| format!("{stem}{one}"))
    });
    let plain = || word.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(word).to_owned();
    ending.unwrap_or_else(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_the_singular_of_its_collection() {
        let rows = [
            ("users", Some("user")),
            ("categories", Some("category")),
            ("addresses", Some("address")),
            ("boxes", Some("box")),
            ("branches", Some("branch")),
            ("courses", Some("course")),
            ("people", Some("person")),
            ("status", Some("status")),
            ("statuses", Some("status")),
            ("movies", Some("movie")),
            ("ties", Some("tie")),
            ("OrderItems", Some("order_item")),
            ("order-items", Some("order_item")),
            ("order_children", Some("order_child")),
            ("blog", Some("blog")),
            ("s", Some("s")),
            ("~users", Some("user")),
            ("2fa", None),
            ("...", None),
        ];
        for (word, expected) in rows {
            assert_eq!(thing(word).as_deref(), expected, "{word}");
        }
    }

    #[test]
    fn parameters_are_named_after_what_stands_before_them() {
        let rows = [
            ("/users/{int}/orders/{uuid}", "/users/{user_id:int}/orders/{order_id:uuid}"),
            ("/users/{int}/{int}", "/users/{user_id:int}/{id:int}"),
            ("/{int}/{int}", "/{id:int}/{id_2:int}"),
            ("/reports/{date}/{date}", "/reports/{date}/{date_2}"),
            ("/{token}", "/{token}"),
            ("/customers/{str}", "/customers/{customer_slug}"),
            ("/commits/{hex}/diff", "/commits/{commit_id}/diff"),
            ("/2fa/{str}", "/2fa/{slug}"),
        ];
        for (route, expected) in rows {
            let mut template = Template::default();
            route.split('/').skip(1).for_each(|part| template.push(part, true));
            assert_eq!(template.text, expected, "{route}");
        }
    }
}
