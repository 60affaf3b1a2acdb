//! What Envoy's own request-ID extension does before us, and what then becomes of a client's ID.
//!
//! The tables here are those of docs/request-id.md. What Sightline does by itself is in `request_id.rs`,
//! and where its echo reaches in `request_id_echo.rs`.

use insta::assert_snapshot;
use serde_json::{Value, json};
use sightline_tests::{Answer, Bootstrap, Configuration, Message, Proxy, Request, Upstream};

const CONNECTION_MANAGER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// Where Envoy packs why it traces a request: 4 is none, 9 sampled, a and b asked for.
const REASON: usize = 14;

/// What clients send. The second is a UUID that says of itself that it was traced.
const INBOUND: [(&str, &[&str]); 7] = [
    ("a UUID", &["0d8b8c2a-91f3-4c1e-b0a6-2d1f3e4c5b6a"]),
    ("a traced UUID", &["0d8b8c2a-91f3-9c1e-b0a6-2d1f3e4c5b6a"]),
    ("a token", &["req-42"]),
    ("none", &[]),
    ("empty", &[""]),
    ("invalid", &["a;b"]),
    ("two headers", &["one", "two"]),
];

/// The template, with these fields of the connection manager.
fn manager(bootstrap: Bootstrap, fields: &Value) -> Bootstrap {
    bootstrap.patch(|document| {
        let manager = document.pointer_mut(CONNECTION_MANAGER).unwrap();
        for (name, value) in fields.as_object().unwrap() {
            manager[name] = value.clone();
        }
    })
}

/// Copies the ID, as it is when our filter sees it, into a header for the app.
fn witness() -> Value {
    json!({
        "name": "witness",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": [{"append": {
                "header": {"key": "x-before-us", "value": "%REQ(x-request-id)%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }}]},
        },
    })
}

/// Envoy's own tracer. Nobody reads what it exports.
fn tracing() -> Value {
    json!({"provider": {"name": "envoy.tracers.opentelemetry", "typed_config": {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "grpc_service": {"envoy_grpc": {"cluster_name": "app"}},
    }}})
}

/// Whether Envoy writes into IDs why it traces, and whether it goes by IDs when it decides so. The template
/// says no and yes; `null` in its place is yes to both.
fn extension(packs: bool, samples_by_id: bool) -> Value {
    json!({"typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
        "pack_trace_reason": packs,
        "use_request_id_for_trace_sampling": samples_by_id,
    }})
}

fn ok() -> Upstream {
    Upstream::answering(|_| Answer::new(200).body("hi"))
}

/// For each of [`INBOUND`]: whose ID reaches our filter, whose the app gets, and whether the client and
/// the log line are told the same one.
fn table(fields: &Value) -> String {
    let upstream = ok();
    let proxy = Proxy::start(|bootstrap| {
        manager(bootstrap.upstream(upstream.address()).filter_before(witness()), fields)
    });
    INBOUND.map(|(name, ids)| row(name, ids, &proxy, &upstream)).join("\n")
}

fn row(name: &str, ids: &[&str], proxy: &Proxy, upstream: &Upstream) -> String {
    let path = format!("/{}", name.replace(' ', "-"));
    let answer = proxy.send(&request(&path, ids));
    let seen = arrived(upstream, &path);
    let (before, app) = (seen.field("x-before-us").unwrap_or_default(), only(&seen));
    let line = proxy.line_where(&path, |line| line["path"] == *path);
    let client = ids.join(",");
    let app_is = if app == before { whose(app, &client) } else { marked("Sightline's", app) };
    let told = if only(&answer) == app && line["request_id"] == app { "same" } else { "another" };
    format!("{name:<13} | {:<22} | {app_is:<22} | {told}", whose(before, &client))
}

fn request(path: &str, ids: &[&str]) -> Request {
    ids.iter().fold(Request::get(path), |request, id| request.field("x-request-id", id))
}

/// The request for this path, among those of the tracer.
fn arrived(upstream: &Upstream, path: &str) -> Message {
    upstream.requests().into_iter().find(|seen| seen.path() == path).unwrap()
}

/// The only ID of a message.
fn only(message: &Message) -> &str {
    assert_eq!(message.all("x-request-id").len(), 1, "{message:?}");
    message.field("x-request-id").unwrap()
}

fn whose(id: &str, client: &str) -> String {
    let around = |id: &str| {
        let (front, back) = id.split_at_checked(REASON)?;
        Some((front.to_owned(), back.get(1..)?.to_owned()))
    };
    match id {
        "" => "nothing".to_owned(),
        _ if id == client => "the client's".to_owned(),
        _ if around(id).is_some() && around(id) == around(client) => {
            format!("the client's, marked {}", &id[REASON..=REASON])
        }
        _ => marked("Envoy's", id),
    }
}

