//! How much is kept in memory, whatever comes: every bound of the live view, with its reason.
//!
//! What does not fit is counted and told; the counts of requests stay exact all the same.

/// Rows of routes. The filter has at most `routes.limit` inferred ones, 200 by default; what is more here comes
/// of very many templates, and a page with more helps nobody. Further ones are counted in one row.
pub(super) const ROUTES: usize = 2_000;

/// The newest lines: some minutes by hand, two seconds at 10,000 a second.
pub(super) const NEWEST: usize = 20_000;

/// What the newest lines take up. Lines have about 600 bytes, so this is seldom what limits.
pub(super) const NEWEST_BYTES: usize = 32 << 20;

/// A longer line is counted and not kept. The filter's own have at most a few thousand bytes, unless very many
/// headers are captured.
pub(super) const LONGEST_LINE: usize = 16 << 10;

/// For so many minutes, the one under way included, the slowest requests are kept apart, because the newest may
/// be gone in two seconds.
pub(super) const SLOW_MINUTES: u64 = 5;

/// So many for each of these minutes, 200 together. More than are shown, so that those shown are the slowest
/// of all five.
pub(super) const SLOWEST_OF_MINUTE: usize = 40;

/// The newest failed requests, kept apart likewise.
pub(super) const FAILED: usize = 500;

/// Requests that were shown as recent. Whoever looks at one must find it, though it is no longer new.
/// Together with the slowest and the failed, and all of them as long as can be, these are 27 MiB: with the newest,
/// lines take up less than 64 MiB.
pub(super) const SHOWN: usize = 1_000;

/// The newest spans: an app under instrumentation makes some five for each request.
pub(super) const SPANS: usize = 50_000;

/// What the spans take up, by estimate.
pub(super) const SPAN_BYTES: usize = 64 << 20;

/// Attributes of a span or of an event.
pub(super) const ATTRIBUTES: usize = 64;

/// Events of a span.
pub(super) const EVENTS: usize = 32;

/// A text in a span, in bytes: as in the filter's lines.
pub(super) const TEXT: usize = 1_024;

/// Entries of a list within an attribute, and how deep lists are read.
pub(super) const ENTRIES: usize = 32;
/// See [`ENTRIES`].
pub(super) const DEPTH: usize = 4;

/// Spans of one trace that are shown. Nobody reads a waterfall of more.
pub(super) const SPANS_OF_TRACE: usize = 500;

/// Requests that are listed as slowest and as failed.
pub(super) const LISTED: usize = 20;

/// Requests that are listed as recent.
pub(super) const RECENT: usize = 50;

/// What a search finds, and the requests that a trace lists.
pub(super) const FOUND: usize = 20;

/// An ID is searched for by its first characters if there are so many.
pub(super) const SHORTEST_PREFIX: usize = 4;

/// The path that stands for a route.
pub(super) const EXAMPLE: usize = 256;

/// A name that makes a row: a service or a route. The filter cuts them earlier.
pub(super) const NAME: usize = 1_024;
