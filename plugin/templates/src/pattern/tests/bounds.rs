//! Nothing that can be written takes a pattern past its bounds, or the parser off its stack.

use proptest::prelude::*;

use super::super::{Expr, Pattern, PatternErrorKind, TooLarge, bounds};
use super::pattern;

#[test]
fn what_routes_need_is_small_enough() {
    for (text, states) in [
        ("", 1),
        ("[0-9]+", 2),
        ("[a-z]{200}", 201),
        ("[a-z]{0,1000}", 1_001),
        ("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", 37),
        (r"\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])", 13),
        (r"[\w-]+\.(jpe?g|png|gif|webp|svg)", 21),
        (r"\w{1,64}", 64 * 8 + 1),
        ("[^/]{1,255}", 255 * 8 + 1),
        ("(a|b)*a(a|b){9}", 1_024),
    ] {
        assert_eq!(pattern(text).states(), states, "{text}");
    }
}

#[test]
fn a_pattern_that_would_be_too_large_is_refused_before_it_is() {
    for (name, text) in [
        ("states that double with each count", "(a|b)*a(a|b){20}"),
        ("the same, with larger letters", r".*a.{500}"),
        ("more states than parts are allowed", "((a{1000}){1000}){1000}"),
        ("repeated nothing", "(((){1000}){1000}){1000}"),
        ("repeated alternatives of nothing", "((|||){1000}){1000}"),
        ("a chain that is too long", "[a-z]{1000}[a-z]{1000}[a-z]{100}"),
        ("few states of many parts each", "(a?){1000}"),
        ("many characters of many bytes", ".{0,300}"),
    ] {
        let expr = Expr::parse(text).unwrap();
        assert_eq!(Pattern::compile(&expr), Err(TooLarge), "{name}");
    }
}

#[test]
fn a_table_of_too_many_cells_is_refused() {
    // Every ASCII byte is a letter, and all that lies beyond is one more.
    let every = Expr::literal(&(0..128).collect::<Vec<u8>>());
    let and_then = |count| {
        let tail = Expr::literal(b"a").repeat(count, Some(count));
        Pattern::compile(&Expr::sequence(vec![every.clone(), tail]))
    };
    let most = u32::try_from(bounds::CELLS / 129).unwrap() - 129;
    assert_eq!(and_then(most).map(|pattern| pattern.states()), Ok(bounds::CELLS / 129));
    assert_eq!(and_then(most + 1), Err(TooLarge));
}

#[test]
fn the_bounds_of_a_text_are_where_they_are_said_to_be() {
    let long = |length| "a".repeat(length);
    let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    let error = |text: &str| Expr::parse(text).unwrap_err();

    assert!(Pattern::compile(&Expr::parse(&long(bounds::TEXT)).unwrap()).is_ok());
    assert_eq!(error(&long(bounds::TEXT + 1)).kind, PatternErrorKind::TooLong);
    assert_eq!(error(&long(bounds::TEXT + 1)).span, 0..bounds::TEXT + 1);

    assert_eq!(pattern(&nested(bounds::NESTING)), pattern("a"));
    for depth in [bounds::NESTING + 1, 400] {
        assert_eq!(error(&nested(depth)).kind, PatternErrorKind::TooDeep);
        assert_eq!(error(&nested(depth)).span, bounds::NESTING..bounds::NESTING + 1);
    }
    assert_eq!(error(&"(".repeat(bounds::TEXT)).kind, PatternErrorKind::TooDeep);
    assert_eq!(pattern(&"(a)".repeat(300)), pattern("a{300}"), "groups beside each other");

    // The deepest that a text can make it: every group a repetition of alternatives of sequences.
    let deepest = (0..bounds::NESTING).fold("a".to_owned(), |inside, _| format!("(b{inside}|c)?"));
    assert!(pattern(&deepest).matches(b"bbb"));

    let counted = |count: u32| format!("a{{{count}}}");
    assert_eq!(pattern(&counted(bounds::COUNT)).states(), bounds::COUNT as usize + 1);
    assert_eq!(error(&counted(bounds::COUNT + 1)).kind, PatternErrorKind::HugeCount);
}

#[test]
fn an_expression_that_was_built_too_deep_is_refused() {
    let deep = |levels| (0..levels).fold(Expr::literal(b"a"), |expr, _| expr.repeat(1, Some(1)));
    assert!(Pattern::compile(&deep(bounds::LEVELS)).is_ok());
    assert_eq!(Pattern::compile(&deep(bounds::LEVELS + 1)), Err(TooLarge));
}

#[test]
fn the_refusal_of_a_large_pattern_names_the_bound() {
    insta::assert_snapshot!(TooLarge, @r#"the pattern is too large: its automaton may have 2048 states at most; write smaller counts, or a simpler pattern"#);
}

/// Texts that are nearly patterns: the characters that mean something, far more often than others.
fn nearly_a_pattern() -> impl Strategy<Value = String> {
    let pieces = vec![
        "(", ")", "(?:", "(?P<a>", "(?", "[", "]", "[^", "-", "{", "}", "{2}", "{2,", "{,3}",
        "{999}", ",", "*", "+", "?", "|", "^", "$", ".", "\\", r"\d", r"\W", r"\x4", r"\b", "/",
        "a", "b", "0", "é", "\n",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_a_pattern_or_is_refused_where_it_is_at_fault(
        text in prop_oneof![nearly_a_pattern(), any::<String>()],
    ) {
        match Expr::parse(&text) {
            Ok(expr) => {
                let states = Pattern::compile(&expr).map_or(1, |pattern| pattern.states());
                prop_assert!((1..=bounds::STATES).contains(&states));
            }
            Err(error) => {
                let fault = text.get(error.span.clone());
                prop_assert!(fault.is_some_and(|fault| !fault.is_empty()), "{:?}", error);
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_never_upset_the_parser(
        bytes in prop::collection::vec(any::<u8>(), 0..1_100),
    ) {
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(expr) = Expr::parse(&text) {
            let _ = Pattern::compile(&expr).map(|pattern| pattern.matches(&bytes));
        }
    }
}