/// With the reason that Envoy packed into it, if it is not that of a UUID just made.
fn marked(whose: &str, id: &str) -> String {
    match id.get(REASON..=REASON) {
        Some("4") => whose.to_owned(),
        reason => format!("{whose}, marked {}", reason.unwrap_or_default()),
    }
}

#[test]
fn with_our_template_every_safe_id_survives() {
    assert_snapshot!(table(&json!({})), @"
    a UUID        | the client's           | the client's           | same
    a traced UUID | the client's           | the client's           | same
    a token       | the client's           | the client's           | same
    none          | nothing                | Sightline's            | same
    empty         | nothing                | Sightline's            | same
    invalid       | the client's           | Sightline's            | same
    two headers   | the client's           | Sightline's            | same
    ");
}

#[test]
fn envoys_defaults_and_an_istio_sidecar_keep_what_the_client_sends() {
    let defaults = json!({"generate_request_id": null, "preserve_external_request_id": null,
        "use_remote_address": null, "request_id_extension": null});
    let sidecar = json!({"generate_request_id": true, "preserve_external_request_id": false,
        "use_remote_address": false, "request_id_extension": null});
    let seen = table(&sidecar);
    assert_eq!(table(&defaults), seen);
    assert_snapshot!(seen, @"
    a UUID        | the client's           | the client's           | same
    a traced UUID | the client's           | the client's           | same
    a token       | the client's           | the client's           | same
    none          | Envoy's                | Envoy's                | same
    empty         | Envoy's                | Envoy's                | same
    invalid       | the client's           | Sightline's            | same
    two headers   | the client's           | Sightline's            | same
    ");
}

#[test]
fn an_edge_replaces_every_id_of_an_outsider() {
    let edge = json!({"generate_request_id": true, "preserve_external_request_id": false,
        "use_remote_address": true, "request_id_extension": null});
    assert_snapshot!(table(&edge), @"
    a UUID        | Envoy's                | Envoy's                | same
    a traced UUID | Envoy's                | Envoy's                | same
    a token       | Envoy's                | Envoy's                | same
    none          | Envoy's                | Envoy's                | same
    empty         | Envoy's                | Envoy's                | same
    invalid       | Envoy's                | Envoy's                | same
    two headers   | Envoy's                | Envoy's                | same
    ");
}

#[test]
fn an_edge_keeps_the_ids_of_those_it_counts_as_insiders() {
    let insiders = json!({"cidr_ranges": [{"address_prefix": "0.0.0.0", "prefix_len": 0}]});
    let edge = json!({"generate_request_id": true, "preserve_external_request_id": false,
        "use_remote_address": true, "internal_address_config": insiders,
        "request_id_extension": null});
    assert_snapshot!(table(&edge), @"
    a UUID        | the client's           | the client's           | same
    a traced UUID | the client's           | the client's           | same
    a token       | the client's           | the client's           | same
    none          | Envoy's                | Envoy's                | same
    empty         | Envoy's                | Envoy's                | same
    invalid       | the client's           | Sightline's            | same
    two headers   | the client's           | Sightline's            | same
    ");
}

#[test]
fn an_edge_that_preserves_still_clears_the_reason_in_a_uuid() {
    let edge = json!({"generate_request_id": true, "preserve_external_request_id": true,
        "use_remote_address": true, "request_id_extension": null});
    assert_snapshot!(table(&edge), @"
    a UUID        | the client's           | the client's           | same
    a traced UUID | the client's, marked 4 | the client's, marked 4 | same
    a token       | the client's           | the client's           | same
    none          | Envoy's                | Envoy's                | same
    empty         | Envoy's                | Envoy's                | same
    invalid       | the client's           | Sightline's            | same
    two headers   | the client's           | Sightline's            | same
    ");
}

#[test]
fn an_edge_that_preserves_and_packs_nothing_keeps_every_safe_id() {
    let edge = json!({"generate_request_id": true, "preserve_external_request_id": true,
        "use_remote_address": true, "request_id_extension": extension(false, true)});
    assert_snapshot!(table(&edge), @"
    a UUID        | the client's           | the client's           | same
    a traced UUID | the client's           | the client's           | same
    a token       | the client's           | the client's           | same
    none          | Envoy's                | Envoy's                | same
    empty         | Envoy's                | Envoy's                | same
    invalid       | the client's           | Sightline's            | same
    two headers   | the client's           | Sightline's            | same
    ");
}

#[test]
fn where_envoy_mints_none_neither_preserving_nor_being_an_edge_matters() {
    let template = table(&json!({}));
    for (preserve, edge) in [(false, true), (false, false), (true, false)] {
        let off = json!({"generate_request_id": false, "preserve_external_request_id": preserve, "use_remote_address": edge});
        assert_eq!(table(&off), template, "{off}");
    }
}

#[test]
fn envoys_tracer_writes_into_uuids_before_us_and_after_us() {
    let traced = json!({"tracing": tracing(), "request_id_extension": null});
    assert_snapshot!(table(&traced), @"
    a UUID        | the client's, marked 9 | the client's, marked 9 | same
    a traced UUID | the client's           | the client's           | same
    a token       | the client's           | the client's           | same
    none          | nothing                | Sightline's, marked 9  | another
    empty         | nothing                | Sightline's, marked 9  | another
    invalid       | the client's           | Sightline's, marked 9  | another
    two headers   | the client's           | Sightline's, marked 9  | another
    ");
}

#[test]
fn beside_envoys_tracer_nothing_is_written_into_ids_where_nothing_is_packed() {
    let template = table(&json!({}));
    assert_eq!(table(&json!({"tracing": tracing()})), template);
    let not_by_id = json!({"tracing": tracing(), "request_id_extension": extension(true, false)});
    assert_eq!(table(&not_by_id), template);
}

/// For each of [`INBOUND`], the flags that Envoy's tracer sends upstream.
fn flags(fields: &Value) -> String {
    let upstream = ok();
    let proxy = Proxy::start(|bootstrap| {
        let enrich = Configuration::Struct(json!({"trace": {"mode": "enrich"}}));
        manager(bootstrap.upstream(upstream.address()).configuration(enrich), fields)
    });
    let row = |(name, ids): (&str, &[&str])| {
        let path = format!("/{}", name.replace(' ', "-"));
        proxy.send(&request(&path, ids));
        let seen = arrived(&upstream, &path);
        let traceparent = seen.field("traceparent").unwrap_or_default();
        format!("{name:<13} | {}", traceparent.rsplit('-').next().unwrap_or_default())
    };
    INBOUND.map(row).join("\n")
}

#[test]
fn envoys_tracer_never_samples_a_token_as_long_as_it_goes_by_ids() {
    assert_snapshot!(flags(&json!({"tracing": tracing()})), @"
    a UUID        | 01
    a traced UUID | 01
    a token       | 00
    none          | 01
    empty         | 01
    invalid       | 01
    two headers   | 01
    ");
}

#[test]
fn envoys_tracer_samples_everything_where_it_does_not_go_by_ids() {
    let mut tracing = tracing();
    tracing["random_sampling"] = json!({"value": 0});
    let by_id = flags(&json!({"tracing": tracing}));
    assert!(!by_id.contains("01"), "{by_id}");
    let not_by_id = json!({"tracing": tracing, "request_id_extension": extension(false, false)});
    let sampled = flags(&not_by_id);
    assert_eq!(sampled.matches("| 01").count(), INBOUND.len(), "{sampled}");
}

#[test]
fn a_traced_sidecar_writes_into_uuids_too() {
    let sidecar = json!({"generate_request_id": true, "preserve_external_request_id": false,
        "use_remote_address": false, "request_id_extension": null, "tracing": tracing()});
    assert_snapshot!(table(&sidecar), @"
    a UUID        | the client's, marked 9 | the client's, marked 9 | same
    a traced UUID | the client's           | the client's           | same
    a token       | the client's           | the client's           | same
    none          | Envoy's, marked 9      | Envoy's, marked 9      | same
    empty         | Envoy's, marked 9      | Envoy's, marked 9      | same
    invalid       | the client's           | Sightline's, marked 9  | another
    two headers   | the client's           | Sightline's, marked 9  | another
    ");
}

#[test]
fn envoys_echo_and_ours_are_one_header() {
    let upstream = ok();
    for echo in [true, false] {
        let proxy = Proxy::start(|bootstrap| {
            let ours = Configuration::Struct(json!({"request_id": {"echo": echo}}));
            let bootstrap = bootstrap.upstream(upstream.address()).configuration(ours);
            manager(bootstrap, &json!({"always_set_request_id_in_response": true}))
        });
        for ids in [["mine"].as_slice(), &[], &["one", "two"]] {
            let path = format!("/{echo}/{}", ids.len());
            let answer = proxy.send(&request(&path, ids));
            assert_eq!(only(&answer), only(&arrived(&upstream, &path)), "{path}");
        }
    }
}

#[test]
fn envoys_own_id_is_left_alone_where_ours_has_another_header() {
    let upstream = ok();
    let proxy = Proxy::start(|bootstrap| {
        let ours = Configuration::Struct(json!({"request_id": {"header": "x-correlation-id"}}));
        let bootstrap = bootstrap.upstream(upstream.address()).configuration(ours);
        manager(
            bootstrap,
            &json!({"generate_request_id": true, "preserve_external_request_id": false}),
        )
    });
    let answer = proxy.send(&Request::get("/").field("x-correlation-id", "mine"));
    assert_eq!(
        (answer.field("x-correlation-id"), answer.field("x-request-id")),
        (Some("mine"), None)
    );
    let seen = upstream.request();
    assert_eq!((seen.field("x-correlation-id"), only(&seen).len()), (Some("mine"), 36));
    proxy.line_of("mine");
}
