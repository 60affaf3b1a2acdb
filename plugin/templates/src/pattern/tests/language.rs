//! What patterns accept, when they are equal and when they meet: against the naive model, and by example.

use proptest::prelude::*;

use super::super::{Expr, Pattern};
use super::{model, pattern};

/// Inputs of the bytes that the model's expressions are made of, and of pieces of characters.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"a",
        b"b",
        b"/",
        b"\n",
        b"\xc3\xa9",
        b"\xc3",
        b"\xa9",
        b"\xe2\x82\xac",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x90\x9d",
        b"\xf4\x90\x80\x80",
        b"\xff",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_pattern_accepts_what_the_model_accepts(
        expr in model::expr(), inputs in prop::collection::vec(input(), 8),
    ) {
        prop_assume!(Pattern::compile(&expr).is_ok());
        let pattern = Pattern::compile(&expr).unwrap();
        for input in inputs {
            prop_assert_eq!(pattern.matches(&input), model::accepts(&expr, &input), "{:?}", input);
        }
    }

    #[test]
    fn a_pattern_accepts_what_its_expression_makes_and_meets_itself(
        expr in model::expr(), choices in prop::collection::vec(any::<usize>(), 200),
    ) {
        prop_assume!(Pattern::compile(&expr).is_ok());
        let pattern = Pattern::compile(&expr).unwrap();
        if let Some(input) = model::sample(&expr, &mut choices.into_iter()) {
            prop_assert!(pattern.matches(&input), "{:?}", input);
            prop_assert!(pattern.meets(&pattern));
        }
    }

    #[test]
    fn patterns_are_equal_when_their_languages_are(one in model::finite(), other in model::finite()) {
        let (ones, others) = (model::language(&one), model::language(&other));
        let (first, second) = (Pattern::compile(&one).unwrap(), Pattern::compile(&other).unwrap());
        prop_assert_eq!(first == second, ones == others);
        prop_assert_eq!(first.meets(&second), !ones.is_disjoint(&others));
        prop_assert_eq!(second.meets(&first), first.meets(&second));
        // The same language in another form: every input that it has, spelt out.
        let spelt = ones.iter().map(|input| Expr::literal(input)).collect();
        prop_assert_eq!(Pattern::compile(&Expr::either(spelt)).unwrap(), first);
    }

    #[test]
    fn a_pattern_is_equal_to_itself_with_more_around_it(expr in model::expr()) {
        prop_assume!(Pattern::compile(&expr).is_ok());
        let pattern = Pattern::compile(&expr).unwrap();
        let nothing = Expr::either(vec![]);
        let empty = Expr::literal(b"");
        let around = Expr::either(vec![
            nothing.clone(),
            Expr::sequence(vec![empty.clone(), expr.clone(), empty]),
            Expr::sequence(vec![expr.clone(), nothing]),
            expr.clone().repeat(1, Some(1)),
            expr,
        ]);
        // Four times as large, it may be too large.
        let around = Pattern::compile(&around);
        prop_assume!(around.is_ok());
        prop_assert_eq!(around.unwrap(), pattern);
    }
}

#[test]
fn the_same_language_is_the_same_pattern_however_it_is_spelt() {
    for (name, spellings) in [
        (
            "numbers",
            &["[0-9]+", r"\d+", r"\d\d*", "(0|[1-9])+", r"[\d]{1,}", r"\d*?\d", "^[0-9]+$"][..],
        ),
        ("counts", &["a{2,4}", "aaa?a?", "aa(a|aa|)", "(?:a{1,2}){2}"]),
        ("characters", &[r"[\d\D]", r"[\w\W]", r"\s|\S", r"[^/]"]),
        ("but a line feed", &[".", r"[^\n]", r"[^\n/]"]),
        ("words", &[r"\w", r"[^\W]", r"[A-Za-z0-9_\w]"]),
        ("no digit", &[r"\D", r"[^\d]", "[^0-9]", r"[^\x30-9]"]),
        ("one or nothing", &["a?", "a??", "(a|)", "(|a)", "a{0,1}"]),
        ("nothing at all but the empty", &["", "^$", "()", "(?:)*", "|", "a{0}"]),
        ("common ends", &["abx|cbx|abc", "ab(x|c)|cbx", "(a|c)bx|abc"]),
        ("characters in bytes", &["(é|è)", "(è|é)", "è|é|é"]),
    ] {
        for spelling in spellings {
            assert_eq!(pattern(spelling), pattern(spellings[0]), "{name}: {spelling}");
        }
    }
}

