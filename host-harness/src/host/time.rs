//! How time goes on: event by event.

use super::{Host, StreamId};
use crate::event::Event;

/// A moment at which a stream does not wait any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// The client goes away.
    Leaves,
    /// The application should have answered by now.
    Answer,
    /// Nothing has moved for long.
    Idle,
}

impl Host {
    /// All that is due until a moment happens.
    pub(super) fn run_until(&mut self, end: u64) {
        while self.due().is_some_and(|due| due <= end) {
            self.happen();
        }
    }

    /// When the next thing happens.
    pub(super) fn due(&self) -> Option<u64> {
        let deadline = self.first_deadline().map(|(at, ..)| at);
        [self.process.agenda.due(), deadline].into_iter().flatten().min()
    }

    /// Deadlines are not in the agenda, because nearly all of them are never reached.
    fn first_deadline(&self) -> Option<(u64, StreamId, Deadline)> {
        let streams = self.process.streams.iter().filter(|(_, stream)| !stream.over);
        let firsts = streams.filter_map(|(id, stream)| {
            stream.first_deadline().map(|(at, deadline)| (at, *id, deadline))
        });
        firsts.min()
    }

    /// The next thing happens, at its time.
    pub(super) fn happen(&mut self) {
        let agenda = self.process.agenda.due();
        let deadline = self.first_deadline().filter(|(at, ..)| agenda.is_none_or(|due| *at < due));
        if let Some((at, stream, deadline)) = deadline {
            self.process.world.go_on_to(at);
            return self.reach(stream, deadline);
        }
        let (Some(due), Some(event)) = (agenda, self.process.agenda.take()) else { return };
        self.process.world.go_on_to(due);
        match event {
            Event::Tick { vm, root, setting } => self.tick(vm, root, setting),
            Event::Asked(stream) => self.asked(stream),
            Event::Drained(version) => self.drained(version),
            Event::Connected(stream) => self.connected(stream),
            Event::Answered(stream, attempt) => self.answered(stream, attempt),
            Event::Queued { reader, token } => self.queued(&reader, token),
            Event::Called { vm, root, token, arrival } => self.called(vm, root, token, arrival),
        }
    }

    fn reach(&mut self, stream: StreamId, deadline: Deadline) {
        match deadline {
            Deadline::Leaves => self.leaves(stream),
            Deadline::Answer => self.timed_out(stream),
            Deadline::Idle => self.idle(stream),
        }
    }
}
