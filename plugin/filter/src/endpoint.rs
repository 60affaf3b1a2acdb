//! The metrics endpoint: requests that ask for what was counted, answered here.

use sightline_core::red::Format;
use sightline_core::{Endpoint, Pair, Plan};

use crate::abi;
use crate::root::Root;
use crate::shared::Shared;

/// Whether a request asks for metrics, and how it wants them: on the endpoint's port, for its path. Anybody else's
/// request for the same path goes its way.
pub(crate) fn asked<'a>(
    plan: &Plan,
    pairs: impl Iterator<Item = Pair<'a>> + Clone,
) -> Option<Format> {
    let Endpoint { port, path } = plan.metrics.endpoint.as_ref()?;
    let value =
        |wanted: &[u8]| pairs.clone().find(|(name, _)| *name == wanted).map(|(_, value)| value);
    let asked = value(b":path")?.split(|&byte| byte == b'?').next()?;
    let reads = matches!(value(b":method")?, b"GET" | b"HEAD");
    // The host is asked last: that has its price, and an app may have the same path.
    if !reads || asked != path || abi::destination_port() != Some(i64::from(*port)) {
        return None;
    }
    let accept = pairs.filter(|(name, _)| *name == b"accept").map(|(_, value)| value);
    Some(Format::for_accept(accept))
}

/// Answers with what was counted.
pub(crate) fn answer(root: &Root, format: Format, shared: &mut Shared) {
    let page = root.counter.as_ref().map(|counter| counter.write_page(format, root, shared));
    let headers: [Pair<'_>; 2] =
        [(b"content-type", format.content_type().as_bytes()), (b"cache-control", b"no-store")];
    abi::send_local_response(200, "sightline_metrics", &headers, &page.unwrap_or_default());
}
