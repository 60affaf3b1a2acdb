//! What may be written, what it accepts, and how everything else is refused.

use std::fmt::Write;

use super::super::Expr;
use super::pattern;

#[test]
fn what_may_be_written_accepts_what_it_should_and_nothing_else() {
    for (text, accepted, refused) in [
        ("", &[""][..], &["a"][..]),
        ("abc", &["abc"], &["", "ab", "abcd", "xabc"]),
        ("é", &["é"], &["e", "è", ""]),
        (r"a\.b", &["a.b"], &["axb"]),
        (r"\-\_\@\ \~\\\é", &["-_@ ~\\é"], &["-_@ ~é"]),
        (r"\t\n\r\f\v", &["\t\n\r\x0c\x0b"], &["tnrfv"]),
        (r"\x41\x7e", &["A~"], &["x41x7e"]),
        (".", &["a", "é", "€", "🐝", "\r"], &["", "\n", "/", "ab"]),
        ("[abc]", &["a", "c"], &["d", "", "ab"]),
        ("[a-c0-2_]", &["a", "b", "0", "_"], &["d", "3", "-"]),
        ("[^a-c]", &["d", "\n", "é", "🐝"], &["a", "", "/"]),
        ("[^/]+", &["a.b", "é"], &["", "a/b"]),
        (r"[^\/]+", &["a.b"], &["a/b"]),
        ("[!-~]", &["!", "~", "."], &["/", " "]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[-a]", &["a", "-"], &["b"]),
        (r"[a\-c]", &["a", "-", "c"], &["b"]),
        (r"[\]\[\\^]", &["]", "[", "\\", "^"], &["a"]),
        ("[[]", &["["], &["]"]),
        ("[.*+?$|(){}]", &[".", "*", "$", "|", "(", "}"], &["a"]),
        (r"[\w.-]", &["a", "é", ".", "-"], &["@"]),
        (r"[\x41-\x43]", &["A", "C"], &["D", "x"]),
        (r"[^\W\d_]+", &["abc", "é"], &["a1", "_"]),
        (r"\d", &["0", "9"], &["a", "٣"]),
        (r"\D", &["a", "é", "\n"], &["0", "/"]),
        (r"\w", &["a", "Z", "0", "_", "é"], &["-", " "]),
        (r"\W", &["-", " ", "\n"], &["a", "é", "/"]),
        (r"\s", &[" ", "\t", "\n", "\x0b", "\x0c", "\r"], &["a", "\x08", "\x0e"]),
        (r"\S", &["a", "é"], &[" ", "\n", "/"]),
        ("a|bc|", &["a", "bc", ""], &["abc", "b"]),
        ("(ab)c", &["abc"], &["ab"]),
        ("(?:a|b)c", &["ac", "bc"], &["a", "abc"]),
        ("(?P<year>[0-9]{4})", &["2024"], &["24"]),
        ("(?<year>x)()", &["x"], &["", "year"]),
        ("ab?", &["a", "ab"], &["abb", "b"]),
        ("ab*", &["a", "abb"], &["abab"]),
        ("ab+", &["ab", "abb"], &["a"]),
        ("(ab){2}", &["abab"], &["ab", "abb", "ababab"]),
        ("a{2,}", &["aa", "aaaa"], &["a"]),
        ("a{2,3}", &["aa", "aaa"], &["a", "aaaa"]),
        ("a{0}b{02}", &["bb"], &["abb"]),
        ("a??b*?c+?d{1,2}?", &["cd", "abcd", "bbccdd"], &["", "abc"]),
        ("(a*)*", &["", "aaa"], &["b"]),
        ("(a|b*)+", &["", "abba"], &["c"]),
        ("^abc$", &["abc"], &["^abc$", ""]),
        ("^a|b$", &["a", "b"], &["ab"]),
        (r"a\$\^", &["a$^"], &["a"]),
        ("a#b c,-=!<>&~@%'\"`:;_", &["a#b c,-=!<>&~@%'\"`:;_"], &["a"]),
    ] {
        let pattern = pattern(text);
        for input in accepted {
            assert!(pattern.matches(input.as_bytes()), "{text} accepts {input:?}");
        }
        for input in refused {
            assert!(!pattern.matches(input.as_bytes()), "{text} refuses {input:?}");
        }
    }
}

/// Each text with its fault marked and what is said about it.
fn refusals(texts: &[&str]) -> String {
    texts.iter().fold(String::new(), |mut out, text| {
        let error = Expr::parse(text).expect_err(text);
        let (before, fault) = text.split_at(error.span.end).0.split_at(error.span.start);
        let marks = "^".repeat(fault.chars().count());
        let _ = writeln!(out, "{text}\n{}{marks} {error}", " ".repeat(before.chars().count()));
        out
    })
}

#[test]
fn unbalanced_brackets_are_refused() {
    insta::assert_snapshot!(refusals(&[
        "a(b", "(a(b)", "(?:", "a)b", "[a-z", "[^", r"[a\]", "[a-", "a]", "a}", "a{2",
    ]), @r#"
    a(b
     ^ `(` is never closed: close it, or write `\(` for the character itself
    (a(b)
    ^ `(` is never closed: close it, or write `\(` for the character itself
    (?:
    ^ `(` is never closed: close it, or write `\(` for the character itself
    a)b
     ^ `)` closes nothing: remove it, or write `\)` for the character itself
    [a-z
    ^ `[` is never closed: close it, or write `\[` for the character itself
    [^
    ^ `[` is never closed: close it, or write `\[` for the character itself
    [a\]
    ^ `[` is never closed: close it, or write `\[` for the character itself
    [a-
    ^ `[` is never closed: close it, or write `\[` for the character itself
    a]
     ^ `]` closes nothing: remove it, or write `\]` for the character itself
    a}
     ^ `}` closes nothing: remove it, or write `\}` for the character itself
    a{2
     ^ `{` is never closed: close it, or write `\{` for the character itself
"#);
}

#[test]
fn repetitions_of_nothing_and_counts_that_are_none_are_refused() {
    insta::assert_snapshot!(refusals(&[
        "*a", "a|+", "(?)", "(?:*)", "^*", "{2}", "a**", "a+?*", "a{2}{3}", "a???", "a*+", "a++",
        "a?+", "a{2}+", "a{}", "a{,3}", "a{x}", "a{2, 3}", "a{-1}", "a{2,3,4}", "a{3,2}", "a{1001}",
        "a{1,99999999999999999999}",
    ]), @r#"
    *a
    ^ there is nothing to repeat here: put what is repeated in front, or a backslash for the character itself
    a|+
      ^ there is nothing to repeat here: put what is repeated in front, or a backslash for the character itself
    (?)
    ^^^ this kind of group is not supported: write `(...)`, `(?:...)` or `(?P<name>...)`
    (?:*)
       ^ there is nothing to repeat here: put what is repeated in front, or a backslash for the character itself
    ^*
     ^ there is nothing to repeat here: put what is repeated in front, or a backslash for the character itself
    {2}
    ^ there is nothing to repeat here: put what is repeated in front, or a backslash for the character itself
    a**
      ^ a repetition is repeated: write parentheses around the first, as in `(?:a+)*`
    a+?*
       ^ a repetition is repeated: write parentheses around the first, as in `(?:a+)*`
    a{2}{3}
        ^ a repetition is repeated: write parentheses around the first, as in `(?:a+)*`
    a???
       ^ a repetition is repeated: write parentheses around the first, as in `(?:a+)*`
    a*+
     ^^ possessive repetitions are not supported: leave out the `+` behind the repetition
    a++
     ^^ possessive repetitions are not supported: leave out the `+` behind the repetition
    a?+
     ^^ possessive repetitions are not supported: leave out the `+` behind the repetition
    a{2}+
     ^^^^ possessive repetitions are not supported: leave out the `+` behind the repetition
    a{}
     ^^ this is no count: write `{2}`, `{2,}` or `{0,5}`, or `\{` for the brace itself
    a{,3}
     ^^^^ this is no count: write `{2}`, `{2,}` or `{0,5}`, or `\{` for the brace itself
    a{x}
     ^^^ this is no count: write `{2}`, `{2,}` or `{0,5}`, or `\{` for the brace itself
    a{2, 3}
     ^^^^^^ this is no count: write `{2}`, `{2,}` or `{0,5}`, or `\{` for the brace itself
    a{-1}
     ^^^^ this is no count: write `{2}`, `{2,}` or `{0,5}`, or `\{` for the brace itself
    a{2,3,4}
     ^^^^^^^ this is no count: write `{2}`, `{2,}` or `{0,5}`, or `\{` for the brace itself
    a{3,2}
     ^^^^^ the count ends below where it begins: write the smaller number first
    a{1001}
     ^^^^^^ a count may be 1000 at most: write `*` or `+` where the number does not matter
    a{1,99999999999999999999}
     ^^^^^^^^^^^^^^^^^^^^^^^^ a count may be 1000 at most: write `*` or `+` where the number does not matter
"#);
}

#[test]
fn classes_that_are_none_are_refused() {
    insta::assert_snapshot!(refusals(&[
        "a[]", "[]a]", "[^]", "[^]a]", r"[^\w\W]", "[z-a]", r"[\w-z]", r"[a-\d]", "[aé]", r"[\é]", "[a-é]",
        "[[:alpha:]]", "[a/]", r"[\/]", "[+-/]", r"[\x2f]", r"[\b]", r"[\pL]", "[\\",
    ]), @r#"
    a[]
     ^^ no character is in this class: name one, and write `\]` for the bracket itself
    []a]
    ^^ no character is in this class: name one, and write `\]` for the bracket itself
    [^]
    ^^^ no character is in this class: name one, and write `\]` for the bracket itself
    [^]a]
    ^^^ no character is in this class: name one, and write `\]` for the bracket itself
    [^\w\W]
    ^^^^^^^ no character is in this class: name one, and write `\]` for the bracket itself
    [z-a]
     ^^^ the range ends before it begins: write the smaller character first, or `\-` for the dash itself
    [\w-z]
     ^^^^ a range goes from one character to another: write `\-` for the dash itself
    [a-\d]
     ^^^^ a range goes from one character to another: write `\-` for the dash itself
    [aé]
      ^ a class holds ASCII characters only: write alternatives, as in `(é|è)`, or `\w`
    [\é]
     ^^ a class holds ASCII characters only: write alternatives, as in `(é|è)`, or `\w`
    [a-é]
       ^ a class holds ASCII characters only: write alternatives, as in `(é|è)`, or `\w`
    [[:alpha:]]
     ^^^^^^^^^ `[:...:]` is not supported: write the ranges, as in `[a-zA-Z]`, or `\d`, `\w`, `\s`
    [a/]
      ^ a segment never holds a slash: write a segment for each side of it, or a parameter that takes many
    [\/]
     ^^ a segment never holds a slash: write a segment for each side of it, or a parameter that takes many
    [+-/]
       ^ a segment never holds a slash: write a segment for each side of it, or a parameter that takes many
    [\x2f]
     ^^^^ a segment never holds a slash: write a segment for each side of it, or a parameter that takes many
    [\b]
     ^^ word boundaries are not supported: write the characters that may stand there
    [\pL]
     ^^ Unicode properties are not supported: write `\w`, or ranges as in `[a-z]`
    [\
     ^ the backslash has nothing behind it: remove it, or write `\\` for the character itself
"#);
}

#[test]
fn what_needs_more_than_an_automaton_is_refused() {
    insta::assert_snapshot!(refusals(&[
        r"(a)\1", r"\k<a>", r"\g<1>", "(?P=a)", "(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"\bword\B",
        "(?i)a", "(?i:a)", "(?-s)", "(?>a)", r"\p{L}", r"\PN",
    ]), @r#"
    (a)\1
       ^^ back-references are not supported: write out what may stand there again
    \k<a>
    ^^ back-references are not supported: write out what may stand there again
    \g<1>
    ^^ back-references are not supported: write out what may stand there again
    (?P=a)
    ^^^^ back-references are not supported: write out what may stand there again
    (?=a)
    ^^^ look-around is not supported: write what is wanted, as in `[^x]`, rather than what is not
    (?!a)
    ^^^ look-around is not supported: write what is wanted, as in `[^x]`, rather than what is not
    (?<=a)b
    ^^^^ look-around is not supported: write what is wanted, as in `[^x]`, rather than what is not
    (?<!a)b
    ^^^^ look-around is not supported: write what is wanted, as in `[^x]`, rather than what is not
    \bword\B
    ^^ word boundaries are not supported: write the characters that may stand there
    (?i)a
    ^^^ inline flags are not supported: write both cases, as in `[aA]`, and `(?:` for a group
    (?i:a)
    ^^^ inline flags are not supported: write both cases, as in `[aA]`, and `(?:` for a group
    (?-s)
    ^^^ inline flags are not supported: write both cases, as in `[aA]`, and `(?:` for a group
    (?>a)
    ^^^ atomic groups are not supported: write `(?:` instead
    \p{L}
    ^^ Unicode properties are not supported: write `\w`, or ranges as in `[a-z]`
    \PN
    ^^ Unicode properties are not supported: write `\w`, or ranges as in `[a-z]`
"#);
}

#[test]
fn the_rest_of_what_is_wrong_is_refused() {
    insta::assert_snapshot!(refusals(&[
        "a\\", "a/b", r"a\/b", r"\x2F", "a^b", "a$b", "(a$)", "$a", "(^a)", "^^a", r"\Aa\Z", r"\q",
        r"\0", r"\xg1", r"\x4", r"\xe9", r"\u0041", "(?#no)", "(?R)", "(?P>a)", "(?", "(?P<1a>b)", "(?P<>b)",
        "(?P<a b>c)", "(?<a", "(?'a'b)",
    ]), @r#"
    a\
     ^ the backslash has nothing behind it: remove it, or write `\\` for the character itself
    a/b
     ^ a segment never holds a slash: write a segment for each side of it, or a parameter that takes many
    a\/b
     ^^ a segment never holds a slash: write a segment for each side of it, or a parameter that takes many
    \x2F
    ^^^^ a segment never holds a slash: write a segment for each side of it, or a parameter that takes many
    a^b
     ^ the whole segment is always matched: leave out `^`, `$`, `\A` and `\Z`, or write `\^` and `\$` for the characters themselves
    a$b
     ^ the whole segment is always matched: leave out `^`, `$`, `\A` and `\Z`, or write `\^` and `\$` for the characters themselves
    (a$)
      ^ the whole segment is always matched: leave out `^`, `$`, `\A` and `\Z`, or write `\^` and `\$` for the characters themselves
    $a
    ^ the whole segment is always matched: leave out `^`, `$`, `\A` and `\Z`, or write `\^` and `\$` for the characters themselves
    (^a)
     ^ the whole segment is always matched: leave out `^`, `$`, `\A` and `\Z`, or write `\^` and `\$` for the characters themselves
    ^^a
     ^ the whole segment is always matched: leave out `^`, `$`, `\A` and `\Z`, or write `\^` and `\$` for the characters themselves
    \Aa\Z
    ^^ the whole segment is always matched: leave out `^`, `$`, `\A` and `\Z`, or write `\^` and `\$` for the characters themselves
    \q
    ^^ this escape is not known: leave out the backslash, or write the character itself
    \0
    ^^ this escape is not known: leave out the backslash, or write the character itself
    \xg1
    ^^ this escape is not known: leave out the backslash, or write the character itself
    \x4
    ^^ this escape is not known: leave out the backslash, or write the character itself
    \xe9
    ^^^^ this escape is not known: leave out the backslash, or write the character itself
    \u0041
    ^^ this escape is not known: leave out the backslash, or write the character itself
    (?#no)
    ^^^ this kind of group is not supported: write `(...)`, `(?:...)` or `(?P<name>...)`
    (?R)
    ^^^ this kind of group is not supported: write `(...)`, `(?:...)` or `(?P<name>...)`
    (?P>a)
    ^^^ this kind of group is not supported: write `(...)`, `(?:...)` or `(?P<name>...)`
    (?
    ^^ this kind of group is not supported: write `(...)`, `(?:...)` or `(?P<name>...)`
    (?P<1a>b)
        ^^^ a group's name has letters, digits and `_`, and no digit in front: write one, or `(?:` for a group without
    (?P<>b)
        ^ a group's name has letters, digits and `_`, and no digit in front: write one, or `(?:` for a group without
    (?P<a b>c)
        ^^ a group's name has letters, digits and `_`, and no digit in front: write one, or `(?:` for a group without
    (?<a
       ^ a group's name has letters, digits and `_`, and no digit in front: write one, or `(?:` for a group without
    (?'a'b)
    ^^^ this kind of group is not supported: write `(...)`, `(?:...)` or `(?P<name>...)`
"#);
}
