//! The template parser: any text as a template, and a segment for its parameters.
//!
//! The first line is the template, what is behind it the segment. An error must point into the text. What
//! is accepted must keep the invariants of [`Template`], mean the same when it is read again, match the
//! paths that it gives as samples, and its parameters must take what their expressions take.
//!
//! Which of several templates a path matches is for the target `matcher`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sightline_core::Method;
use sightline_core::route::matcher::{Fault, Precedence, Scratch, TemplateProblem, Templates};
use sightline_core::route::pattern::Pattern;
use sightline_core::route::template::{
    Float, LONGEST_TEMPLATE, Language, MOST_SEGMENTS, Param, Piece, Template, TemplateError, parse,
};

const METHODS: [Method; 11] = [
    Method::Connect,
    Method::Delete,
    Method::Get,
    Method::Head,
    Method::Options,
    Method::Patch,
    Method::Post,
    Method::Put,
    Method::Query,
    Method::Trace,
    Method::Other,
];

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let (text, segment) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(text) = str::from_utf8(text) else { return };
    match parse(text) {
        Err(error) => points_into_the_text(&error, text),
        Ok(template) => {
            keeps_its_invariants(&template, text);
            means_the_same_when_read_again(&template);
            matches_its_samples(&template, text);
            takes_what_its_expressions_take(&template, segment);
        }
    }
});

fn points_into_the_text(error: &TemplateError, text: &str) {
    assert!(text.get(error.span.clone()).is_some(), "{:?} of {text:?}", error.span);
    let said = error.to_string();
    // A tab may be part of what it quotes.
    assert!(
        !said.is_empty() && !said.contains(|it: char| it.is_control() && it != '\t'),
        "{said:?}"
    );
}

fn keeps_its_invariants(template: &Template, text: &str) {
    let Template { pieces, text: name, .. } = template;
    assert!(name.len() <= LONGEST_TEMPLATE && !name.is_empty() && name.trim() == name, "{name:?}");
    assert!(text.trim_end().ends_with(name.as_str()), "{name:?} is not the end of {text:?}");
    for pair in pieces.windows(2) {
        let alike = matches!(pair, [Piece::Slash, Piece::Slash]);
        assert!(!alike && !matches!(pair, [Piece::Literal(_), Piece::Literal(_)]), "{pair:?}");
    }
    let ends = [pieces.first(), pieces.last()];
    assert!(!ends.contains(&Some(&Piece::Slash)), "{pieces:?}");
    let segments: Vec<_> = pieces.split(|piece| *piece == Piece::Slash).collect();
    assert!(segments.len() <= MOST_SEGMENTS, "{} segments", segments.len());
    for segment in segments {
        let rests = params(segment).filter(|param| param.language.is_rest()).count();
        assert!(rests <= 1, "{rests} rests in {segment:?}");
    }
    for param in params(pieces) {
        assert!(text.get(param.span.clone()).is_some(), "{:?} of {text:?}", param.span);
    }
    let literals = pieces.iter().filter_map(|piece| match piece {
        Piece::Literal(literal) => Some(literal),
        Piece::Slash | Piece::Param(_) => None,
    });
    for literal in literals {
        assert!(!literal.is_empty() && !literal.contains(&b'/'), "{literal:?}");
    }
}

/// With a method in front and blanks around it.
fn means_the_same_when_read_again(template: &Template) {
    let name = &template.text;
    // A comma in front would be one of a list of methods.
    if name.len() + 6 > LONGEST_TEMPLATE || name.starts_with(',') {
        return;
    }
    let text = format!("\tGET {name} ");
    let again = parse(&text).map(|again| bare(&again));
    let methods = again.as_ref().map_or(template.methods, |again| again.methods);
    assert_eq!(again, Ok(Template { methods, ..bare(template) }), "{text:?}");
    let takes = METHODS.map(|method| methods.takes(method));
    assert_eq!(takes, METHODS.map(|method| matches!(method, Method::Get | Method::Head)));
}

/// The same without the places in the text.
fn bare(template: &Template) -> Template {
    let mut bare = template.clone();
    for piece in &mut bare.pieces {
        if let Piece::Param(param) = piece {
            param.span = 0..0;
        }
    }
    bare
}

fn matches_its_samples(template: &Template, text: &str) {
    let templates = match Templates::new(std::slice::from_ref(template), Precedence::Specific) {
        Ok(templates) => templates,
        Err(problems) => {
            let too_large = TemplateProblem { template: 0, fault: Fault::TooLarge };
            return assert_eq!(problems, [too_large], "{text:?}");
        }
    };
    let scratch = &mut Scratch::default();
    for seed in 0..4 {
        let path = template.sample(seed);
        for method in METHODS {
            let expected = template.methods.takes(method).then_some(0);
            let found = templates.find(method, path.as_bytes(), scratch);
            let has_none = found.is_none() && may_have_no_sample(template);
            assert!(has_none || found == expected, "{found:?}: {method:?} {path:?} on {text:?}");
        }
    }
}

/// Whether an expression takes what is no segment, and so perhaps nothing that is one.
fn may_have_no_sample(template: &Template) -> bool {
    let no_segments: [&[u8]; 3] = [b"", b".", b".."];
    params(&template.pieces).any(|Param { language, .. }| {
        matches!(language, Language::Inline(_)) && no_segments.iter().any(|it| language.matches(it))
    })
}

fn takes_what_its_expressions_take(template: &Template, segment: &[u8]) {
    if !segment.is_ascii() || segment.contains(&b'/') {
        return;
    }
    for Param { language, .. } in params(&template.pieces) {
        // Bounds of decimal numbers are in no expression.
        if matches!(language, Language::Float(float) if *float != unbounded(*float)) {
            continue;
        }
        let Ok(pattern) = Pattern::compile(&language.expr()) else { continue };
        assert_eq!(language.matches(segment), pattern.matches(segment), "{language:?} {segment:?}");
    }
}

fn unbounded(float: Float) -> Float {
    Float { min: None, max: None, ..float }
}

fn params(pieces: &[Piece]) -> impl Iterator<Item = &Param> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Param(param) => Some(param),
        Piece::Slash | Piece::Literal(_) => None,
    })
}
