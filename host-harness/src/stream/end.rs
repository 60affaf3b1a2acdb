//! The end of a stream. The order is Envoy's and not the specification's: the log comes before the
//! end.

use std::time::Duration;

use crate::Plugin;
use crate::host::{Host, StreamId};
use crate::request::Protocol;

impl Host {
    /// Tells the module of a stream, unless it knows.
    pub(super) fn create(&mut self, id: StreamId) {
        let has_failed = self.filter_has_failed(id);
        let Some(filter) = &mut self.stream(id).filter else { return };
        let root = filter.root;
        if !std::mem::replace(&mut filter.created, true) && !has_failed {
            self.enter_stream(id, "proxy_on_context_create", &[root]);
            self.act();
        }
    }

    /// The stream is cut: whoever was to get more gets a reset.
    pub(crate) fn cut(&mut self, id: StreamId) {
        self.stream(id).aborted = true;
        self.finish_stream(id, true);
    }

    /// The stream has come to its end.
    pub(super) fn end(&mut self, id: StreamId) {
        self.finish_stream(id, false);
    }

    /// All is over: the module is told to log, then of the end. Over HTTP/3 Envoy writes its logs
    /// later, without the module, unless the stream was cut.
    fn finish_stream(&mut self, id: StreamId, cut: bool) {
        if self.stream(id).info.duration.is_some() {
            return;
        }
        let now = self.process.world.monotonic();
        let stream = self.stream(id);
        stream.info.duration = Some(Duration::from_nanos(now - stream.info.started));
        let logs_later = stream.info.protocol == Protocol::Http3 && !cut;
        if !logs_later {
            self.log_stream(id);
        }
        self.destroy(id);
        if logs_later {
            self.write_line(id);
        }
        self.stream(id).over = true;
        self.close_filter(id);
    }

    fn log_stream(&mut self, id: StreamId) {
        self.create(id);
        self.stream(id).logging = true;
        self.enter_stream(id, "proxy_on_log", &[]);
        self.act();
        self.stream(id).logging = false;
        self.write_line(id);
    }

    /// Envoy's own access loggers see the filter state as it is now.
    fn write_line(&mut self, id: StreamId) {
        let stream = self.stream(id);
        stream.saw.state = stream.state.clone();
    }

    fn destroy(&mut self, id: StreamId) {
        let Some(filter) = &mut self.stream(id).filter else { return };
        if filter.created && !std::mem::replace(&mut filter.destroyed, true) {
            self.enter_stream(id, "proxy_on_done", &[]);
            self.act();
            self.enter_stream(id, "proxy_on_delete", &[]);
            self.act();
        }
    }

    pub(super) fn plugin_of(&mut self, id: StreamId) -> &Plugin {
        let version = self.stream(id).filter.as_ref().map_or(0, |filter| filter.version);
        &self.versions[version]
    }
}
