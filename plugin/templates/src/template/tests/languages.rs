//! What parameters take: compared with what the real frameworks said, with patterns, and with a model of
//! whole templates.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::*;
use crate::pattern::{Expr, Pattern};

/// What the frameworks said, as data: how it was made stands in its head.
const VECTORS: &str = include_str!("vectors.tsv");

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| char::from(byte.unwrap()).to_digit(16).unwrap();
        decoded.push(match byte {
            b'%' => u8::try_from(digit(bytes.next()) * 16 + digit(bytes.next())).unwrap(),
            byte => byte,
        });
    }
    decoded
}

/// The language of a template that is one parameter.
fn language(template: &str) -> Language {
    match parse(template).unwrap().pieces.as_slice() {
        [Piece::Param(param)] => param.language.clone(),
        other => panic!("{template:?} is {other:?}"),
    }
}

#[test]
fn a_parameter_takes_what_the_real_converter_takes() {
    let rows = |kind: &'static str| {
        VECTORS.lines().filter_map(move |line| line.strip_prefix(kind)?.strip_prefix('\t'))
    };
    let segments: Vec<&str> = rows("segment").collect();
    let mut asked = 0;
    for row in rows("takes") {
        let (template, taken) = row.split_once('\t').unwrap();
        let taken: Vec<&str> = taken.split(' ').collect();
        let language = language(template);
        for &segment in &segments {
            let expected = taken.contains(&segment);
            assert_eq!(language.matches(&decoded(segment)), expected, "{template} on {segment}");
            asked += 1;
        }
    }
    assert!(asked > 2_500, "{asked} questions");
}

/// One template of each language and of each of its arguments.
const ALL: [&str; 26] = [
    "<any(a, ab, b7, \"1.5\"):x>",
    "{x:uuid}",
    "/<uuid:x>",
    "<uuid:x>",
    "{x:int}",
    "/<int:x>",
    "/<int(signed=True):x>",
    "/<int(fixed_digits=3):x>",
    "/<int(min=7):x>",
    "/<int(max=120):x>",
    "/<int(min=95, max=1203):x>",
    "/<int(fixed_digits=3, min=7, max=120):x>",
    "/<int(fixed_digits=4, signed=True, min=-120, max=15):x>",
    "/<int(signed=True, min=-120, max=-7):x>",
    "/<int(signed=True, max=15):x>",
    "{x:float}",
    "/<float:x>",
    "/<float(signed=True):x>",
    "{x:[a-f]{2}[0-9]*}",
    "<slug:x>",
    "/<string(length=2):x>",
    "/<string(minlength=3):x>",
    "/<string(maxlength=3):x>",
    "{x}",
    "{x:path}",
    "/<path:x>",
];

/// What they take, by hand and as patterns.
static BOTH: LazyLock<Vec<(Language, Pattern)>> = LazyLock::new(|| {
    let pattern = |language: &Language| Pattern::compile(&language.expr()).unwrap();
    ALL.map(language).map(|language| (language.clone(), pattern(&language))).into()
});

/// Segments that are near to being taken.
fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,5}",
        "-?0{0,3}[0-9]{1,4}",
        "-?[0-9]{0,3}\\.?[0-9]{0,3}",
        "[0-9٠-٩๐-๙𝟎-𝟿.-]{1,5}",
        "[0-9a-fA-F]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}",
        "[a-f]{2}[0-9]{0,3}",
        "[ab]{0,2}7?",
        "[-_a-zA-Z0-9]{1,12}",
        "[^/]{0,6}",
    ]
}

