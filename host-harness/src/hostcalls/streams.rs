//! What a module does to a stream as a whole: lets it go on, cuts it, or answers by itself. None of
//! it happens before the module has been left.

use crate::call::{Answer, Call, Status};
use crate::event::Action;
use crate::pairs;
use crate::stream::{Reply, Way};

/// `proxy_continue_stream(type)`: after it, on either way, the module has lost the request's maps
/// and body.
pub(crate) fn go_on(call: &mut Call<'_>) -> Answer {
    let way = match call.word(0) {
        0 => Way::Request,
        1 => Way::Response,
        2 => return Ok(()),
        3 => return Err(Status::Unimplemented.into()),
        _ => return Err(Status::BadArgument.into()),
    };
    let Some(id) = call.stream_id() else { return Ok(()) };
    call.process().actions.push_back(Action::Continue(id, way));
    if let Some(stream) = call.stream() {
        stream.request.shows_headers = false;
        stream.request.shows_trailers = false;
        stream.request.piece_is_gone = true;
    }
    Ok(())
}

/// `proxy_close_stream(type)`
pub(crate) fn close(call: &mut Call<'_>) -> Answer {
    if call.word(0) > 3 {
        return Err(Status::BadArgument.into());
    }
    let Some(id) = call.stream_id().filter(|_| call.word(0) < 2) else { return Ok(()) };
    if let Some(stream) = call.stream() {
        stream.info.explain("wasm_close_stream");
    }
    call.process().actions.push_back(Action::Close(id));
    Ok(())
}

/// `proxy_send_local_response(status, details, length, body, length, headers, length, grpc)`
pub(crate) fn respond(call: &mut Call<'_>) -> Answer {
    let (status, details, body, headers) =
        (call.word(0), call.text(1)?, call.text(3)?, call.text(5)?);
    let blank = |letter: char| if letter.is_ascii_whitespace() { '_' } else { letter };
    let details: String = String::from_utf8_lossy(&details).chars().map(blank).collect();
    // Envoy keeps 16 bits of it.
    let status = u16::try_from(status & 0xffff).unwrap_or_default();
    let reply = Reply::bytes(status, body, &details)
        .with(pairs::decode(&headers).into_iter().collect())
        // Anything else means that the module did not say.
        .grpc(Some(call.word(7)).filter(|status| *status <= 16));
    if let Some(stream) = call.stream_id() {
        call.process().actions.push_back(Action::Reply(stream, reply));
    }
    call.process().stopped = true;
    Ok(())
}
