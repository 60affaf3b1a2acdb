//! The life of one request: it begins, is responded to, and finishes as one [`Observation`].

use crate::captured::{self, Captured};
use crate::config::{Side, TraceResponse, WhichLines};
use crate::ending::{Ending, Witness};
use crate::head::Pair;
use crate::hop::{Hop, Tracing};
use crate::identity::RequestId;
use crate::log::{Field, Fields};
use crate::observation::{Exported, Observation, Outcome};
use crate::red::Level;
use crate::red::custom::{self, Seen};
use crate::route::{Answer, Route, Scratch, Shape, Target};
use crate::sampling::Budget;
use crate::{Direction, Moment, Monotonic, Plan, RequestHead, ResponseHead, Rng, address};

/// A request under way. It owns what it needs of the request's head.
#[derive(Debug)]
pub struct Exchange {
    head: RequestHead,
    request_id: RequestId,
    hop: Hop,
    target: Target,
    began: Moment,
    response: Option<Response>,
    /// By custom metrics that apply to it.
    seen: Vec<Seen>,
    /// Headers for the line.
    captured: Vec<Captured>,
}

#[derive(Clone, Copy, Debug)]
struct Response {
    head: ResponseHead,
    at: Monotonic,
}

/// A change to a message's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// The header has this value, and only this.
    Set(&'a [u8], &'a [u8]),
    /// There is one more header with this name.
    Add(&'a [u8], &'a [u8]),
    /// There is no such header.
    Remove(&'a [u8]),
}

