//! Route templates of REST services, as many as wanted, and requests that match them.
//!
//! Ten templates to a resource, 25 resources to a service: a thousand templates are four services, ten
//! thousand are forty.

use sightline_core::{Method, Rng};

/// Templates to a resource.
const PER_RESOURCE: usize = 10;

const SERVICES: [&str; 40] = [
    "accounts",
    "analytics",
    "audit",
    "auth",
    "billing",
    "bookings",
    "campaigns",
    "cart",
    "catalog",
    "chat",
    "checkout",
    "content",
    "contracts",
    "crm",
    "devices",
    "events",
    "feeds",
    "finance",
    "fleet",
    "geo",
    "identity",
    "imports",
    "inventory",
    "jobs",
    "learning",
    "logistics",
    "mail",
    "media",
    "messaging",
    "payments",
    "people",
    "pricing",
    "projects",
    "reporting",
    "scheduling",
    "search",
    "shipping",
    "support",
    "telemetry",
    "workflows",
];

const RESOURCES: [&str; 25] = [
    "addresses",
    "alerts",
    "assets",
    "batches",
    "categories",
    "channels",
    "customers",
    "documents",
    "exports",
    "groups",
    "invoices",
    "items",
    "labels",
    "notes",
    "orders",
    "policies",
    "products",
    "profiles",
    "reports",
    "sessions",
    "tags",
    "tasks",
    "teams",
    "users",
    "webhooks",
];

/// What a resource has below it: `@` is its own identifier, a number; `#` is that of something in it, a
/// UUID; `$` is a name and `*` a rest.
const ALL: [(&str, Method, &str); PER_RESOURCE] = [
    ("GET ", Method::Get, ""),
    ("POST ", Method::Post, ""),
    ("", Method::Get, "/search"),
    ("GET ", Method::Get, "/@"),
    ("PUT,DELETE ", Method::Delete, "/@"),
    ("POST ", Method::Post, "/@:cancel"),
    ("", Method::Get, "/@/members/$"),
    ("GET ", Method::Get, "/@/comments/#"),
    ("POST ", Method::Post, "/@/comments/#/approve"),
    ("GET ", Method::Get, "/@/files/*"),
];

/// The same without what other routers have not: methods, constraints, mixed segments.
const PLAIN: [(&str, Method, &str); PER_RESOURCE] = [
    ("", Method::Get, ""),
    ("", Method::Get, "/search"),
    ("", Method::Get, "/export"),
    ("", Method::Get, "/@"),
    ("", Method::Get, "/@/history"),
    ("", Method::Get, "/@/members"),
    ("", Method::Get, "/@/members/$"),
    ("", Method::Get, "/@/comments"),
    ("", Method::Get, "/@/comments/#"),
    ("", Method::Get, "/@/comments/#/approve"),
];

/// Which templates are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// With methods, constraints, mixed segments and rests.
    All,
    /// Literals and free parameters.
    Plain,
}

/// Templates.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue {
    /// Which ones.
    pub flavour: Flavour,
    /// How many.
    pub size: usize,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
}

impl Catalogue {
    /// The templates.
    pub fn templates(self) -> Vec<String> {
        (0..self.size).map(|number| self.template(number)).collect()
    }

    /// So many requests, no two alike but where a template has no parameter, for all templates alike and
    /// in an order that is not theirs.
    pub fn spread(self, count: usize, rng: &mut Rng) -> Vec<Probe> {
        let mut order: Vec<usize> = (0..count).map(|number| number % self.size).collect();
        shuffle(&mut order, rng);
        order.into_iter().map(|number| self.probe(number, rng)).collect()
    }

    /// One request for each of ten templates, a tenth of all templates apart: a template of each form.
    pub fn few(self, rng: &mut Rng) -> Vec<Probe> {
        let resources = self.size / PER_RESOURCE;
        let number = |form| form * resources / PER_RESOURCE * PER_RESOURCE + form;
        (0..PER_RESOURCE).map(|form| self.probe(number(form), rng)).collect()
    }

    fn template(self, number: usize) -> String {
        let (methods, _, form) = self.form(number);
        let (id, comment) = match self.flavour {
            Flavour::All => ("{id:int}", "{comment:uuid}"),
            Flavour::Plain => ("{id}", "{comment}"),
        };
        let form = form.replace('@', id).replace('#', comment);
        let form = form.replace('$', "{name}").replace('*', "{rest:path}");
        format!("{methods}{}{form}", parent(number))
    }

    fn probe(self, number: usize, rng: &mut Rng) -> Probe {
        let (_, method, form) = self.form(number);
        let id = (rng.next_u64() % 1_000_000).to_string();
        let form = form.replace('@', &id).replace('#', &uuid(rng));
        let form = form.replace('$', &word(rng)).replace('*', "2024/summary.pdf");
        Probe { method, path: format!("{}{form}", parent(number)) }
    }

    fn form(self, number: usize) -> (&'static str, Method, &'static str) {
        let forms = match self.flavour {
            Flavour::All => ALL,
            Flavour::Plain => PLAIN,
        };
        forms[number % PER_RESOURCE]
    }
}

fn parent(number: usize) -> String {
    let resource = number / PER_RESOURCE;
    let service = SERVICES[resource / RESOURCES.len()];
    format!("/api/v1/{service}/{}", RESOURCES[resource % RESOURCES.len()])
}

/// A random UUID.
pub fn uuid(rng: &mut Rng) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(rng.next_16()));
    let mut uuid = String::new();
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

/// A random word of four to nine letters.
pub fn word(rng: &mut Rng) -> String {
    let mut word = String::new();
    write_word(rng.next_u64(), &mut word);
    word
}

/// The word that a number stands for, with four to nine letters.
pub(crate) fn write_word(mut number: u64, to: &mut String) {
    for _ in 0..4 + number % 6 {
        number /= 6;
        let letter = u8::try_from(number % 26).unwrap_or(0);
        to.push(char::from(b'a' + letter));
        number = number.rotate_right(5).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

fn shuffle(items: &mut [usize], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        let other = usize::try_from(rng.next_u64() >> 32).unwrap_or(0) % (last + 1);
        items.swap(last, other);
    }
}