proptest! {
    #[test]
    fn matching_by_hand_agrees_with_the_pattern(segment in segment()) {
        for (language, pattern) in BOTH.iter() {
            let bounded_int = matches!(language, Language::Int(int) if !int.is_plain());
            // The pattern of such a number knows ASCII digits only, as its documentation says.
            if bounded_int && !segment.is_ascii() {
                continue;
            }
            let bytes = segment.as_bytes();
            prop_assert_eq!(language.matches(bytes), pattern.matches(bytes), "{:?} on {:?}", language, segment);
        }
    }

    #[test]
    fn bounds_hold_whatever_the_number(number in any::<i32>(), zeros in 0_usize..50, min in any::<i32>(), size in 0..i32::MAX) {
        let max = min.saturating_add(size);
        let template = format!("/<int(signed=True, min={min}, max={max}):x>");
        let sign = if number < 0 { "-" } else { "" };
        let text = format!("{sign}{}{}", "0".repeat(zeros), number.unsigned_abs());
        let expected = (min..=max).contains(&number);
        let language = language(&template);
        prop_assert_eq!(language.matches(text.as_bytes()), expected);
        let pattern = Pattern::compile(&language.expr()).unwrap();
        prop_assert_eq!(pattern.matches(text.as_bytes()), expected);
    }

    #[test]
    fn any_bytes_have_an_answer(segment in prop::collection::vec(any::<u8>(), 0..64)) {
        for (language, _) in BOTH.iter() {
            let takes = language.matches(&segment);
            prop_assert!(!takes || language.is_rest() || !segment.is_empty());
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused_within_itself(text in "(GET )?/?([a-z*:%{}<>(),=/.\"\\[\\]0-9 ?é|+-]|\\{[a-z]:?|<[a-z]+:?|any\\(|int\\(|\\.\\.\\.|[>}]){0,24}") {
        match parse(&text) {
            Ok(template) => prop_assert_eq!(parse(&template.text).map(|it| it.pieces.len()), Ok(template.pieces.len())),
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span);
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn a_template_matches_its_own_sample(seed in any::<u64>()) {
        for template in TEMPLATES.iter() {
            let sample = template.sample(seed);
            prop_assert!(matches(template, &sample), "{} has the sample {}", template.text, sample);
            prop_assert_eq!(template.sample(seed), sample);
        }
    }
}

/// All that there are in these tests.
static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    let spellings = super::SPELLINGS.iter().map(|(_, text, _)| *text);
    SAMPLED.into_iter().chain(spellings).map(|text| parse(text).unwrap()).collect()
});

const SAMPLED: [&str; 18] = [
    "/",
    "/users/{id}/",
    "users/<int:pk>/<slug:s>/<uuid:u>/",
    "/<int(min=5, max=9):a>/<int(fixed_digits=4):b>/<int(signed=True, max=-3):c>/<int(min=123456789):d>",
    "/<int(signed=True, fixed_digits=3, min=-50, max=7):a>",
    "/<float:a>/<float(min=1.5, max=1.75):b>/<float(signed=True, max=-2.5):c>/<float(max=0.25):d>",
    "/<string(length=2):a>/<string(minlength=5):b>/<string(maxlength=3):c>",
    "/<any(a, \"b c\", \"100%\"):x>/<uuid:y>",
    "/{a:uuid}/{b:float}/{c:int}/{d:[a-z]{3}[0-9]*}/{e:\\.+x?}",
    "/:from-:to/@:user/{name}.json/{id}:cancel",
    "/{a}{b}/{c:int}-{d:[a-f]+}/v<int(min=1, max=12):v>",
    "/files/{rest:path}",
    "/files/<path:p>/meta",
    "/**/a/**",
    "/{p:path}.json",
    "/v1/{name=projects/*/x/**}:go",
    "/a%20b/gr\u{f6}\u{df}e/100%",
    "/*/x/*.m4s",
];

/// A model of matching, slow and plain: each piece is a pattern over the whole path, slashes included.
fn matches(template: &Template, path: &str) -> bool {
    fn ends(pieces: &[Piece], rest: &[u8]) -> bool {
        let Some((piece, behind)) = pieces.split_first() else { return rest.is_empty() };
        match piece {
            Piece::Slash => rest.strip_prefix(b"/").is_some_and(|rest| ends(behind, rest)),
            Piece::Literal(literal) => {
                rest.strip_prefix(literal.as_slice()).is_some_and(|rest| ends(behind, rest))
            }
            Piece::Param(param) => (0..=rest.len()).rev().any(|length| {
                let (value, rest) = rest.split_at(length);
                let taken = param.language.is_rest()
                    || (!value.contains(&b'/') && param.language.matches(value));
                taken && ends(behind, rest)
            }),
        }
    }
    ends(&template.pieces, &decoded(path.strip_prefix('/').unwrap()))
}

#[test]
fn languages_that_are_the_same_are_equal() {
    let table = [
        ("{x:[0-9]+}", "{x:int}", true),
        ("{x:\\d+}", "<int:x>", true),
        ("{x:[a-f]+}", "{x:[a-f][a-f]*}", true),
        ("{x:[a-f]+}", "{x:[a-g]+}", false),
        ("<any(a,b):x>", "<any(b,a,a):x>", true),
        ("<string(minlength=1):x>", "{x}", true),
        ("<int:x>", "/<int:x>", false),
        ("<uuid:x>", "/<uuid:x>", false),
        ("/<float(max=0.0):x>", "/<float(max=-0.0):x>", true),
    ];
    for (left, right, expected) in table {
        assert_eq!(language(left) == language(right), expected, "{left} and {right}");
    }
}

#[test]
fn the_narrower_has_the_smaller_rank() {
    let order = [
        "<any(a,b):x>",
        "<uuid:x>",
        "/<uuid:x>",
        "{x:uuid}",
        "/<int(min=1):x>",
        "{x:int}",
        "/<int:x>",
        "/<float(min=1.0):x>",
        "/<float:x>",
        "{x:[a-f]+}",
        "<slug:x>",
        "<string(length=2):x>",
        "<string(minlength=2):x>",
        "{x}",
        "/<path:x>",
        "<path:x>",
        "{x:path}",
    ];
    assert!(order.map(|template| language(template).rank()).is_sorted_by(|a, b| a < b));
}

#[test]
fn long_numbers_of_other_digits_are_compared_too() {
    let language = language("/<float(min=1.0):x>");
    let long = |count| format!("{}.٥", "٣".repeat(count));
    assert!(language.matches(long(510).as_bytes()));
    assert!(language.matches(long(5_000).as_bytes()));
    assert!(!language.matches("٠.٥".as_bytes()));
}

#[test]
fn two_whole_numbers_of_any_digits_fit_one_pattern() {
    let one = language("/<int:x>").expr();
    let both = Expr::sequence(vec![one.clone(), Expr::literal(b"-"), one]);
    let pattern = Pattern::compile(&both).unwrap();
    assert!(pattern.matches("١2-๓".as_bytes()) && !pattern.matches("١2-x".as_bytes()));
}
