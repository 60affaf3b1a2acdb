//! From the parts of a route to templates: one, or several where something in it is optional.

use std::fmt::Write as _;

use super::expression::{self, MOST_PATHS, Unit};
use super::route::Part;

/// Something of a path that is written at once.
enum Atom<'a> {
    /// Characters that must stand there.
    Text(&'a str),
    Char(char),
    /// A parameter: its name, and how it is written with another.
    Param(&'a str, Spelling<'a>),
}

/// How a parameter is written.
enum Spelling<'a> {
    /// As the framework does.
    Written(&'a str),
    /// In braces, with an expression.
    Regex(&'a str),
    /// One of several words.
    Any(&'a [String]),
}

/// A path as it is written, piece by piece.
#[derive(Default)]
struct Writer {
    path: String,
    names: Vec<String>,
}

/// The templates of a path, without methods. What differs only in a slash at its end is one.
pub(super) fn templates(parts: &[Part]) -> Result<Vec<String>, String> {
    let mut paths = vec![Vec::new()];
    let units: Vec<Vec<Vec<Unit>>> = parts.iter().map(units).collect::<Result<_, _>>()?;
    for (part, ways) in parts.iter().zip(&units) {
        let longer = |path: &Vec<(_, _)>| -> Vec<Vec<(_, _)>> {
            ways.iter().map(|way| [path.as_slice(), &[(part, way)]].concat()).collect()
        };
        paths = paths.iter().flat_map(longer).collect();
        if paths.len() > MOST_PATHS {
            return Err(format!("it stands for more than {MOST_PATHS} paths"));
        }
    }
    let mut templates: Vec<String> = Vec::new();
    for path in paths {
        let template = template(&path);
        let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        if !templates.iter().any(|other| bare(other) == bare(&template)) {
            templates.push(template);
        }
    }
    Ok(templates)
}

/// The ways of a part that is an expression; one empty way for any other.
fn units(part: &Part) -> Result<Vec<Vec<Unit>>, String> {
    match part {
        Part::Expression { expression, ends } => expression::paths(expression, *ends),
        Part::Custom { name, regex } => expression::converter(name, regex),
        _ => Ok(vec![Vec::new()]),
    }
}

fn template(path: &[(&Part, &Vec<Unit>)]) -> String {
    let mut writer = Writer::default();
    for (part, units) in path {
        match part {
            Part::Text { text } => writer.atom(&Atom::Text(text)),
            Part::Written { written, name } => {
                writer.atom(&Atom::Param(name, Spelling::Written(written)));
            }
            Part::Any { name, any } => writer.atom(&Atom::Param(name, Spelling::Any(any))),
            Part::Expression { .. } | Part::Custom { .. } => {
                units.iter().for_each(|unit| writer.atom(&unit.atom()));
            }
        }
    }
    if writer.path.is_empty() { "/".to_owned() } else { writer.path }
}

impl Unit {
    fn atom(&self) -> Atom<'_> {
        match self {
            Self::Char(char) => Atom::Char(*char),
            Self::Piece(name, regex) | Self::Rest(name, regex) => {
                Atom::Param(name.as_deref().unwrap_or("arg"), Spelling::Regex(regex))
            }
        }
    }
}

impl Writer {
    fn atom(&mut self, atom: &Atom<'_>) {
        match atom {
            Atom::Text(text) => text.chars().for_each(|char| self.char(char)),
            Atom::Char(char) => self.char(*char),
            Atom::Param(wanted, spelling) => match (self.name(wanted), spelling) {
                (name, Spelling::Written(written)) if name == *wanted => {
                    self.path.push_str(written);
                }
                (name, spelling) => self.param(&name, spelling),
            },
        }
    }

    /// A name of its own: a mount and a route in it may have parameters of one name.
    fn name(&mut self, wanted: &str) -> String {
        let numbered = |number: usize| match number {
            1 => wanted.to_owned(),
            _ => format!("{wanted}_{number}"),
        };
        let mut names = (1..).map(numbered);
        let name = names.find(|name| !self.names.contains(name)).unwrap_or_default();
        self.names.push(name.clone());
        name
    }

    fn param(&mut self, name: &str, spelling: &Spelling<'_>) {
        let written = match spelling {
            Spelling::Written(written) => renamed(written, name),
            Spelling::Regex(".*") => format!("{{{name}:path}}"),
            Spelling::Regex("[^/]+") => format!("{{{name}}}"),
            // Without brackets it could be taken for the name of a converter.
            Spelling::Regex(regex) if !regex.starts_with(['[', '(', '\\', '.']) => {
                format!("{{{name}:({regex})}}")
            }
            Spelling::Regex(regex) => format!("{{{name}:{regex}}}"),
            Spelling::Any(words) => {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                format!("<any({}):{name}>", words.join(", "))
            }
        };
        self.path.push_str(&written);
    }

    /// Escapes whatever means something in a template: an escape stands for its byte.
    fn char(&mut self, char: char) {
        let before = self.path.chars().next_back();
        let is_plain = match char {
            // At the end of a parameter or a word it is itself.
            ':' => before.is_some_and(|it| it.is_alphanumeric() || matches!(it, '}' | '>')),
            _ => char.is_alphanumeric() || "/-._~!&'+,;=@)".contains(char),
        };
        if is_plain {
            self.path.push(char);
            return;
        }
        for byte in char.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(self.path, "%{byte:02X}");
        }
    }
}

