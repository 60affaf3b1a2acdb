//! Regular expressions as paths: Django's `re_path`, and converters of an app's own.
//!
//! Slashes are where segments end, so an expression is cut there, and each group or class between them becomes a
//! parameter. What is optional becomes two paths. A slash that hides in a class cannot be said, but for `.*` and `.+`,
//! which take whole paths.

use super::expression_parser::{Arms, Atom, Item, parse};

/// A part of a path that came of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// This character, a slash among them.
    Char(char),
    /// A parameter within a segment: its name, if it has one, and what it takes.
    Piece(Option<String>, String),
    /// A parameter that takes slashes too.
    Rest(Option<String>, String),
}

/// The most paths that one expression becomes.
pub(super) const MOST_PATHS: usize = 32;

/// What a converter may be that takes several segments.
const RESTS: [&str; 3] = [".*", ".+", "[^/].*"];

/// The paths of an expression of `re_path`. Such of an `include` end where what is included begins.
pub(super) fn paths(text: &str, ends: bool) -> Result<Vec<Vec<Unit>>, String> {
    let (inner, begins_there, ends_there) = without_anchors(text);
    if !(inner.is_empty() || begins_there || ends && ends_there) {
        return Err("its expression has no ^ in front, so it may begin anywhere".to_owned());
    }
    if !ends && ends_there {
        return Err("the expression of its include ends with $, so nothing can follow".to_owned());
    }
    let mut paths = arms(&parse(inner)?)?;
    if ends && !ends_there {
        // Whatever follows is taken too.
        for path in &mut paths {
            path.push(Unit::Rest(Some("rest".to_owned()), ".*".to_owned()));
        }
    }
    Ok(paths)
}

/// The paths of a converter's expression, which is matched as a whole.
pub(super) fn converter(name: &str, regex: &str) -> Result<Vec<Vec<Unit>>, String> {
    let (inner, ..) = without_anchors(regex);
    if let Some(rest) = rest(inner) {
        return Ok(vec![vec![Unit::Rest(Some(name.to_owned()), rest)]]);
    }
    group(Some(name), inner, &parse(inner)?)
}

/// The expression between its anchors, and whether they are there.
fn without_anchors(text: &str) -> (&str, bool, bool) {
    let front = ["^", "\\A"].iter().find_map(|mark| text.strip_prefix(mark));
    let inner = front.unwrap_or(text);
    let is_dollar = |inner: &str| inner.ends_with('$') && !inner.ends_with("\\$");
    let back = match inner {
        _ if is_dollar(inner) => inner.strip_suffix('$'),
        _ => inner.strip_suffix("\\Z"),
    };
    (back.unwrap_or(inner), front.is_some(), back.is_some())
}

/// What takes whole paths, lazy or not, as our templates say it.
fn rest(source: &str) -> Option<String> {
    let greedy = source.strip_suffix('?').unwrap_or(source);
    RESTS.contains(&greedy).then(|| greedy.to_owned())
}

fn arms(arms: &Arms<'_>) -> Result<Vec<Vec<Unit>>, String> {
    let mut paths = Vec::new();
    for arm in arms {
        paths.extend(sequence(arm)?);
    }
    bounded(paths)
}