#[test]
fn other_languages_are_other_patterns() {
    let all = [
        "", "a", "b", "aa", "a+", "a*", "[ab]", ".", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", "é",
    ];
    for (index, one) in all.iter().enumerate() {
        for other in &all[index + 1..] {
            assert_ne!(pattern(one), pattern(other), "{one} and {other}");
        }
    }
}

#[test]
fn what_accepts_nothing_has_one_form_and_meets_nothing() {
    let never = Pattern::compile(&Expr::either(vec![])).unwrap();
    for (name, expr) in [
        ("an empty class", Expr::class(&[])),
        ("a range that is not ASCII", Expr::class(&[(0x80, 0xff)])),
        ("a repetition that ends before it begins", Expr::literal(b"a").repeat(3, Some(2))),
        ("a way that leads nowhere", Expr::sequence(vec![Expr::literal(b"ab"), Expr::class(&[])])),
    ] {
        let pattern = Pattern::compile(&expr).unwrap();
        assert_eq!(pattern, never, "{name}");
        assert!(!pattern.matches(b"") && !pattern.matches(b"a"), "{name}");
        assert!(!pattern.meets(&pattern), "{name}");
    }
    assert_eq!(never.states(), 1);
}

#[test]
fn patterns_meet_where_an_input_is_common() {
    for (one, other, expected) in [
        ("[0-9]+", "[0-9a-f]{8}", true),
        ("[0-9]{7}", "[0-9a-f]{8}", false),
        (r"\d+", "[a-z]+", false),
        (r"\d*", "[a-z]*", true),
        ("v[0-9]+", "[a-z]+", false),
        ("v[0-9]*", "[a-z]+", true),
        ("(aa)+", "(aaa)+", true),
        ("(aa)+", "a(aa)*", false),
        (r".*\.json", r"report-.*", true),
        (r".*\.json", r".*\.xml", false),
        (".", "é", true),
        ("..", "é", false),
    ] {
        assert_eq!(pattern(one).meets(&pattern(other)), expected, "{one} and {other}");
        assert_eq!(pattern(other).meets(&pattern(one)), expected, "{other} and {one}");
    }
}

#[test]
fn bytes_that_are_no_character_match_bytes_only() {
    let char = Pattern::compile(&Expr::any_char().repeat(0, None)).unwrap();
    let byte = Pattern::compile(&Expr::any_byte().repeat(0, None)).unwrap();
    for (name, input, is_text) in [
        ("nothing", &b""[..], true),
        ("ASCII", b"a\n~\0", true),
        ("two bytes", b"\xc2\x80\xdf\xbf", true),
        ("three bytes", b"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true),
        ("four bytes", b"\xf0\x90\x80\x80\xf1\x80\x80\x80\xf4\x8f\xbf\xbf", true),
        ("a stray tail", b"\x80", false),
        ("a character cut short", b"a\xc3", false),
        ("an overlong form of two bytes", b"\xc1\xbf", false),
        ("an overlong form of three bytes", b"\xe0\x9f\xbf", false),
        ("an overlong form of four bytes", b"\xf0\x8f\xbf\xbf", false),
        ("a surrogate", b"\xed\xa0\x80", false),
        ("above the last character", b"\xf4\x90\x80\x80", false),
        ("no lead at all", b"\xff", false),
    ] {
        assert_eq!(char.matches(input), is_text, "{name}");
        assert_eq!(
            std::str::from_utf8(input).is_ok(),
            is_text,
            "{name}, says the standard library"
        );
        assert!(byte.matches(input), "{name}");
    }
    assert!(!char.matches(b"a/b") && !byte.matches(b"a/b"));
}
