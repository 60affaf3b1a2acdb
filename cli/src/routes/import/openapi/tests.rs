//! Documents as they are found in the world, and what becomes of them.

use super::*;

fn import(openapi: &Openapi, text: &str) -> Block {
    openapi.import("api.yaml", text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The templates, a name behind each that has one.
fn templates(openapi: &Openapi, text: &str) -> Vec<String> {
    let block = import(openapi, text);
    let told = |it: &super::super::Template| match &it.name {
        Some(name) => format!("{} as {name}", it.text()),
        None => it.text(),
    };
    block.templates().map(told).collect()
}

fn left_out(text: &str) -> Vec<(String, String)> {
    let block = import(&Openapi::default(), text);
    block.left_out().map(|it| (it.route.clone(), it.why.clone())).collect()
}

fn refused(text: &str) -> String {
    Openapi::default().import("api.yaml", text).unwrap_err().to_string()
}

const SHOP: &str = r##"
openapi: 3.0.3
info: { title: Shop, version: "1" }
servers:
  - url: https://{region}.example.com:{port}/{base}/
    variables:
      region: { default: eu }
      port: { default: 8443 }
      base: { default: v1, enum: [v1, v2] }
  - url: https://staging.example.com/v1
  - url: /beta
x-internal: { a: 1 }
paths:
  x-extension: whatever
  /orders:
    get: { responses: { 200: { description: all } } }
    post: { responses: { 201: { description: made } } }
    parameters: []
  /orders/{order_id}:
    parameters:
      - { name: order_id, in: path, required: true, schema: { type: integer } }
    get: {}
    delete:
      servers: [ { url: /admin } ]
  /orders/{order-id}/items/{item.id}:
    get: {}
  /health:
    servers: [ { url: "/" } ]
    get: {}
  /shared: { $ref: "#/x-paths/shared" }
x-paths: { shared: { put: {} } }
"##;

#[test]
fn a_document_becomes_templates_behind_its_base_paths() {
    let expected = [
        "GET,POST /v1/orders",
        "GET,POST /beta/orders",
        "GET /v1/orders/{order_id}",
        "GET /beta/orders/{order_id}",
        "DELETE /admin/orders/{order_id}",
        "GET /v1/orders/{order-id}/items/{itemid} as /v1/orders/{order-id}/items/{item.id}",
        "GET /beta/orders/{order-id}/items/{itemid} as /beta/orders/{order-id}/items/{item.id}",
        "GET /health",
        "PUT /v1/shared",
        "PUT /beta/shared",
    ];
    assert_eq!(templates(&Openapi::default(), SHOP), expected);
    let prefixed = Openapi { prefix: Some("/shop/".into()), rests: vec![] };
    let found = templates(&prefixed, SHOP);
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|it| it.contains("/shop/")), "{found:?}");
}

