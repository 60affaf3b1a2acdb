//! What happens later: at a moment of its own, or as soon as the module is left.

use crate::callout::Arrival;
use crate::host::StreamId;
use crate::queues::Reader;
use crate::stream::{Reply, Way};
use crate::vm::VmRef;

/// What happens at a moment of its own.
#[derive(Debug)]
pub(crate) enum Event {
    /// A root's timer; an older setting of it finds nothing to do.
    Tick { vm: VmRef, root: u32, setting: u32 },
    /// The client's next piece.
    Asked(StreamId),
    /// A configuration that was replaced has had its time.
    Drained(usize),
    /// There is a connection to the application, or none to be had.
    Connected(StreamId),
    /// The application's next piece, of this attempt.
    Answered(StreamId, u32),
    /// A queue has something for whoever reads it.
    Queued { reader: Reader, token: u32 },
    /// Something of a callout's answer comes.
    Called { vm: VmRef, root: u32, token: u32, arrival: Arrival },
}

/// What happens as soon as the module is left.
#[derive(Debug)]
pub(crate) enum Action {
    Continue(StreamId, Way),
    /// The stream is cut.
    Close(StreamId),
    Reply(StreamId, Reply),
    /// A root that was asked to end now has.
    Done {
        vm: VmRef,
        root: u32,
    },
    /// An answer that came while the module was running.
    Called {
        vm: VmRef,
        root: u32,
        token: u32,
        arrival: Arrival,
    },
}
