//! The contexts of this VM by their numbers: roots, one for each configuration that is loaded, and
//! streams, one for each request under way. Finds whom a callback is for, and nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use sightline_core::Quick;

use crate::abi::Token;
use crate::root::Root;
use crate::shared::Shared;
use crate::stream::Stream;

/// All contexts, and what they share.
#[derive(Default)]
pub(crate) struct Contexts {
    /// A root has nothing to work with until it is configured.
    roots: ById<Option<Rc<Root>>>,
    /// Only streams of configured roots are here.
    streams: ById<Stream>,
    /// Made with the first configuration.
    shared: Option<Shared>,
}

type ById<T> = HashMap<u32, T, BuildHasherDefault<Quick>>;

/// Enters the contexts. A host that calls back while it is being called gets no answer.
pub(crate) fn with<R>(enter: impl FnOnce(&mut Contexts) -> R) -> Option<R> {
    thread_local! {
        static CONTEXTS: RefCell<Contexts> = RefCell::default();
    }
    CONTEXTS
        .with(|contexts| contexts.try_borrow_mut().ok().map(|mut contexts| enter(&mut contexts)))
}

impl Contexts {
    /// A context of this root is there; without a root it is one itself.
    pub(crate) fn create(&mut self, context: u32, root: u32) {
        if root == 0 {
            self.roots.insert(context, None);
        } else if let Some(Some(root)) = self.roots.get(&root) {
            self.streams.insert(context, Stream::new(Rc::clone(root)));
        }
    }

    /// Configures a root. Says whether its configuration can be worked with.
    pub(crate) fn configure(&mut self, root: u32) -> bool {
        if self.shared.is_none() {
            self.shared = Shared::seeded();
        }
        let made = self.shared.as_mut().and_then(|shared| Root::configure(root, shared));
        let configured = made.is_some();
        self.roots.insert(root, made.map(Rc::new));
        configured
    }

    /// It is time for what is to be done now and then.
    pub(crate) fn tick(&mut self, root: u32) {
        if let (Some(Some(root)), Some(shared)) = (self.roots.get(&root), &mut self.shared) {
            root.tick(shared);
        }
    }

    /// A collector has answered over HTTP.
    pub(crate) fn on_http_answer(&mut self, token: Token) {
        if let Some(Shared { exporters, rng, .. }) = &mut self.shared {
            exporters.on_http_answer(token, rng);
        }
    }

    /// A collector has answered over gRPC.
    pub(crate) fn on_grpc_message(&mut self, token: Token) {
        if let Some(Shared { exporters, rng, .. }) = &mut self.shared {
            exporters.on_grpc_message(token, rng);
        }
    }

    /// A gRPC call ended without a message.
    pub(crate) fn on_grpc_end(&mut self, token: Token, status: u32) {
        if let Some(Shared { exporters, rng, .. }) = &mut self.shared {
            exporters.on_grpc_end(token, status, rng);
        }
    }

    /// The request's head has arrived.
    pub(crate) fn on_request_headers(&mut self, context: u32, ends: bool) {
        self.stream(context, |stream, shared| stream.on_request_headers(ends, shared));
    }

    /// The response's head has arrived.
    pub(crate) fn on_response_headers(&mut self, context: u32) {
        self.stream(context, |stream, _| stream.on_response_headers());
    }

    /// The request is over. Only the first time counts.
    pub(crate) fn finish(&mut self, context: u32) {
        self.stream(context, Stream::finish);
    }

    /// The host will not mention this context again.
    pub(crate) fn delete(&mut self, context: u32) {
        self.streams.remove(&context);
        if let (Some(_), Some(shared)) = (self.roots.remove(&context), &mut self.shared) {
            shared.exporters.forget(context);
            if self.roots.is_empty() {
                shared.exporters.give_up(&mut shared.stats);
                shared.meters.give_up(&mut shared.stats);
            }
        }
    }

    fn stream(&mut self, context: u32, enter: impl FnOnce(&mut Stream, &mut Shared)) {
        if let (Some(stream), Some(shared)) = (self.streams.get_mut(&context), &mut self.shared) {
            enter(stream, shared);
        }
    }
}