#[test]
fn types_tell_paths_apart_that_differ_in_nothing_else() {
    let parameter = |name: &str, schema: &str| {
        format!(
            r#"{{"get": {{"parameters": [{{"in": "path", "name": "{name}", "schema": {schema}}}]}}}}"#
        )
    };
    let document = format!(
        r#"{{"openapi": "3.1.0", "paths": {{
            "/a/{{id}}": {}, "/a/{{key}}": {}, "/a/{{amount}}": {}, "/a/{{text}}": {}, "/b/{{id}}": {}}},
            "components": {{"schemas": {{"Id": {{"type": ["null", "integer"]}}}}}}}}"#,
        parameter("id", r##"{"$ref": "#/components/schemas/Id"}"##),
        parameter("key", r#"{"type": "string", "format": "uuid"}"#),
        parameter("amount", r#"{"type": "number"}"#),
        parameter("text", r#"{"type": "string"}"#),
        parameter("id", r#"{"type": "integer"}"#),
    );
    let expected = [
        "GET /a/{id:int} as /a/{id}",
        "GET /a/{key:uuid} as /a/{key}",
        "GET /a/{amount:float} as /a/{amount}",
        "GET /a/{text}",
        "GET /b/{id}",
    ];
    assert_eq!(templates(&Openapi::default(), &document), expected);
}

#[test]
fn swagger_has_its_base_path_and_its_types_elsewhere() {
    let document = r#"
swagger: "2.0"
basePath: /v2
paths:
  /pets/{id}: { get: { parameters: [ { name: id, in: path, type: integer } ] } }
  /pets/{name}: { get: { parameters: [ { name: name, in: path, type: string } ] } }
"#;
    let expected = ["GET /v2/pets/{id:int} as /v2/pets/{id}", "GET /v2/pets/{name}"];
    assert_eq!(templates(&Openapi::default(), document), expected);
}

#[test]
fn parameters_for_several_segments_are_guessed_or_told() {
    let document = r"
openapi: 3.1.0
paths:
  /files/{file_path}: { get: {} }
  /trees/{branch}: { get: {} }
  /paths/{path}/meta: { get: {} }
components: { schemas: { HTTPValidationError: {} } }
";
    let own = ["GET /openapi.json", "GET /docs", "GET /docs/oauth2-redirect", "GET /redoc"];
    let guessed = "GET /files/{file_path:path} as /files/{file_path}";
    let expected = [&[guessed, "GET /trees/{branch}", "GET /paths/{path}/meta"][..], &own].concat();
    assert_eq!(templates(&Openapi::default(), document), expected);
    let block = import(&Openapi::default(), document);
    assert!(block.notes[0].starts_with("/files/{file_path}: "), "{:?}", block.notes);
    assert!(block.notes[1].starts_with("FastAPI leaves out"), "{:?}", block.notes);
    let told = Openapi { prefix: None, rests: vec!["branch".into()] };
    assert_eq!(templates(&told, document)[1], "GET /trees/{branch:path} as /trees/{branch}");
}

#[test]
fn what_is_no_route_is_listed_with_the_reason() {
    let document = r##"
openapi: 3.0.0
paths:
  /a/{id}: { get: {} }
  /a/{name}: { get: {} }
  /elsewhere: { $ref: "other.yaml#/paths/x" }
  /circle: { $ref: "#/paths/~1circle" }
  /nothing: {}
  relative: { get: {} }
  /a//b: { get: {} }
  /open/{id: { get: {} }
  /#X-Amz-Target=DoIt: { post: {} }
  /search?q={q}: { get: {} }
  /brew: { additionalOperations: { BREW: {} } }
"##;
    let found = left_out(document);
    let expected = [
        ("GET /a/{name}", "takes the same paths"),
        ("/elsewhere", "leads out of the document"),
        ("/circle", "leads out of the document"),
        ("/nothing", "no operation"),
        ("relative", "begins with a slash"),
        ("GET /a//b", "a segment is empty"),
        ("GET /open/{id", "never closed"),
        ("/#X-Amz-Target=DoIt", "no part of a path"),
        ("/search?q={q}", "no part of a path"),
        ("BREW /brew", "methods"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((route, why), (expected_route, expected_why)) in found.iter().zip(expected) {
        assert_eq!(route, expected_route);
        assert!(why.contains(expected_why), "{route}: {why}");
    }
}

#[test]
fn literals_are_as_the_document_means_them() {
    let document = r#"
openapi: 3.0.0
paths:
  /$metadata: { get: {} }
  /caf%C3%A9/{x}: { get: {} }
  /users/{id}:cancel: { post: {} }
  /with blank: { get: {} }
  "/{id}.{format}": { get: {} }
  /: { get: {} }
"#;
    let expected = [
        "GET /%24metadata as /$metadata",
        "GET /caf\u{e9}/{x} as /caf%C3%A9/{x}",
        "POST /users/{id}:cancel",
        "GET /with%20blank as /with blank",
        "GET /{id}.{format}",
        "GET /",
    ];
    assert_eq!(templates(&Openapi::default(), document), expected);
}

#[test]
fn what_is_no_document_is_told() {
    for (text, told) in [
        ("", "it is empty"),
        ("a: [", "neither JSON nor YAML"),
        ("[]", "neither `openapi` nor `swagger`"),
        ("openapi: 4.0.0", "its version is \"4.0.0\""),
        ("openapi: {}", "its version is"),
        ("openapi: 3.0.0", "has no routes"),
        ("openapi: 3.0.0\npaths: []", "has no routes"),
        ("{\"openapi\": \"3.0.0\", \"paths\": {}}", "has no routes"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n\u{0}", "neither JSON nor YAML"),
    ] {
        let refused = refused(text);
        assert!(refused.contains(told), "{text:?}: {refused}");
    }
    let levels = (1..40).map(|n| format!("l{n}: &l{n} [*l{}, *l{}]\n", n - 1, n - 1));
    let bomb =
        format!("openapi: 3.0.0\nl0: &l0 [x, x]\n{}paths: *l39\n", levels.collect::<String>());
    assert!(refused(&bomb).contains("neither JSON nor YAML"));
    let deep = format!("{{\"openapi\": {}", "[".repeat(100_000));
    assert!(refused(&deep).contains("neither JSON nor YAML"));
}

#[test]
fn a_large_document_is_read() {
    let path =
        |n: usize| format!("  /path-{n}/{{id}}:\n    get: {{ responses: {{ 200: {{}} }} }}\n");
    let document: String = (0..20_005).map(path).collect();
    let block = import(&Openapi::default(), &format!("openapi: 3.0.0\npaths:\n{document}"));
    assert_eq!((block.templates().count(), block.left_out().count()), (20_000, 5));
}