impl Exchange {
    /// A request's head has arrived.
    pub fn begin<'a>(
        pairs: impl Iterator<Item = Pair<'a>> + Clone,
        now: Moment,
        rng: &mut Rng,
        scratch: &mut Scratch,
        plan: &Plan,
        tracing: Tracing,
    ) -> Self {
        let (mut head, path) = RequestHead::read(pairs.clone(), plan);
        let method = head.preflight().unwrap_or(head.method());
        let target = if head.is_export(plan) {
            Target::Ignored
        } else {
            plan.router.target(method, path, scratch)
        };
        let redacted = plan.router.redacted(target, path, scratch);
        head.keep_path(&plan.redaction.path(redacted.as_deref().unwrap_or(path)));
        let inbound = head.request_id.filter(|_| plan.keeps_inbound_id);
        let request_id = inbound.unwrap_or_else(|| RequestId::mint(plan.id_format, now.wall, rng));
        let hop = Hop::of(&head, target, tracing, plan, rng);
        let mut seen = custom::applying(&plan.metrics.custom, target, &head);
        let mut captured = Vec::new();
        captured::capture(&mut captured, Side::Request, &pairs, plan);
        custom::see(&plan.metrics.custom, &mut seen, Side::Request, pairs);
        Self { head, request_id, hop, target, began: now, response: None, seen, captured }
    }

    /// The request has ended with its head.
    pub fn has_no_body(&mut self) {
        self.head.body_bytes = Some(0);
    }

    /// Hands over what must change in the request before it goes upstream.
    pub fn edit_request(&self, plan: &Plan, mut apply: impl FnMut(Edit<'_>)) {
        let inbound = self.head.request_id.as_ref().map(RequestId::as_bytes);
        if inbound != Some(self.request_id.as_bytes()) {
            apply(Edit::Set(&plan.request_id_header, self.request_id.as_bytes()));
        }
        self.hop.edit(apply);
    }

    /// The response's head has arrived.
    pub fn respond<'a>(
        &mut self,
        pairs: impl Iterator<Item = Pair<'a>> + Clone,
        now: Monotonic,
        plan: &Plan,
    ) {
        custom::see(&plan.metrics.custom, &mut self.seen, Side::Response, pairs.clone());
        captured::capture(&mut self.captured, Side::Response, &pairs, plan);
        self.response = Some(Response { head: ResponseHead::read(pairs), at: now });
    }

    /// Whether the response's head has arrived.
    pub fn is_answered(&self) -> bool {
        self.response.is_some()
    }

    /// Hands over what must change in the response before it goes to the client.
    pub fn edit_response(&self, plan: &Plan, mut apply: impl FnMut(Edit<'_>)) {
        if plan.echoes_id {
            apply(Edit::Set(&plan.request_id_header, self.request_id.as_bytes()));
        }
        if self.hop.has_context() {
            self.tell_client(plan.trace.response, apply);
        }
    }

    fn tell_client(&self, how: TraceResponse, mut apply: impl FnMut(Edit<'_>)) {
        let traceparent = self.hop.context.traceparent().to_header();
        match how {
            TraceResponse::None => {}
            TraceResponse::Header => apply(Edit::Set(b"traceresponse", &traceparent)),
            TraceResponse::ServerTiming => {
                let entry = [b"traceparent;desc=\"".as_slice(), &traceparent, b"\""].concat();
                // The app may have timings of its own.
                apply(Edit::Add(b"server-timing", &entry));
            }
        }
    }

    /// Whether the `traceparent` that the request had at its end shows that another tracer of this proxy has
    /// replaced ours.
    pub fn is_overruled(&self, upstream: &[u8]) -> bool {
        self.hop.is_overruled(upstream)
    }

    /// Whether another tracer of this proxy, if there is one, has replaced ours in a request that reached an
    /// upstream. Beside a `traceparent` that breaks the rules Envoy's own writes nothing.
    pub fn would_be_overruled(&self) -> bool {
        self.head.caller.is_some() || !self.head.has_traceparent
    }

    /// Leaves the trace to another tracer of this proxy, and takes over the context that went upstream.
    pub fn give_way(&mut self, upstream: &[u8]) {
        self.hop.give_way(self.head.caller, upstream);
    }

    /// Leaves no trace of it, whatever its path: it asks for telemetry, and is none.
    pub fn ignore(&mut self) {
        self.target = Target::Ignored;
    }

    /// What it counts as while it is under way.
    pub fn level(&self, direction: Direction) -> Level {
        Level::active(direction, self.head.method(), self.head.scheme())
    }

    /// What the request's head says of its route.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The path as parts, for a route that is inferred.
    pub fn shape(&self) -> Shape<'_> {
        let path = &self.head.path;
        if path.cut { Shape::of_beginning(&path.bytes) } else { Shape::of(&path.bytes) }
    }

    /// What the response says of the path. A browser's question before the request is answered for any
    /// path, and a 4xx is what a path gets that does not exist.
    pub fn answer(&self) -> Answer {
        let Some(response) = self.response else { return Answer::Nothing };
        match response.head.status {
            _ if self.head.preflight().is_some() || response.head.grpc_status == Some(12) => {
                Answer::Nothing
            }
            Some(101 | 200..=399 | 500..) if response.head.from_upstream => Answer::Exists,
            Some(101 | 200..=399 | 500..) => Answer::ExistsIfFromApp,
            Some(_) | None => Answer::Nothing,
        }
    }

    /// Whether the upstream has answered, as far as its response says so.
    pub fn is_from_upstream(&self) -> bool {
        self.response.is_some_and(|response| response.head.from_upstream)
    }

    /// The request is over, and this is its route. Of what only the host knows, it asks for what will be read.
    pub fn finish<'a>(
        &'a self,
        now: Monotonic,
        route: Route<'a>,
        plan: &Plan,
        budget: &mut Budget,
        witness: &dyn Witness,
    ) -> Observation<'a> {
        let since_began = |at: Monotonic| at.since(self.began.monotonic);
        let response = self.response.map(|response| response.head).unwrap_or_default();
        let mut observation = Observation {
            head: &self.head,
            response,
            seen: &self.seen,
            captured: &self.captured,
            request_id: self.request_id,
            hop: &self.hop,
            route,
            began: self.began.wall,
            duration: since_began(now),
            to_first_byte: self.response.map(|response| since_began(response.at)),
            ending: Ending { grpc_status: response.grpc_status, ..Ending::default() },
            exported: Exported::No,
            logged: false,
        };
        if self.head.is_grpc && response.grpc_status.is_none() {
            observation.ending.grpc_status = witness.grpc_status();
        }
        observation.exported = self.export(&observation, now, plan, budget);
        let lines = self.lines(plan);
        let is_exported = observation.exported != Exported::No;
        if is_exported
            || plan.log.asks_for_flags(lines)
            || observation.outcome() == Outcome::Failure
        {
            observation.ending.flags = witness.flags();
        }
        observation.logged = observation.is_among(lines)
            && (!observation.is_success() || plan.log.keeps_success(&observation));
        self.ask(&mut observation, plan, witness);
        observation
    }

    /// Asks for the rest of what will be read.
    fn ask(&self, observation: &mut Observation<'_>, plan: &Plan, witness: &dyn Witness) {
        let is_exported = observation.exported != Exported::No;
        let fields = if observation.logged { plan.log.fields } else { Fields::NONE };
        let is_error = !observation.is_success();
        let ending = &mut observation.ending;
        let hops = plan.trusted_hops;
        if is_exported
            || fields.contains(Field::ClientIp)
                && address::client(&self.head.forwarded_for, hops, None).is_none()
        {
            ending.peer = witness.peer();
        }
        if is_exported || plan.metrics.is_shown() || fields.contains(Field::Protocol) {
            ending.protocol = witness.protocol();
        }
        if fields.contains(Field::RequestBytes) {
            ending.request_bytes = self.head.body_bytes.or_else(|| witness.request_bytes());
        }
        if fields.contains(Field::ResponseBytes) {
            ending.response_bytes = witness.response_bytes();
        }
        if fields.contains(Field::Upstream) {
            ending.upstream = witness.upstream();
        }
        if is_error && fields.contains(Field::Details) {
            ending.details = witness.details();
        }
    }

    /// Which requests with this target get a line.
    fn lines(&self, plan: &Plan) -> WhichLines {
        if !plan.log.is_on() || self.target == Target::Ignored {
            return WhichLines::None;
        }
        plan.router.rules(self.target).map_or(WhichLines::All, |rules| rules.lines)
    }

    /// Whether the span is to be exported, and why.
    fn export(
        &self,
        observation: &Observation<'_>,
        now: Monotonic,
        plan: &Plan,
        budget: &mut Budget,
    ) -> Exported {
        if plan.export.is_none() || !self.hop.has_span() {
            return Exported::No;
        }
        if self.hop.context.flags.is_sampled() {
            return Exported::Sampled;
        }
        let keep = &plan.sampling.keep;
        let slow = plan.router.rules(self.target).and_then(|rules| rules.slow);
        let failed = observation.outcome() == Outcome::Failure;
        match keep.why(failed, observation.duration, slow) {
            Some(why) if budget.allows(keep.per_second, now) => Exported::Kept(why),
            Some(_) | None => Exported::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ending::tests::Nothing;
    use crate::identity::SpanId;
    use crate::{Place, Wall, config};

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const NOW: Moment =
        Moment { wall: Wall(1_800_000_000_000_000_000), monotonic: Monotonic(5_000) };

    fn plan(said: &str) -> Plan {
        Plan::new(&config::read(said.as_bytes()).unwrap(), &Place::default())
    }

    fn begin(pairs: &[(&str, &str)], plan: &Plan) -> Exchange {
        let pairs = pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let mut rng = Rng::from_seed([9; 32]);
        Exchange::begin(pairs, NOW, &mut rng, &mut Scratch::default(), plan, Tracing::Own)
    }

    fn finish(exchange: &Exchange, now: Monotonic) -> Observation<'_> {
        exchange.finish(now, Route::UNMATCHED, &plan(""), &mut Budget::default(), &Nothing)
    }

    fn edits(edit: impl FnOnce(&mut dyn FnMut(Edit<'_>))) -> Vec<String> {
        let mut edits = Vec::new();
        edit(&mut |change| {
            edits.push(match change {
                Edit::Set(name, value) => {
                    format!("{}: {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
                }
                Edit::Add(name, value) => {
                    format!(
                        "+{}: {}",
                        String::from_utf8_lossy(name),
                        String::from_utf8_lossy(value)
                    )
                }
                Edit::Remove(name) => format!("no {}", String::from_utf8_lossy(name)),
            });
        });
        edits
    }

    fn request_edits(exchange: &Exchange, plan: &Plan) -> Vec<String> {
        edits(|apply| exchange.edit_request(plan, apply))
    }

    #[test]
    fn a_valid_inbound_id_is_kept_and_not_written_again() {
        let plan = plan("");
        let exchange = begin(&[("x-request-id", "abc")], &plan);
        let upstream = request_edits(&exchange, &plan);
        assert!(upstream.iter().all(|edit| !edit.starts_with("x-request-id")), "{upstream:?}");
        assert_eq!(edits(|apply| exchange.edit_response(&plan, apply)), ["x-request-id: abc"]);
    }

    #[test]
    fn another_is_replaced() {
        for (said, inbound) in [
            ("", "a b"),
            ("", ""),
            (r#"{"request_id": {"inbound": "replace"}}"#, "abc"),
            (r#"{"request_id": {"format": "uuid7"}}"#, "a;b"),
        ] {
            let plan = plan(said);
            let exchange = begin(&[("x-request-id", inbound)], &plan);
            let upstream = request_edits(&exchange, &plan);
            let id = upstream.iter().find_map(|edit| edit.strip_prefix("x-request-id: "));
            assert_eq!(id.unwrap_or_default().len(), 36, "{said} {inbound:?}: {upstream:?}");
        }
    }

    #[test]
    fn the_echo_can_be_left_out() {
        let plan = plan(r#"{"request_id": {"echo": false}}"#);
        let exchange = begin(&[], &plan);
        assert_eq!(edits(|apply| exchange.edit_response(&plan, apply)), [""; 0]);
    }

    #[test]
    fn a_valid_trace_is_continued() {
        for flags in ["00", "01", "02", "03"] {
            let plan = plan("");
            let inbound = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
            let exchange = begin(&[("traceparent", &inbound), ("tracestate", "a=b")], &plan);
            let upstream = request_edits(&exchange, &plan);
            let sent = upstream.iter().find_map(|edit| edit.strip_prefix("traceparent: ")).unwrap();
            assert!(sent.starts_with(&format!("00-{TRACE}-")), "{sent}");
            assert!(sent.ends_with(&format!("-{flags}")), "{sent}");
            assert_ne!(sent, inbound, "our span is the parent upstream");
            assert!(!upstream.contains(&"no tracestate".to_owned()), "{upstream:?}");
            let observation = finish(&exchange, NOW.monotonic);
            assert_eq!(observation.trace().parent.unwrap().to_hex(), *b"00f067aa0ba902b7");
        }
    }

    #[test]
    fn an_invalid_one_starts_a_trace_and_takes_its_state_along() {
        let plan = plan(r#"{"sampling": {"ratio": 1}}"#);
        let inbound = format!("00-{TRACE}-0000000000000000-01");
        let exchange = begin(&[("traceparent", &inbound), ("tracestate", "a=b")], &plan);
        let upstream = request_edits(&exchange, &plan);
        let sent = upstream.iter().find_map(|edit| edit.strip_prefix("traceparent: ")).unwrap();
        assert!(!sent.contains(TRACE) && sent.ends_with("-03"), "{sent}");
        assert!(upstream.contains(&"no tracestate".to_owned()), "{upstream:?}");
    }

    #[test]
    fn what_an_exporter_of_this_process_sends_is_left_alone() {
        let parent = SpanId::from_bytes(*b"exporter").unwrap();
        let header = |span: SpanId| {
            let span = String::from_utf8(span.to_hex().to_vec()).unwrap();
            format!("00-{TRACE}-{span}-00")
        };
        let other = SpanId::from_bytes(*b"exporteR").unwrap();
        for said in ["", r#"{"sampling": {"ratio": 1, "parent": "ignore"}}"#] {
            let settings = config::read(said.as_bytes()).unwrap();
            for (known, sent, ignored) in [
                (Some(parent), Some(parent), true),
                (Some(parent), Some(other), false),
                (Some(parent), None, false),
                (None, Some(parent), false),
                (None, None, false),
            ] {
                let plan = Plan::new(&settings, &Place { exporter: known, ..Place::default() });
                let inbound = sent.map(header);
                let pair = inbound.as_deref().map(|inbound| ("traceparent", inbound));
                let exchange = begin(pair.as_slice(), &plan);
                assert_eq!(exchange.target() == Target::Ignored, ignored, "{known:?} {sent:?}");
                assert_eq!(exchange.hop.has_span(), !ignored, "{known:?} {sent:?}");
            }
        }
    }

    #[test]
    fn times_are_counted_from_the_beginning() {
        let plan = plan("");
        let mut exchange = begin(&[], &plan);
        exchange.respond(
            [(b":status".as_slice(), b"200".as_slice())].into_iter(),
            Monotonic(7_000),
            &plan,
        );
        let observation = finish(&exchange, Monotonic(9_500));
        assert_eq!(observation.to_first_byte, Some(Duration::from_micros(2)));
        assert_eq!(observation.duration, Duration::from_nanos(4_500));
    }

    #[test]
    fn an_answer_shows_that_a_path_exists_or_says_nothing() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let plain: Pairs<'_> = &[(":method", "GET")];
        let preflight: Pairs<'_> =
            &[(":method", "OPTIONS"), ("access-control-request-method", "PUT")];
        let ours = ("x-envoy-upstream-service-time", "3");
        let table: [(&str, Pairs<'_>, Pairs<'_>, Answer); 11] = [
            ("from the app", plain, &[(":status", "200"), ours], Answer::Exists),
            ("from somewhere", plain, &[(":status", "200")], Answer::ExistsIfFromApp),
            ("a redirect", plain, &[(":status", "308"), ours], Answer::Exists),
            ("a failure", plain, &[(":status", "500"), ours], Answer::Exists),
            ("an upgrade", plain, &[(":status", "101"), ours], Answer::Exists),
            ("not found", plain, &[(":status", "404"), ours], Answer::Nothing),
            ("forbidden", plain, &[(":status", "403"), ours], Answer::Nothing),
            ("a preflight", preflight, &[(":status", "200"), ours], Answer::Nothing),
            (
                "no method",
                plain,
                &[(":status", "200"), ("grpc-status", "12"), ours],
                Answer::Nothing,
            ),
            (
                "a gRPC error",
                plain,
                &[(":status", "200"), ("grpc-status", "5"), ours],
                Answer::Exists,
            ),
            ("no status", plain, &[], Answer::Nothing),
        ];
        for (name, request, response, expected) in table {
            let plan = plan("");
            let mut exchange = begin(request, &plan);
            let pairs = response.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            exchange.respond(pairs, NOW.monotonic, &plan);
            assert_eq!(exchange.answer(), expected, "{name}");
        }
        assert_eq!(begin(plain, &plan("")).answer(), Answer::Nothing, "no answer");
    }

    #[test]
    fn a_preflight_belongs_to_the_route_it_asks_for() {
        let plan = plan(r#"{"routes": {"templates": ["PUT /carts/{id}"]}}"#);
        let asking = |method| {
            let asked = ("access-control-request-method", method);
            begin(&[(":method", "OPTIONS"), (":path", "/carts/7"), asked], &plan).target()
        };
        assert_eq!(asking("PUT"), Target::Template(0));
        assert_eq!(asking("DELETE"), Target::Open);
    }

    #[test]
    fn secrets_leave_the_path_before_it_is_cut() {
        let plan = plan(
            r#"{"routes": {"templates": [{"path": "/{a}/reset/{token}", "secret": ["token"]}]}}"#,
        );
        let long = "x".repeat(2_044);
        let table = [
            ("/me/reset/abc?token=abc".to_owned(), "/me/reset/REDACTED".to_owned()),
            ("/me/reset/a%2Db/".to_owned(), "/me/reset/REDACTED/".to_owned()),
            (format!("/{long}/reset/abc"), format!("/{long}/re")),
            (format!("/me/reset/{long}"), "/me/reset/REDACTED".to_owned()),
            ("/me/other/abc".to_owned(), "/me/other/abc".to_owned()),
        ];
        for (path, expected) in table {
            let exchange = begin(&[(":path", &path)], &plan);
            assert_eq!(exchange.head.path.bytes.escape_ascii().to_string(), expected);
        }
    }

    #[test]
    fn a_route_can_have_a_sampling_ratio_of_its_own() {
        let plan = plan(
            r#"{"sampling": {"ratio": 0}, "routes": {"ignore": ["/kept/not"], "templates": [
                {"path": "/kept/{x}", "sample": 1}, {"path": "/left", "sample": 1, "ignore": ["trace"]}]}}"#,
        );
        for (path, sampled) in
            [("/kept/1", true), ("/kept/not", false), ("/left", false), ("/else", false)]
        {
            let upstream = request_edits(&begin(&[(":path", path)], &plan), &plan);
            let flags = if sampled { "-03" } else { "-02" };
            assert!(upstream.iter().any(|edit| edit.ends_with(flags)), "{path}: {upstream:?}");
        }
    }

    #[test]
    fn the_outcome_goes_by_the_status() {
        let table = [
            (Some("101"), Outcome::Success),
            (Some("200"), Outcome::Success),
            (Some("304"), Outcome::Success),
            (Some("404"), Outcome::ClientError),
            (Some("499"), Outcome::ClientError),
            (Some("500"), Outcome::Failure),
            (Some("999"), Outcome::Failure),
            (Some("nonsense"), Outcome::Failure),
            (None, Outcome::Failure),
        ];
        for (status, expected) in table {
            let plan = plan("");
            let mut exchange = begin(&[(":method", "GET")], &plan);
            if let Some(status) = status {
                let pairs = [(b":status".as_slice(), status.as_bytes())];
                exchange.respond(pairs.into_iter(), NOW.monotonic, &plan);
            }
            assert_eq!(finish(&exchange, NOW.monotonic).outcome(), expected, "{status:?}");
        }
    }
}