/// The same parameter with another name, which stands behind `{` or in front of `>`.
fn renamed(written: &str, name: &str) -> String {
    if let Some(inner) = written.strip_prefix('{') {
        let end = inner.find([':', '}']).unwrap_or(inner.len());
        return format!("{{{name}{}", inner.get(end..).unwrap_or_default());
    }
    match written.rsplit_once(':') {
        Some((converter, _)) => format!("{converter}:{name}>"),
        None => format!("<{name}>"),
    }
}

/// A word of `any()`, in quotes unless it is plain.
fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|char| char.is_ascii_alphabetic());
    if is_plain { word.to_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, written: &str) -> Part {
        Part::Written { written: written.to_owned(), name: name.to_owned() }
    }

    fn expression(text: &str) -> Part {
        Part::Expression { expression: text.to_owned(), ends: true }
    }

    #[test]
    fn parts_become_templates() {
        let custom = |regex: &str| Part::Custom { name: "x".into(), regex: regex.into() };
        let any = Part::Any { name: "language".into(), any: vec!["de".into(), "b c".into()] };
        let table: [(&str, Vec<Part>, &[&str]); 12] = [
            ("nothing", vec![], &["/"]),
            ("a text", vec![Part::text("/users/")], &["/users/"]),
            ("Starlette's", vec![Part::text("/a/"), written("id", "{id:int}")], &["/a/{id:int}"]),
            ("a converter", vec![Part::text("/a/"), custom("[A-Z]{2}")], &["/a/{x:[A-Z]{2}}"]),
            ("one for paths", vec![Part::text("/a/"), custom(".*?")], &["/a/{x:path}"]),
            ("any word", vec![any, Part::text("/a/")], &["<any(de, 'b c'):language>/a/"]),
            (
                "names twice",
                vec![written("id", "{id}"), Part::text("/"), written("id", "{id:int}")],
                &["{id}/{id_2:int}"],
            ),
            (
                "names twice in angles",
                vec![written("a", "<a>"), Part::text("-"), written("a", "<int(min=1):a>")],
                &["<a>-<int(min=1):a_2>"],
            ),
            (
                "groups without names",
                vec![expression("^(a|b)/(\\d+)$")],
                &["{arg:(a|b)}/{arg_2:\\d+}"],
            ),
            ("an optional slash", vec![expression("^a/?$")], &["a/"]),
            ("an optional part", vec![expression("^a/(?:b/)?$")], &["a/b/", "a/"]),
            ("a glued colon", vec![written("id", "{id}"), Part::text(":cancel")], &["{id}:cancel"]),
        ];
        for (name, parts, expected) in table {
            assert_eq!(templates(&parts).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn what_means_something_in_templates_is_escaped() {
        for (text, expected) in [
            ("/a b", "/a%20b"),
            ("/:id", "/%3Aid"),
            ("/a:b", "/a:b"),
            ("/{x}*<y>", "/%7Bx%7D%2A%3Cy%3E"),
            ("/100%", "/100%25"),
            ("/a?b#c", "/a%3Fb%23c"),
            ("/$metadata", "/%24metadata"),
            ("/caf\u{e9}", "/caf\u{e9}"),
            ("/a\u{a0}b\n", "/a%C2%A0b%0A"),
            ("/f(x)", "/f%28x)"),
        ] {
            assert_eq!(templates(&[Part::text(text)]).unwrap(), [expected]);
        }
    }

    #[test]
    fn what_stands_for_too_many_paths_is_refused() {
        let parts = vec![expression("^(a/)?(b/)?(c/)?$"); 3];
        assert!(templates(&parts).unwrap_err().contains("more than 32"));
        assert!(templates(&[expression("^(?i)a$")]).is_err());
    }
}
