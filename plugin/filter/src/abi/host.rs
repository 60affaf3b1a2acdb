//! What the host can be asked and told, in safe terms.
//!
//! Nothing here panics or returns a status: where a host says no, there is no answer, and the caller
//! goes on without.

use std::ffi::OsString;
use std::time::Duration;

use sightline_core::log::Level;
use sightline_core::{Edit, Monotonic, Pair, Wall};

use super::imports;
use super::memory::receive;
use super::pairs::{self, Pairs};

/// A metric's number, as this VM knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetricId(u32);

/// What a metric does with what it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MetricKind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

/// The version of a shared value; it changes with each write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Version(u32);

impl Version {
    /// Of a value that is not there yet. A host takes a write with any version but zero for it, and with
    /// one that no value has, the second of two first writes is refused.
    const NONE: Self = Self(u32::MAX);
}

/// Which part of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Request = 0,
    Response = 2,
    ResponseTrailers = 3,
}

/// The serialized header map of a message; read it with [`Pairs`].
pub(crate) struct HeaderMap(Box<[u8]>);

impl HeaderMap {
    /// The map with this number, which only this room knows.
    pub(super) fn read(map: u32) -> Self {
        // SAFETY: both pointers are those of live variables.
        let call = |out, size| unsafe { imports::proxy_get_header_map_pairs(map, out, size) };
        Self(receive(call).unwrap_or_default())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Pair<'_>> + Clone {
        Pairs::new(&self.0)
    }
}

/// Writes a line into the host's log, as an error.
pub(crate) fn log_error(message: &str) {
    log(4, message.as_bytes());
}

/// Writes a line into the host's log, as a warning.
pub(crate) fn log_warning(message: &str) {
    log(3, message.as_bytes());
}

/// Writes a line of the access log into the host's log.
pub(crate) fn log_line(level: Level, line: &[u8]) {
    log(level as u32, line);
}

fn log(level: u32, message: &[u8]) {
    // SAFETY: the pointer and the size are those of one live text. A log that fails has no other place
    // to say so, hence the status is not looked at.
    let _ = unsafe { imports::proxy_log(level, message.as_ptr(), message.len()) };
}

/// The configuration's bytes. There are some only while a root context is being configured.
pub(crate) fn plugin_configuration() -> Box<[u8]> {
    const PLUGIN_CONFIGURATION: u32 = 7;
    // SAFETY: both pointers are those of live variables.
    let call = |out, size| unsafe {
        imports::proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX, out, size)
    };
    receive(call).unwrap_or_default()
}

/// All pairs of a message's head, in one call; none where the host has no such message now.
pub(crate) fn header_pairs(side: Side) -> HeaderMap {
    HeaderMap::read(side as u32)
}

/// A header of the request, as it is now; none where there is none.
pub(crate) fn request_header(name: &str) -> Option<Box<[u8]>> {
    // SAFETY: the name's pointer goes with its size, the others are those of live variables.
    receive(|out, size| unsafe {
        imports::proxy_get_header_map_value(
            Side::Request as u32,
            name.as_ptr(),
            name.len(),
            out,
            size,
        )
    })
}

/// Makes a change to a message's head.
pub(crate) fn apply(side: Side, edit: Edit<'_>) {
    // The host refuses only where the message is gone, and then nobody will read the header.
    let _ = match edit {
        // SAFETY: each pointer goes with the size of the live bytes it points to.
        Edit::Set(name, value) => unsafe {
            imports::proxy_replace_header_map_value(
                side as u32,
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            )
        },
        // SAFETY: likewise.
        Edit::Add(name, value) => unsafe {
            imports::proxy_add_header_map_value(
                side as u32,
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            )
        },
        // SAFETY: likewise.
        Edit::Remove(name) => unsafe {
            imports::proxy_remove_header_map_value(side as u32, name.as_ptr(), name.len())
        },
    };
}

/// Answers the current stream's request in the app's place. The host does so once it is back from calling us.
pub(crate) fn send_local_response(status: u32, details: &str, headers: &[Pair<'_>], body: &[u8]) {
    const NO_GRPC_STATUS: i32 = -1;
    let headers = pairs::serialize(headers);
    // SAFETY: each pointer goes with the size of the live bytes it points to.
    let _ = unsafe {
        imports::proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    };
}

/// Sets filter state `wasm.<name>` of the current stream.
pub(crate) fn set_filter_state(name: &str, value: &[u8]) {
    // SAFETY: each pointer goes with the size of the live bytes it points to.
    // The host refuses only a name that another filter has made read-only.
    let _ = unsafe {
        imports::proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len())
    };
}

/// What all VMs share under this key, empty if there is nothing, and the version to write it with.
pub(crate) fn shared_data(key: &str) -> (Box<[u8]>, Version) {
    let mut version = 0;
    // SAFETY: the key's pointer goes with its size, the others are those of live variables.
    let call = |out, size| unsafe {
        imports::proxy_get_shared_data(key.as_ptr(), key.len(), out, size, &raw mut version)
    };
    match receive(call) {
        Some(value) => (value, Version(version)),
        None => (Box::default(), Version::NONE),
    }
}

/// Writes what all VMs share under this key, unless it has changed since it was read. Says whether it did.
pub(crate) fn set_shared_data(key: &str, value: &[u8], Version(version): Version) -> bool {
    // SAFETY: each pointer goes with the size of the live bytes it points to.
    let status = unsafe {
        imports::proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            version,
        )
    };
    status == 0
}

/// Has the host call the current root at this interval.
pub(crate) fn tick_every(interval: Duration) {
    let milliseconds = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: no pointers. No host refuses it where a root is current.
    let _ = unsafe { imports::proxy_set_tick_period_milliseconds(milliseconds) };
}

/// Defines a metric. The host gives a new number each time, so this is called once for each name.
pub(crate) fn define_metric(kind: MetricKind, name: &str) -> Option<MetricId> {
    let mut id = 0;
    // SAFETY: the name's pointer goes with its size, the other is that of a live variable.
    let status = unsafe {
        imports::proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id)
    };
    (status == 0).then_some(MetricId(id))
}

/// Adds to a counter, or to a gauge, from which it may also take.
pub(crate) fn add(MetricId(id): MetricId, offset: i64) {
    // SAFETY: no pointers. The host refuses only a number that it did not give, and nothing for a counter.
    let _ = unsafe { imports::proxy_increment_metric(id, offset) };
}

/// Sets a gauge, or adds a value to a histogram.
pub(crate) fn record(MetricId(id): MetricId, value: u64) {
    // SAFETY: no pointers. The host refuses only a number that it did not give.
    let _ = unsafe { imports::proxy_record_metric(id, value) };
}

/// The current time of day.
pub(crate) fn wall_now() -> Wall {
    Wall(clock(0))
}

/// The current time on the clock for durations.
pub(crate) fn monotonic_now() -> Monotonic {
    Monotonic(clock(1))
}

/// Fills the bytes with the host's randomness. Says whether it did.
pub(crate) fn fill_random(bytes: &mut [u8]) -> bool {
    // SAFETY: the pointer goes with the size of the live bytes it points to.
    unsafe { imports::random_get(bytes.as_mut_ptr(), bytes.len()) == 0 }
}

/// A variable of the environment that the host gives the VM.
pub(crate) fn environment_variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(OsString::into_string)?.ok()
}

fn clock(clock: u32) -> u64 {
    let mut time = 0;
    // SAFETY: the pointer is that of a live variable. A host without the clock leaves the time at 0.
    let _ = unsafe { imports::clock_time_get(clock, 1, &raw mut time) };
    time
}
