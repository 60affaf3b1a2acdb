//! From routes to templates that stand together: equal ones become one, and what the core refuses is left out.

use std::collections::HashMap;

use sightline_core::Method;
use sightline_core::config::{Settings, Text};
use sightline_core::route::matcher::{Fault, Note};
use sightline_core::route::template::{self, Template as Parsed};
use sightline_core::route::{Precedence, Scratch, Templates};

use super::block::{Block, Item, LeftOut, Template, with_methods};
use super::route::{Route, written};
use super::spelling;

/// The most templates of a list.
const MOST_TEMPLATES: usize = 20_000;

/// The items of a block, and what is to be known of them.
pub(super) fn settled(routes: Vec<Route>, precedence: Precedence) -> (Vec<Item>, Vec<String>) {
    let spelt = routes.into_iter().flat_map(spelt).collect();
    let mut items = bounded(merged(spelt, precedence));
    while let Err(refused) = compiled(&items, precedence) {
        leave_out(&mut items, &refused);
    }
    let notes = compiled(&items, precedence).map(|it| it.notes().to_vec()).unwrap_or_default();
    let told = rivals(&items, &notes);
    let never = never_reached(&items, &notes);
    leave_out(&mut items, &never);
    (items, told)
}

/// Which of them have no telemetry, because their paths are ignored unless the user says otherwise.
pub(super) fn ignored(settings: &Settings, block: &Block) -> Option<String> {
    let mut scratch = Scratch::default();
    let is_ignored = |template: &&Template| {
        let path = template.path.as_bytes();
        settings.routes.ignored.find(Method::Get, path, &mut scratch).is_some()
    };
    let paths: Vec<&str> = block.templates().filter(is_ignored).map(Template::route).collect();
    let told =
        || format!("{} is in routes.ignore by default, and has no telemetry", paths.join(", "));
    (!paths.is_empty()).then(told)
}

/// The templates of a route.
fn spelt(route: Route) -> Vec<Item> {
    let Route { name, methods, path } = route;
    let found = with_methods(&methods, &name);
    let left_out = |why: String| vec![Item::LeftOut(LeftOut { route: found.clone(), why })];
    match path.and_then(|parts| spelling::templates(&parts)) {
        Err(why) => left_out(why),
        Ok(paths) => {
            let item = |path: String| template_of(path, &name, &methods, &found);
            paths.into_iter().map(item).collect()
        }
    }
}

fn template_of(path: String, name: &str, methods: &[String], found: &str) -> Item {
    let is_name = path != name && Text::new(name).is_some();
    let name = is_name.then(|| name.to_owned());
    let template = Template { methods: methods.to_vec(), path, name };
    match template::parse(&template.text()) {
        Ok(_) => Item::Template(template),
        Err(error) => Item::LeftOut(LeftOut { route: found.to_owned(), why: error.to_string() }),
    }
}

/// Puts equal templates together, with the methods of all. Where the first that matches counts, only neighbours: one in
/// between may match too.
fn merged(items: Vec<Item>, precedence: Precedence) -> Vec<Item> {
    let mut merged: Vec<Item> = Vec::new();
    let mut places: HashMap<(String, Option<String>), usize> = HashMap::new();
    for item in items {
        let Item::Template(template) = &item else {
            merged.push(item);
            continue;
        };
        let key = (template.path.clone(), template.name.clone());
        let place = places
            .get(&key)
            .copied()
            .filter(|place| precedence == Precedence::Specific || place + 1 == merged.len());
        match place.and_then(|place| merged.get_mut(place)) {
            Some(Item::Template(earlier)) => join(&mut earlier.methods, &template.methods),
            _ => {
                places.insert(key, merged.len());
                merged.push(item);
            }
        }
    }
    merged
}

/// None named means any.
fn join(methods: &mut Vec<String>, more: &[String]) {
    if methods.is_empty() || more.is_empty() {
        methods.clear();
        return;
    }
    methods.extend_from_slice(more);
    *methods = written(methods);
}

fn bounded(items: Vec<Item>) -> Vec<Item> {
    let mut count = 0;
    let bounded = |item: Item| match item {
        Item::Template(template) => {
            count += 1;
            if count <= MOST_TEMPLATES {
                return Item::Template(template);
            }
            let why = format!("a list has at most {MOST_TEMPLATES} templates");
            Item::LeftOut(LeftOut { route: template.text(), why })
        }
        left_out @ Item::LeftOut(_) => left_out,
    };
    items.into_iter().map(bounded).collect()
}

/// What is to be left out: the number of a template, and why, or nothing to be said.
type Refused = HashMap<usize, Option<String>>;

fn compiled(items: &[Item], precedence: Precedence) -> Result<Templates, Refused> {
    let templates: Vec<&Template> = templates(items);
    let parsed: Vec<Parsed> =
        templates.iter().filter_map(|it| template::parse(&it.text()).ok()).collect();
    Templates::new(&parsed, precedence).map_err(|problems| {
        let why = |fault: &Fault, template: usize| match fault {
            Fault::Invalid(error) => Some(error.to_string()),
            Fault::TooLarge => Some("a segment of it has too many forms".to_owned()),
            Fault::Same(earlier) => same(&templates, template, *earlier),
        };
        problems.iter().map(|it| (it.template, why(&it.fault, it.template))).collect()
    })
}

fn templates<'a>(items: &'a [Item]) -> Vec<&'a Template> {
    let template = |item: &'a Item| match item {
        Item::Template(template) => Some(template),
        Item::LeftOut(_) => None,
    };
    items.iter().filter_map(template).collect()
}

/// Why there cannot be another one. One with the same name is there already.
fn same(templates: &[&Template], later: usize, earlier: usize) -> Option<String> {
    let (later, earlier) = (templates.get(later)?, templates.get(earlier)?);
    if later.route() == earlier.route() {
        return None;
    }
    let bare = |template: &Template| template.path.trim_end_matches('/').to_owned();
    let earlier_text = earlier.text();
    Some(if bare(later) == bare(earlier) && later.path != earlier.path {
        format!(
            "it differs from `{earlier_text}` only in the slash at its end, which makes no difference here"
        )
    } else {
        format!("`{earlier_text}` comes before it and takes the same paths")
    })
}

fn never_reached(items: &[Item], notes: &[Note]) -> Refused {
    let templates = templates(items);
    let never = |note: &Note| match *note {
        Note::NeverReached(never, first) => Some((never, same(&templates, never, first))),
        Note::Rivals(..) => None,
    };
    notes.iter().filter_map(never).collect()
}

fn rivals(items: &[Item], notes: &[Note]) -> Vec<String> {
    let templates = templates(items);
    let rivals = |note: &Note| match *note {
        Note::Rivals(first, second) => {
            let (first, second) = (templates.get(first)?.text(), templates.get(second)?.text());
            Some(format!("some paths match both `{first}` and `{second}`; the one in front wins"))
        }
        Note::NeverReached(..) => None,
    };
    notes.iter().filter_map(rivals).collect()
}

fn leave_out(items: &mut Vec<Item>, refused: &Refused) {
    let mut number = 0;
    let mut left = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        let Item::Template(template) = item else {
            left.push(item);
            continue;
        };
        match refused.get(&number) {
            None => left.push(Item::Template(template)),
            Some(None) => {}
            Some(Some(why)) => {
                let route = with_methods(&template.methods, template.route());
                left.push(Item::LeftOut(LeftOut { route, why: why.clone() }));
            }
        }
        number += 1;
    }
    *items = left;
}
