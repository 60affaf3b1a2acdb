//! What is told of whole paths.

use serde_json::json;

use super::*;

const SAID: &str = "
routes:
  templates:
    - /users/{id}
    - POST /orders
    - GET /users/<int:n>
    - { path: /pay, name: payments }
  ignore: [/ping]
";

fn told(configuration: &str, method: &str, path: &str, exists: bool) -> String {
    Explainer::new(configuration).unwrap().explain(method, path, exists).join("\n")
}

#[test]
fn a_template_is_named_as_it_is_written_with_what_else_matches() {
    for (name, method, path, expected) in [
        (
            "the more specific one",
            "GET",
            "http://shop/users/%37?page=2",
            "The path is read as \"/users/7\".\n\
             routes.templates[2], GET /users/<int:n>, matches, and its route is /users/<int:n>.\n\
             routes.templates[0], /users/{id}, matches too, but it is no more specific.\n\
             The route is /users/<int:n>, and route_source is template.",
        ),
        (
            "another method",
            "PUT",
            "/users/7",
            "The path is read as \"/users/7\".\n\
             routes.templates[0], /users/{id}, matches, and its route is /users/{id}.\n\
             routes.templates[2], GET /users/<int:n>, matches the path, but does not take PUT.\n\
             The route is /users/{id}, and route_source is template.",
        ),
        (
            "a name",
            "GET",
            "/pay/",
            "The path is read as \"/pay/\".\n\
             routes.templates[3], /pay, matches, and its route is payments.\n\
             The route is payments, and route_source is template.",
        ),
        (
            "ignored",
            "GET",
            "/ping",
            "The path is read as \"/ping\".\n\
             routes.ignore[0], /ping, matches: the request leaves no telemetry, and its IDs pass all the same.\n\
             The request has no route.",
        ),
    ] {
        assert_eq!(told(SAID, method, path, true), expected, "{name}");
    }
}

#[test]
fn a_path_without_a_template_is_told_with_an_answer_and_without() {
    assert_eq!(
        told(SAID, "GET", "/orders/7/v2/abc123", true),
        "The path is read as \"/orders/7/v2/abc123\".\n\
         No template matches.\n\
         \"orders\" stays: letters only.\n\
         \"7\" becomes {int}: digits only.\n\
         \"v2\" stays: a word with a few digits.\n\
         \"abc123\" becomes {hex}: has the form of one.\n\
         The route is not known from before; the answer shows that the path exists.\n\
         The route is /orders/{int}/v2/{hex}, and route_source is typed."
    );
    assert_eq!(
        told("", "GET", "/a", false),
        "The path is read as \"/a\".\n\
         No template is configured.\n\
         \"a\" stays: letters only.\n\
         The route is not known, and no answer has shown that the path exists.\n\
         The route is _unmatched, and route_source is unmatched."
    );
    let off = told("routes: { infer: 'off' }", "GET", "/a", true);
    assert!(off.contains("Nothing is inferred, because routes.infer is off.\n"), "{off}");
}

#[test]
fn what_is_ignored_by_default_is_named_too() {
    let told = told("# all as by default", "GET", "/healthz", true);
    assert!(told.contains("routes.ignore[0], /healthz, matches: "), "{told}");
}

#[test]
fn of_many_templates_only_those_that_match_are_told_and_not_all_of_them() {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let others = (0..500).map(|number| format!("/other/{number}"));
    let same = methods.iter().map(|method| format!("{method} /users/{{id}}"));
    let said = json!({ "routes": { "templates": others.chain(same).collect::<Vec<_>>() } });
    let said = said.to_string();
    let told = told(&said, "GET", "/users/7", true);
    assert_eq!(told.lines().count(), 9, "{told}");
    assert!(told.contains("routes.templates[500], GET /users/{id}, matches, "), "{told}");
    assert!(told.contains("\nSo do 1 more templates.\n"), "{told}");
}

#[test]
fn what_was_learned_is_known_from_then_on() {
    let mut explainer = Explainer::new("routes: { templates: ['/users/{id}'] }").unwrap();
    let last = |explainer: &Explainer, path: &str| {
        explainer.explain("GET", path, false).split_off(3).join("\n")
    };
    explainer.learn("GET", "/orders/17", false);
    assert!(last(&explainer, "/orders/18").contains("is not known"));
    explainer.learn("GET", "/orders/17?a=b", true);
    assert!(last(&explainer, "/orders/18").ends_with("/orders/{int}, and route_source is typed."));
    explainer.learn("GET", "/users/17", true);
    for word in 0..200 {
        explainer.learn("GET", &format!("/articles/{}", spelled(word)), true);
    }
    let collapsed = last(&explainer, "/articles/never-seen");
    assert!(collapsed.contains("\"never-seen\" becomes {str}: at least "), "{collapsed}");
    assert!(collapsed.ends_with("/articles/{str}, and route_source is learned."), "{collapsed}");
}

#[test]
fn learning_and_explaining_bear_any_text() {
    let mut explainer = Explainer::new("").unwrap();
    let long = "/a".repeat(50_000);
    for path in ["", "?", "*", "//", "/%", "/%ff%00", "/\u{0}\n\u{202e}", "a b", &long] {
        explainer.learn("get\n", path, true);
        let told = explainer.explain("", path, true);
        assert!(told.len() < 40 && told.iter().all(|it| !it.contains('\n')), "{told:?}");
    }
}

#[test]
fn a_configuration_that_is_none_is_refused_with_its_problems() {
    for (text, parts) in [
        ("routes: [", [":1:9: error: no YAML: ", "docs/configuration.md"]),
        ("routes: { templats: [] }", ["routes.templats: no such key", "docs/configuration.md"]),
        ("- a", ["The configuration is wrong:\n", "a list stands here"]),
    ] {
        let told = Explainer::new(text).unwrap_err().to_string();
        assert!(parts.iter().all(|part| told.contains(part)), "{text}: {told}");
    }
}

/// Whoever shows explanations does it from another thread than the one that learns.
#[test]
fn an_explainer_goes_from_thread_to_thread() {
    let explainer = Explainer::new("").unwrap();
    let told = std::thread::spawn(move || explainer.explain("GET", "/a", true)).join().unwrap();
    assert!(told.last().unwrap().contains("/a, "));
}

/// A word of letters only, another for each number.
fn spelled(number: u8) -> String {
    let letter = |nibble: u8| char::from(b'a' + nibble);
    ["word", &letter(number >> 4).to_string(), &letter(number & 15).to_string()].concat()
}
