//! The matcher: up to eight templates and a path.
//!
//! The first byte says how many templates there are (`1` to `8`), then comes one a line, and what is left
//! is the path, line feeds and all. Each template alone must agree with all of them together, both
//! precedences with the list of all that match, short paths with a model that knows no tree, and the
//! places of values must be in the path.
//!
//! That nothing takes long is for the fuzzer's own clock. What a template is, is for the target `template`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::Method;
use sightline_core::route::matcher::{Precedence, Scratch, Templates};
use sightline_core::route::template::{Param, Piece, Rest, Template, parse};

/// The longest path that the model is asked for: its work is quadratic.
const SHORT: usize = 48;

fuzz_target!(|input: &[u8]| {
    let Some((texts, path)) = read(input) else { return };
    let templates: Vec<Template> = texts.iter().filter_map(|text| parse(text).ok()).collect();
    let scratch = &mut Scratch::default();
    let mut alone = Vec::new();
    for (at, template) in templates.iter().enumerate() {
        let Ok(one) = Templates::new(std::slice::from_ref(template), Precedence::Specific) else {
            return;
        };
        let matches = !one.all(path, scratch).is_empty();
        agrees_with_the_model(template, path, matches);
        alone.extend(matches.then_some(at));
    }
    let declared = Templates::new(&templates, Precedence::Declared).expect("each is sound alone");
    assert_eq!(declared.all(path, scratch), alone, "{path:?} on {texts:?}");
    chooses_among_them(&declared, Precedence::Declared, &templates, &alone, path);
    for template in &templates {
        values_are_in_the_path(&declared, &templates, template, path);
    }
    if let Ok(specific) = Templates::new(&templates, Precedence::Specific) {
        assert_eq!(specific.all(path, scratch), alone, "{path:?} on {texts:?}");
        chooses_among_them(&specific, Precedence::Specific, &templates, &alone, path);
    }
});

/// The templates' texts, and the path.
fn read(input: &[u8]) -> Option<(Vec<&str>, &[u8])> {
    let (first, mut rest) = input.split_first()?;
    let mut texts = Vec::new();
    for _ in 0..=first.wrapping_sub(b'1') & 7 {
        let mut parts = rest.splitn(2, |&byte| byte == b'\n');
        texts.extend(str::from_utf8(parts.next()?));
        rest = parts.next()?;
    }
    Some((texts, rest))
}

fn chooses_among_them(
    made: &Templates,
    precedence: Precedence,
    templates: &[Template],
    alone: &[usize],
    path: &[u8],
) {
    let scratch = &mut Scratch::default();
    for method in [Method::Get, Method::Head, Method::Post, Method::Delete, Method::Other] {
        let takes = |&at: &usize| templates[at].methods.takes(method);
        let expected: Vec<usize> = alone.iter().copied().filter(takes).collect();
        let found = made.find(method, path, scratch);
        match precedence {
            Precedence::Declared => assert_eq!(found, expected.first().copied(), "{method:?}"),
            Precedence::Specific => {
                assert_eq!(found.is_some(), !expected.is_empty(), "{method:?} {expected:?}");
                assert!(found.is_none_or(|found| expected.contains(&found)), "{found:?}");
            }
        }
    }
}

fn values_are_in_the_path(
    made: &Templates,
    templates: &[Template],
    template: &Template,
    path: &[u8],
) {
    let names: Vec<String> = params(template).filter_map(|param| param.name.clone()).collect();
    for at in made.all(path, &mut Scratch::default()) {
        let ranges = made.locate(at, &names, path, &mut Scratch::default());
        let is_own = templates[at] == *template;
        assert!(!is_own || names.is_empty() || !ranges.is_empty(), "no value of {names:?}");
        let mut end = 0;
        for range in ranges {
            assert!(
                end <= range.start && path.get(range.clone()).is_some(),
                "{range:?} of {path:?}"
            );
            end = range.end;
        }
    }
}

fn params(template: &Template) -> impl Iterator<Item = &Param> {
    template.pieces.iter().filter_map(|piece| match piece {
        Piece::Param(param) => Some(param),
        Piece::Slash | Piece::Literal(_) => None,
    })
}

/// Matching by trying everything, over the whole path at once, as far as there is nothing to decode. About
/// a segment that is empty and an expression that takes nothing, only the matcher knows; beyond ASCII, what
/// shares its segment takes a little less by design.
fn agrees_with_the_model(template: &Template, path: &[u8], matches: bool) {
    let takes_nothing = |param: &Param| !param.language.is_rest() && param.language.matches(b"");
    let plain = path.is_ascii() && !path.contains(&b'%');
    if path.len() > SHORT || !plain || params(template).any(takes_nothing) {
        return;
    }
    let inner = path.strip_prefix(b"/").unwrap_or(path);
    // Of two slashes alone neither is at the end of anything, and there is none to add to the root.
    let inner = inner.strip_suffix(b"/").filter(|inner| !inner.is_empty()).unwrap_or(inner);
    let closed = [inner, b"/"].concat();
    let expected =
        takes(&template.pieces, inner) || (!inner.is_empty() && takes(&template.pieces, &closed));
    assert_eq!(matches, expected, "{path:?} on {:?}", template.text);
}

/// For each number of pieces, the places in the path that they may end at.
fn takes(pieces: &[Piece], path: &[u8]) -> bool {
    let mut ends = vec![vec![false; path.len() + 1]; pieces.len() + 1];
    ends[0][0] = true;
    for (at, piece) in pieces.iter().enumerate() {
        let vanishes = vanishes(pieces, at);
        for start in (0..=path.len()).filter(|&start| ends[at][start]).collect::<Vec<_>>() {
            if vanishes {
                ends[at + 2][start] = true;
            }
            for end in start..=path.len() {
                ends[at + 1][end] = ends[at + 1][end] || takes_all(piece, &path[start..end]);
            }
        }
    }
    ends[pieces.len()][path.len()]
}

/// Whether two pieces may be nothing: a `**` that is a segment, and the slash behind it, or before it where
/// none is behind.
fn vanishes(pieces: &[Piece], at: usize) -> bool {
    let is_any = |piece: &Piece| matches!(piece, Piece::Param(param) if param.language.rest() == Some(Rest::Any));
    match &pieces[at..] {
        [any, Piece::Slash, ..] if is_any(any) => at == 0 || pieces[at - 1] == Piece::Slash,
        [Piece::Slash, any] => is_any(any),
        _ => false,
    }
}

fn takes_all(piece: &Piece, bytes: &[u8]) -> bool {
    match piece {
        Piece::Slash => bytes == b"/",
        Piece::Literal(literal) => bytes == literal,
        Piece::Param(Param { language, .. }) => match language.rest() {
            Some(Rest::Empty | Rest::Any) => true,
            Some(Rest::Some) => !bytes.is_empty(),
            Some(Rest::NoSlashFirst) => !bytes.is_empty() && !bytes.starts_with(b"/"),
            None => !bytes.contains(&b'/') && language.matches(bytes),
        },
    }
}
