//! The kinds of segments: tables and properties. The judgement of many real paths is in tests/inference.rs.

use super::*;
use proptest::prelude::*;

fn show(segment: &str) -> String {
    String::from_utf8_lossy(Part::of(segment.as_bytes()).as_bytes()).into_owned()
}

#[test]
fn the_words_of_the_issue_stay() {
    for word in [
        "v1",
        "v1.2",
        "v2beta1",
        "oauth2",
        "k8s",
        "s3",
        "base64",
        "2fa",
        "i18n",
        ".well-known",
        "users",
        "ProductSale",
        "product_sale",
        "hello.world",
        "how-to-cook-rice",
        "j4elk",
        "feed12",
        "CamelCaseLongTextThatShouldNotBeTemplated",
        "_next",
        "__debug__",
        "robots.txt",
        "jquery.min.js",
        "pkg.v1.UserService",
        "x86_64",
        "-",
        "$batch",
        "@me",
        "k6-test-runs",
        "en_US.UTF-8",
        "404.html",
        "iso8601",
        "rfc3339",
        "v1p1beta1",
        "a",
        "openid-configuration",
        "tls1.3",
        "http-1.1",
        "360-view",
        "2-factor-auth",
        "ed25519",
    ] {
        assert_eq!(show(word), word);
    }
}

#[test]
fn identifiers_are_named_by_their_kind() {
    for (segment, expected) in [
        ("1", "{int}"),
        ("00000000000000000000000000000000000000000000000001", "{int}"),
        ("-5", "{int}"),
        ("12.5", "{int}"),
        ("6f1e5d0c-1111-4222-8333-aaaabbbbcccc", "{uuid}"),
        ("urn:uuid:6F1E5D0C-1111-4222-8333-AAAABBBBCCCC", "{uuid}"),
        ("%7B6f1e5d0c-1111-4222-8333-aaaabbbbcccc%7D", "{uuid}"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "{ulid}"),
        ("507f1f77bcf86cd799439011", "{hex}"),
        ("0xdeadbeef", "{hex}"),
        ("abc123", "{hex}"),
        ("2024-01-31", "{date}"),
        ("2024-01-31T10%3A15%3A00Z", "{date}"),
        ("jane.doe@example.com", "{email}"),
        ("jane%40example.com", "{email}"),
        ("10.0.0.1", "{ip}"),
        ("2001:db8::1", "{ip}"),
        ("10.0.0.0%2F8", "{ip}"),
        ("dQw4w9WgXcQ", "{token}"),
        ("NffrFeUfNV2Hib", "{token}"),
        ("cus_NffrFeUfNV2Hib", "{str}"),
        ("user-12345", "{str}"),
        ("PROJ-4567", "{str}"),
        ("0ujsszwN8NRY24YaXiTIE2VWDTS", "{token}"),
        ("V1StGXR8_Z5jdHi6B-myT", "{token}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "{token}"),
        ("caf%C3%A9", "{str}"),
        ("52.5,13.4", "{str}"),
        ("main.8f3a2b1c.js", "{str}"),
        ("22j", "{str}"),
        ("AKIAIOSFODNN7EXAMPLE", "{str}"),
        ("app.log.2024-01-31", "{str}"),
        ("web-0", "{str}"),
        ("order-128-5", "{str}"),
        ("top-123456", "{str}"),
        ("http12345", "{str}"),
        ("INC001268637US", "{str}"),
        ("**", "{str}"),
        ("..", "{str}"),
        ("\u{e9}", "{str}"),
    ] {
        assert_eq!(show(segment), expected, "{segment}");
    }
}

proptest! {
    #[test]
    fn judging_is_idempotent(segment in "[ -.0-~]{1,80}") {
        let once = show(&segment);
        prop_assert_eq!(show(&once), once);
    }

    #[test]
    fn what_is_obvious_is_what_the_rules_say(
        segment in "[a-f]{8,12}|[a-z]{0,70}|[0-9]{0,70}|[vV][0-9]{0,2}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-g]{12}|[ -.0-~]{0,4}",
    ) {
        let segment = segment.as_bytes();
        if let Some(verdict) = obvious(segment) {
            prop_assert_eq!(verdict, closely(segment));
        }
    }

    #[test]
    fn a_word_is_short_and_plain(segment in proptest::collection::vec(1_u8.., 1..200)) {
        if let Part::Word(word) = Part::of(&segment) {
            prop_assert!(word.len() <= LONGEST_WORD);
            prop_assert!(word.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.$@".contains(byte)));
        }
    }

    #[test]
    fn letters_of_one_case_stay(word in "[a-z]{1,9}|[A-Z]{1,9}|[A-Z][a-z]{1,30}|[g-z]{1,64}") {
        prop_assert_eq!(show(&word), word);
    }
}