fn sequence(items: &[Item<'_>]) -> Result<Vec<Vec<Unit>>, String> {
    let mut paths = vec![Vec::new()];
    for item in items {
        let ways = self::item(item)?;
        let longer = |path: &Vec<Unit>| -> Vec<Vec<Unit>> {
            ways.iter().map(|way| joined(path, way)).collect()
        };
        paths = bounded(paths.iter().flat_map(longer).collect())?;
    }
    Ok(paths)
}

/// One behind the other. Pieces without a name that touch are one.
fn joined(path: &[Unit], way: &[Unit]) -> Vec<Unit> {
    let mut joined = path.to_vec();
    for unit in way {
        match (joined.last_mut(), unit) {
            (Some(Unit::Piece(None, before)), Unit::Piece(None, behind)) => before.push_str(behind),
            _ => joined.push(unit.clone()),
        }
    }
    joined
}

fn item(item: &Item<'_>) -> Result<Vec<Vec<Unit>>, String> {
    let piece = || Ok(vec![vec![Unit::Piece(None, item.source.to_owned())]]);
    let is_optional = matches!(item.times, "?" | "??");
    match &item.atom {
        Atom::Char(char) if item.times.is_empty() => Ok(vec![vec![Unit::Char(*char)]]),
        Atom::Char('/') if is_optional => Ok(vec![vec![Unit::Char('/')], Vec::new()]),
        Atom::Group { name, inner, arms } if item.times.is_empty() => group(*name, inner, arms),
        Atom::Group { name, inner, arms } if is_optional => {
            let mut paths = group(*name, inner, arms)?;
            paths.push(Vec::new());
            Ok(paths)
        }
        _ if !item.has_slash() => piece(),
        _ => match rest(item.source) {
            Some(rest) => Ok(vec![vec![Unit::Rest(None, rest)]]),
            None => Err(format!("`{}` may take slashes, which only .* and .+ can", item.source)),
        },
    }
}

/// A group is one parameter, unless there is a slash in it: then its parts are. So are those of one that only holds
/// others together.
fn group(name: Option<&str>, inner: &str, arms: &Arms<'_>) -> Result<Vec<Vec<Unit>>, String> {
    if let Some(rest) = rest(inner) {
        return Ok(vec![vec![Unit::Rest(name.map(ToOwned::to_owned), rest)]]);
    }
    let all = || arms.iter().flatten();
    let is_choice = arms.len() > 1 && !all().any(Item::has_name);
    if !all().any(Item::has_slash) && (name.is_some() || is_choice) {
        return Ok(vec![vec![Unit::Piece(name.map(ToOwned::to_owned), piece(inner, arms))]]);
    }
    let mut paths = self::arms(arms)?;
    for unit in paths.iter_mut().flatten() {
        if let Unit::Piece(own @ None, _) | Unit::Rest(own @ None, _) = unit {
            *own = name.map(ToOwned::to_owned);
        }
    }
    Ok(paths)
}

/// Several arms without a name may touch a neighbour, which must not become a part of one.
fn piece(inner: &str, arms: &Arms<'_>) -> String {
    if arms.len() > 1 { format!("({inner})") } else { inner.to_owned() }
}

fn bounded(paths: Vec<Vec<Unit>>) -> Result<Vec<Vec<Unit>>, String> {
    if paths.len() > MOST_PATHS {
        return Err(format!("its expression stands for more than {MOST_PATHS} paths"));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As one would write it: parameters in braces, `{name~regex}` for one that takes slashes.
    fn shown(paths: &[Vec<Unit>]) -> Vec<String> {
        let unit = |unit: &Unit| match unit {
            Unit::Char(char) => char.to_string(),
            Unit::Piece(name, regex) => format!("{{{}:{regex}}}", name.as_deref().unwrap_or("")),
            Unit::Rest(name, regex) => format!("{{{}~{regex}}}", name.as_deref().unwrap_or("")),
        };
        paths.iter().map(|path| path.iter().map(unit).collect()).collect()
    }

    #[test]
    fn expressions_are_cut_at_their_slashes() {
        let table: [(&str, bool, &[&str]); 25] = [
            ("^articles/(?P<year>[0-9]{4})/$", true, &["articles/{year:[0-9]{4}}/"]),
            ("^a/(\\d+)/(\\w+)$", true, &["a/{:\\d+}/{:\\w+}"]),
            ("a/$", true, &["a/"]),
            ("^a/\\Z", true, &["a/"]),
            ("^a", true, &["a{rest~.*}"]),
            ("", true, &["{rest~.*}"]),
            ("", false, &[""]),
            ("^x/", false, &["x/"]),
            ("^a/?$", true, &["a/", "a"]),
            ("^(?P<url>.*)$", true, &["{url~.*}"]),
            ("^f/(?P<path>.+?)/raw$", true, &["f/{path~.+}/raw"]),
            ("^f/.*$", true, &["f/{~.*}"]),
            ("^(?P<app>auth|sites)/$", true, &["{app:(auth|sites)}/"]),
            ("^(?:auth|sites)/$", true, &["{:(auth|sites)}/"]),
            ("^(?:auth/users|sites)/$", true, &["auth/users/", "sites/"]),
            ("^p(?:age-(?P<page>\\d+)/)?$", true, &["page-{page:\\d+}/", "p"]),
            ("^(?P<day>\\d{4}/\\d{2})/$", true, &["{day:\\d{4}}/{day:\\d{2}}/"]),
            (
                "^a\\.(?P<format>[a-z0-9]+)/?$",
                true,
                &["a.{format:[a-z0-9]+}/", "a.{format:[a-z0-9]+}"],
            ),
            ("^(?P<pk>[^/.]+)/$", true, &["{pk:[^/.]+}/"]),
            ("^colou?r/$", true, &["colo{:u?}r/"]),
            ("^[a-z]\\d+-x$", true, &["{:[a-z]\\d+}-x"]),
            ("^a/(?P<id>(?:x|y)+\\d)/$", true, &["a/{id:(?:x|y)+\\d}/"]),
            ("^(?:v1)/$", true, &["v1/"]),
            ("^page(?:-(?P<page>\\d+))?/$", true, &["page-{page:\\d+}/", "page/"]),
            ("^(?:a(?P<x>\\d)|b)/$", true, &["a{x:\\d}/", "b/"]),
        ];
        for (text, ends, expected) in table {
            let found = paths(text, ends).map(|paths| shown(&paths)).unwrap_or_default();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_told_with_the_reason() {
        for (text, ends, told) in [
            ("^a/(?P<rest>[^.]+)$", true, "`[^.]+` may take slashes"),
            ("^(?P<rest>[\\w/]+)$", true, "`[\\w/]+` may take slashes"),
            ("^(?P<rest>[+-9]+)$", true, "`[+-9]+` may take slashes"),
            ("^(?P<rest>\\S+)$", true, "`\\S+` may take slashes"),
            ("^(?:a/)+$", true, "`(?:a/)+` may take slashes"),
            ("a/", true, "may begin anywhere"),
            ("^a/$", false, "nothing can follow"),
            ("^(?i)a$", true, "flags"),
            ("^(?=a)b$", true, "looks around"),
            ("^(a)\\1$", true, "`\\1` in its expression has no counterpart"),
            ("^a\\b$", true, "`\\b` in its expression"),
            ("^a$|^b$", true, "`$` stands in the middle"),
            ("^(a$", true, "never closed"),
            ("^a)$", true, "a `)` too many"),
            ("^[a$", true, "a class is never closed"),
            ("^a{2$", true, "a `{` is never closed"),
            ("^*$", true, "nothing that `*` repeats"),
            ("^a\\", true, "ends in a backslash"),
            ("^(?P<a$", true, "the name of a group"),
            ("^(a/)?(b/)?(c/)?(d/)?(e/)?(f/)?$", true, "more than 32 paths"),
        ] {
            let refused = paths(text, ends).unwrap_err();
            assert!(refused.contains(told), "{text}: {refused}");
        }
        let deep = format!("^{}{}$", "(".repeat(100), ")".repeat(100));
        assert!(paths(&deep, true).unwrap_err().contains("too deep"));
    }

    #[test]
    fn converters_are_matched_as_a_whole() {
        let table: [(&str, &[&str]); 8] = [
            ("[A-Z]{2}-\\d+", &["{x:[A-Z]{2}-\\d+}"]),
            ("^[a-z]+$", &["{x:[a-z]+}"]),
            ("a|b", &["{x:(a|b)}"]),
            (".*?", &["{x~.*}"]),
            ("[^/].*?", &["{x~[^/].*}"]),
            ("[^/]+", &["{x:[^/]+}"]),
            ("\\d{4}/\\d{2}", &["{x:\\d{4}}/{x:\\d{2}}"]),
            ("", &["{x:}"]),
        ];
        for (regex, expected) in table {
            assert_eq!(shown(&converter("x", regex).unwrap()), expected, "{regex}");
        }
        assert!(converter("x", "[a-z/]+").unwrap_err().contains("may take slashes"));
    }
}
