//! The life of a stream, as Envoy runs it for HTTP/1 and HTTP/2.
//!
//! The order is Envoy's where it differs from the specification's: the log comes before the end.
//! HTTP/3, bodies, trailers, local replies of the module and what Envoy does after a trap are not
//! here.

use std::time::Duration;

use crate::HeaderMap;
use crate::context::{Context, MapKind, Phase, Stream};
use crate::error::Failure;
use crate::request::{Course, Outcome, Pause, Request, Response};
use crate::vm::Vm;

impl Vm {
    /// Runs a request from its beginning to its end and tells what came of it. The newest root
    /// serves it.
    pub fn request(&mut self, request: Request) -> Result<Outcome, Failure> {
        if self.broken {
            return Err(Failure::Broken);
        }
        self.listen();
        let root = self.serving.ok_or(Failure::NoRoot)?;
        let before = self.budget().clone();
        let stream = Stream::new(root, request.headers, request.protocol, self.world());
        let id = self.host_mut().contexts.add(Context::Stream(stream));
        let life = Life { vm: self, id, outcome: Outcome::new() };
        let mut outcome = life.run(request.ends_with_headers, request.course)?;
        outcome.budget = self.budget().since(&before);
        outcome.log = self.heard().to_vec();
        Ok(outcome)
    }
}

/// A stream while it lives.
struct Life<'a> {
    vm: &'a mut Vm,
    id: u32,
    outcome: Outcome,
}

impl Life<'_> {
    fn run(mut self, ends_with_headers: bool, course: Course) -> Result<Outcome, Failure> {
        match course {
            Course::Upstream(response) => self.proxied(ends_with_headers, response)?,
            Course::Router(response) => self.routed(ends_with_headers, response)?,
            Course::Earlier(response) => self.refused(response),
            Course::Gone(time) => self.abandoned(ends_with_headers, time)?,
        }
        self.log()?;
        self.end()?;
        Ok(self.outcome)
    }

    fn proxied(&mut self, ends_with_headers: bool, response: Response) -> Result<(), Failure> {
        if self.request_headers(ends_with_headers)? {
            self.outcome.upstream = Some(self.stream().request.clone());
            self.respond(response)?;
        }
        Ok(())
    }

    fn routed(&mut self, ends_with_headers: bool, response: Response) -> Result<(), Failure> {
        if self.request_headers(ends_with_headers)? {
            self.respond(response)?;
        }
        Ok(())
    }

    fn refused(&mut self, response: Response) {
        self.pass(response.first_byte + response.rest);
        self.outcome.client = Some(response.headers.clone());
        self.stream().code = status(&response.headers);
        self.stream().response = Some(response.headers);
    }

    fn abandoned(&mut self, ends_with_headers: bool, time: Duration) -> Result<(), Failure> {
        if self.request_headers(ends_with_headers)? {
            self.outcome.upstream = Some(self.stream().request.clone());
        }
        self.pass(time);
        Ok(())
    }

    /// Returns whether the request goes on.
    fn request_headers(&mut self, ends: bool) -> Result<bool, Failure> {
        self.create()?;
        let count = count(self.stream().request.len());
        let args = [self.id, count, ends.into()];
        let goes_on = self.enter(Phase::Request, "proxy_on_request_headers", &args)? == 0;
        if !goes_on {
            self.hold_up(MapKind::Request, Pause::Request);
        }
        Ok(goes_on)
    }

    fn respond(&mut self, response: Response) -> Result<(), Failure> {
        self.pass(response.first_byte);
        let args = [self.id, count(response.headers.len()), response.ends_with_headers.into()];
        // Envoy notes the status before any filter sees the response, its own replies' too.
        self.stream().code = status(&response.headers);
        self.stream().response = Some(response.headers);
        if self.enter(Phase::Response, "proxy_on_response_headers", &args)? != 0 {
            self.hold_up(MapKind::Response, Pause::Response);
            return Ok(());
        }
        let sent = self.stream().response.clone();
        self.stream().code = sent.as_ref().and_then(status);
        self.outcome.client = sent;
        self.pass(response.rest);
        Ok(())
    }

    fn hold_up(&mut self, map: MapKind, pause: Pause) {
        self.stream().held_up = Some(map);
        self.outcome.pause = Some(pause);
    }

    fn log(&mut self) -> Result<(), Failure> {
        let now = self.vm.world().monotonic();
        self.stream().complete(now);
        self.create()?;
        self.enter(Phase::Log, "proxy_on_log", &[self.id])?;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.enter(Phase::Between, "proxy_on_done", &[self.id])?;
        self.enter(Phase::Between, "proxy_on_delete", &[self.id])?;
        if let Some(stream) = self.vm.host_mut().contexts.take_stream(self.id) {
            let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
            self.outcome.state =
                stream.state.into_iter().map(|(name, value)| (text(name), value)).collect();
        }
        Ok(())
    }

    /// Tells the module of the stream, unless it knows.
    fn create(&mut self) -> Result<(), Failure> {
        let (created, root) = (self.stream().created, self.stream().root);
        if !created {
            self.enter(Phase::Between, "proxy_on_context_create", &[self.id, root])?;
            self.stream().created = true;
        }
        Ok(())
    }

    /// What the export answered; an export that is not there lets all go on.
    fn enter(&mut self, phase: Phase, export: &'static str, args: &[u32]) -> Result<u32, Failure> {
        self.stream().phase = phase;
        let answer = self.vm.enter(export, self.id, args)?;
        self.stream().phase = Phase::Between;
        Ok(answer.unwrap_or(0))
    }

    fn pass(&mut self, time: Duration) {
        self.vm.world_mut().advance(time);
    }

    fn stream(&mut self) -> &mut Stream {
        let stream = self.vm.host_mut().contexts.stream_mut(self.id);
        stream.expect("a stream lives until its life takes it out, and that is the last it does")
    }
}

fn status(headers: &HeaderMap) -> Option<u16> {
    std::str::from_utf8(headers.get(":status")?).ok()?.parse().ok()
}

fn count(entries: usize) -> u32 {
    u32::try_from(entries).expect("a header map of a test has far fewer entries than 2^32")
}
