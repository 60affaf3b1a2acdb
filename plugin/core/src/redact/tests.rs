//! What is found and what is left: in tables, with secrets planted in many forms, and in any bytes.

use proptest::prelude::*;

use super::*;
use crate::config;

fn redaction(said: &str) -> Redaction {
    let said = format!(r#"{{"access_log": {{"redact": {said}}}}}"#);
    Redaction::new(&config::read(said.as_bytes()).unwrap().access_log.redact)
}

/// A query as the default shows it.
fn query(query: &str) -> String {
    String::from_utf8(redaction("{}").query(query.as_bytes(), 100_000).bytes).unwrap()
}

/// A path, or a value of a header, as the default shows it.
fn value(value: &str) -> String {
    String::from_utf8(redaction("{}").value(value.as_bytes()).into_owned()).unwrap()
}

#[test]
fn values_of_secret_parameters_are_left_out() {
    for (said, expected) in [
        ("", ""),
        ("a=b", "a=b"),
        ("token=x", "token=REDACTED"),
        ("a=b&token=x&c=d", "a=b&token=REDACTED&c=d"),
        ("TOKEN=x", "TOKEN=REDACTED"),
        ("%74o%6Ben=x", "%74o%6Ben=REDACTED"),
        ("x-amz-signature=ab%20c", "x-amz-signature=REDACTED"),
        ("a=b;token=x", "a=b;token=REDACTED"),
        ("token=x;y&a=b", "token=REDACTED&a=b"),
        ("token=a=b", "token=REDACTED"),
        ("token=", "token=REDACTED"),
        ("token", "token"),
        ("token&a=b", "token&a=b"),
        ("=x&&;=", "=x&&;="),
        ("tokens=x&xtoken=y&x-token=z", "tokens=x&xtoken=y&x-token=z"),
        ("token=x&token=y", "token=REDACTED&token=REDACTED"),
        ("a=token&b=c", "a=token&b=c"),
        ("q=a%20b%2Cc&email=me%40x.test&page=2", "q=a%20b%2Cc&email=me%40x.test&page=2"),
    ] {
        assert_eq!(query(said), expected, "{said}");
    }
}

#[test]
fn a_name_is_secret_however_an_app_reads_it() {
    for name in [
        "token",
        "+token",
        "token+",
        "%20token%20",
        "%09token",
        "token%5B%5D",
        "token[]",
        "token[0]",
        "token[a][b]",
        "user[token]",
        "user[token][]",
        "user%5btoken%5d",
        "user.token",
        "?token",
        "amp;token",
        "%2574oken",
        "%25%37%34oken",
        "toke%%36e",
        "\"token\"",
    ] {
        assert_eq!(query(&format!("a=b&{name}=x")), format!("a=b&{name}=REDACTED"));
    }
    for name in
        ["tokens", "xtoken", "my_token", "a-token", "%C3%A4token", "token[", "to[ken]", "token.x"]
    {
        let said = format!("{name}=x");
        let is_secret = name == "token[";
        assert_eq!(query(&said) != said, is_secret, "{name}");
    }
}

#[test]
fn a_value_that_holds_a_secret_is_shown_up_to_it() {
    for (said, expected) in [
        ("next=https://u:pw@h.test/x&a=b", "next=https://REDACTED&a=b"),
        ("next=https://u@h.test", "next=https://REDACTED"),
        ("next=//u:pw@h.test", "next=//REDACTED"),
        ("next=%2F%2Fu:pw@h.test", "next=%2F%2FREDACTED"),
        ("next=https:/u:pw@h.test", "next=https:/REDACTED"),
        ("next=https:%5C%5Cu:pw@h.test", "next=https:%5C%5CREDACTED"),
        ("dsn=postgres://:p%2Fw@db/x", "dsn=postgres://REDACTED"),
        ("dsn=postgres%3A%2F%2F%3Ap%252Fw%40db", "dsn=postgres%3A%2F%2FREDACTED"),
        ("next=https%3A%2F%2Fu%3Apw%40h.test%2F%3Fa%3Db&c=d", "next=https%3A%2F%2FREDACTED&c=d"),
        ("next=https%253A%252F%252Fu%253Apw%2540h.test", "next=https%253A%252F%252FREDACTED"),
        ("next=https%3A//h/%3Ftoken%3Dabc&c=d", "next=https%3A//h/%3Ftoken%3DREDACTED&c=d"),
        ("next=/a?token=abc", "next=/a?token=REDACTED"),
        ("next=%2Fcb%23access_token%3Dabc", "next=%2Fcb%23access_token%3DREDACTED"),
        ("next=%252F%253Fa%253Db%2526sig%253Dabc", "next=%252F%253Fa%253Db%2526sig%253DREDACTED"),
        ("next=%2F%3F%2574oken%3Dabc", "next=%2F%3F%2574oken%3DREDACTED"),
        ("https://u:pw@h.test/", "https://REDACTED"),
        ("https%3A%2F%2Fu%3Apw%40h.test/=x", "https%3A%2F%2FREDACTED"),
        ("token%3Dabc", "token%3DREDACTED"),
        ("next=token%3Dabc%26d&e=f", "next=token%3DREDACTED&e=f"),
        ("a=1;next=token%3Dabc;d=1&e=f", "a=1;next=token%3DREDACTED&e=f"),
    ] {
        assert_eq!(query(said), expected, "{said}");
    }
}

#[test]
fn paths_and_values_are_shown_up_to_a_secret() {
    for (said, expected) in [
        ("/fetch/https://u:pw@h.test/x", "/fetch/https://REDACTED"),
        ("/fetch/https:/u:pw@h.test/x", "/fetch/https:/REDACTED"),
        ("/fetch/https%3A%2F%2Fu%3Apw%40h.test%2Fx", "/fetch/https%3A%2F%2FREDACTED"),
        ("/fetch/https%3A//u:pw@h.test", "/fetch/https%3A//REDACTED"),
        ("/fetch/https:/%2Fu:pw@h.test", "/fetch/https:/REDACTED"),
        ("//u:pw@h.test/", "//REDACTED"),
        ("/a;token=x/b", "/a;token=REDACTED"),
        ("/a;v=1;%54oken=x/b", "/a;v=1;%54oken=REDACTED"),
        ("/a/token=x", "/a/token=REDACTED"),
        ("https://u:pw@h.test/?a=b", "https://REDACTED"),
        ("https://h.test/?a=b&token=x&c=d", "https://h.test/?a=b&token=REDACTED"),
        ("https://h.test/#access_token=x", "https://h.test/#access_token=REDACTED"),
        ("<https://u:pw@h.test>; rel=\"next\"", "<https://REDACTED"),
        ("a, password=\"x y\"", "a, password=REDACTED"),
        ("\\\\u:pw@h.test", "\\\\REDACTED"),
    ] {
        assert_eq!(value(said), expected, "{said}");
    }
}

#[test]
fn what_only_looks_like_a_secret_is_shown() {
    for said in [
        "/",
        "/@scope%2Fpackage",
        "/users/me@shop.test",
        "/a//me@shop.test/b",
        "/a;v=1/b%20c",
        "/tokens/7",
        "/items/7:cancel",
        "https://social.test/@me",
        "https://h.test/a?mail=me@shop.test&b=c",
        "mailto:me@shop.test",
        "git@code.test:a/b",
        "for=192.0.2.1;proto=https",
        "100%",
        "%",
        "%%%3",
    ] {
        assert_eq!(value(said), said);
        assert!(matches!(redaction("{}").value(said.as_bytes()), Cow::Borrowed(_)), "{said}");
    }
}

#[test]
fn a_list_of_ones_own_replaces_the_default() {
    let redaction = redaction(r#"{"query": ["Session Key", "a[b]"]}"#);
    for (said, expected) in [
        ("session%20key=x&token=y", "session%20key=REDACTED&token=y"),
        ("Session+Key=x", "Session+Key=REDACTED"),
        ("next=%3Fsession%2Bkey%3Dx", "next=%3Fsession%2Bkey%3DREDACTED"),
    ] {
        let kept = redaction.query(said.as_bytes(), 100);
        assert_eq!(kept.bytes.escape_ascii().to_string(), expected);
    }
}

#[test]
fn what_is_cut_shows_no_secret() {
    let query = format!("a={}&token=secret", "x".repeat(50));
    for longest in 0..query.len() + 10 {
        let kept = redaction("{}").query(query.as_bytes(), longest);
        assert!(kept.bytes.len() <= longest, "{longest}");
        assert!(!kept.bytes.windows(3).any(|part| part == b"sec"), "{longest}");
        assert_eq!(kept.cut, longest < query.len() + 2, "{longest}");
    }
}

#[test]
fn headers_with_secrets_are_not_captured() {
    let table = [
        ("{}", "authorization", false),
        ("{}", "Proxy-Authorization", false),
        ("{}", "cookie", false),
        ("{}", "SET-COOKIE", false),
        ("{}", "x-api-key", false),
        ("{}", "x-api-key-id", true),
        ("{}", "x-forwarded-for", true),
        (r#"{"client_ip": "truncate"}"#, "X-Forwarded-For", false),
        (r#"{"client_ip": "drop"}"#, "forwarded", false),
        (r#"{"client_ip": "drop"}"#, "x-real-ip", false),
        (r#"{"client_ip": "drop"}"#, "x-forwarded-proto", true),
        (r#"{"headers": ["X-Session"]}"#, "x-session", false),
        (r#"{"headers": ["X-Session"]}"#, "cookie", true),
        (r#"{"headers": []}"#, "authorization", true),
    ];
    for (said, name, expected) in table {
        assert_eq!(redaction(said).captures(name.as_bytes()), expected, "{said} {name}");
    }
}

#[test]
fn addresses_are_shown_as_far_as_they_may_be() {
    for (said, address, expected) in [
        ("none", "192.0.2.77", Some("192.0.2.77")),
        ("none", "::ffff:192.0.2.77", Some("::ffff:192.0.2.77")),
        ("drop", "192.0.2.77", None),
        ("truncate", "192.0.2.77", Some("192.0.2.0")),
        ("truncate", "::ffff:192.0.2.77", Some("192.0.2.0")),
        ("truncate", "2001:db8:1:2:3:4:5:6", Some("2001:db8:1::")),
    ] {
        let redaction = redaction(&format!(r#"{{"client_ip": "{said}"}}"#));
        let shown = redaction.address(address.parse().unwrap());
        assert_eq!(shown.map(|it| it.to_string()).as_deref(), expected, "{said} {address}");
    }
}

#[test]
fn the_work_is_bounded_by_the_length() {
    let patterns = [
        "a=",
        "a=;",
        "/@",
        "//@",
        "[",
        "a[]=",
        "%25",
        "%2525",
        "%40",
        "%3D",
        "%",
        "&",
        "://",
        " =",
        "]",
        "=]",
        ";a=%2F%2F@",
        "+",
        "x;",
        "@",
        "\\",
        "token",
        "&token=x",
        "token%3D",
    ];
    // Were there a pass over the text for each sign in it, one of these would take longer than anybody waits.
    for pattern in patterns {
        let (some, many) = (pattern.repeat(50), pattern.repeat(1_000_000 / pattern.len()));
        let is_shown = value(&some) == some;
        assert_eq!(value(&many) == many, is_shown, "{pattern}");
        assert!(is_shown || value(&many) == value(&some), "{pattern}");
        assert!(query(&many).len() <= 100_000, "{pattern}");
    }
}

/// Percent-encodes every byte that has to be, and as many others as `also` says.
fn encoded(text: &str, also: u32, times: usize) -> String {
    let mut text = text.to_owned();
    for _ in 0..times {
        let bytes = text.bytes().enumerate();
        text = bytes
            .map(|(at, byte)| {
                let must = !(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
                if must || also >> (at % 32) & 1 == 1 {
                    format!("%{byte:02x}")
                } else {
                    char::from(byte).to_string()
                }
            })
            .collect();
    }
    text
}

/// Texts in each of which there is one secret.
fn secrets() -> impl Strategy<Value = String> {
    let names: &'static [&str] =
        &["token", "Api_Key", "PASSWORD", "X-Amz-Signature", "user[secret]", "sig[]"];
    let parameter = (prop::sample::select(names), "(|/|x\\?|/y\\?a=b&|/a;|/#)")
        .prop_map(|(name, before)| format!("{before}{name}=hunter2"));
    let userinfo = ("(http|postgres|x\\+y)", "[a-z]{0,3}", "(/|/x|)")
        .prop_map(|(scheme, user, path)| format!("{scheme}://{user}:hunter2@h.test{path}"));
    prop_oneof![parameter, userinfo]
}

proptest! {
    #[test]
    fn a_planted_secret_is_never_shown(
        secret in secrets(),
        before in "([b-d]{1,3}=[a-z%]{0,3}[&;]){0,3}",
        after in "([&;][b-d]{1,3}=[a-z@/%]{0,3}){0,3}",
        also: u32,
        times in 0..=2_usize,
    ) {
        let planted = format!("{before}next={}{after}", encoded(&secret, also, times));
        let shown = query(&planted);
        prop_assert!(!shown.contains("nter2"), "{planted} is shown as {shown}");
        // An escape of each letter would hide it from this search.
        prop_assert!(shown.contains("REDACTED"), "{planted} is shown as {shown}");
        prop_assert!(shown.starts_with(&before), "{planted} is shown as {shown}");
        for planted in [format!("/fetch/{secret}"), format!("x {secret}")] {
            let shown = value(&planted);
            prop_assert!(!shown.contains("hunter2"), "{planted} is shown as {shown}");
        }
    }

    #[test]
    fn a_text_without_secrets_is_not_changed(
        said in "([b-d]{1,3}(=([a-z.@+-]|/[a-z]|%20|%2f[a-z]|%C3%A4){0,9})?[&;]){0,5}",
        path in "(/[a-z0-9._~;,=%:+-]{0,9}){1,5}",
    ) {
        prop_assume!(!["sig", "token", "secret"].iter().any(|it| path.contains(it)));
        prop_assert_eq!(query(&said), said);
        prop_assert_eq!(value(&path), path);
    }

    #[test]
    fn nothing_makes_it_panic_and_all_is_bounded(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"%=@/:&;[]25340Ddtoken"[..])], 0..200),
        longest in 0..300_usize,
    ) {
        let redaction = redaction("{}");
        prop_assert!(redaction.query(&bytes, longest).bytes.len() <= longest);
        let shown = redaction.value(&bytes);
        prop_assert!(shown.len() <= bytes.len() + REDACTED.len());
        let again = redaction.value(&shown).into_owned();
        prop_assert_eq!(again, shown.into_owned(), "what was redacted stays as it is");
    }
}
