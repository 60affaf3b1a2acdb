//! Foreign functions: what Envoy offers to modules by name beside the ABI.
//!
//! These are the functions of Envoy 1.40; 1.36 has no `sign`, takes no keys in PEM, and does not
//! mind the effective context in `set_envoy_filter_state`.
//!
//! Two kinds are not all there. `sign` and `verify_signature` know no cryptography: whatever key
//! they get, they answer what Envoy answers to one that is of no use. And `expr_create` compiles no
//! expression of CEL: it answers that it is not found, as if Envoy had been built without CEL, and
//! so there is none to evaluate. `compress` makes valid zlib, but not always Envoy's very bytes.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::filter_state;
use crate::call::{Answer, Call, Status};
use crate::protobuf::{Fields, write_bytes};

/// What a function gives back, if it gives anything, or why it does not.
type Given = Result<Option<Vec<u8>>, Status>;

/// Compressed bytes that grow beyond this are refused, so that a module cannot fill the machine;
/// Envoy has no such limit, but a module has no more memory than this to take them.
const MOST_UNCOMPRESSED: u64 = 1 << 30;

/// `proxy_call_foreign_function(name, length, argument, length, result, length)`: pointers that are
/// 0 are not written to.
pub(crate) fn call(call: &mut Call<'_>) -> Answer {
    let (name, argument) = (call.text(0)?, call.text(2)?);
    let given = match name.as_slice() {
        b"compress" => compress(&argument),
        b"uncompress" => uncompress(&argument),
        b"clear_route_cache" => Ok(None),
        b"declare_property" => declare_property(call, &argument),
        b"set_envoy_filter_state" => set_envoy_filter_state(call, &argument),
        b"sign" => sign(&argument),
        b"verify_signature" => verify_signature(&argument),
        b"expr_create" => Err(Status::NotFound),
        b"expr_evaluate" => expression(&argument).and(Err(Status::NotFound)),
        b"expr_delete" => expression(&argument).map(|()| None),
        _ => return Err(Status::NotFound.into()),
    };
    hand_over(call, given.as_ref().ok().and_then(Option::as_deref))?;
    given.map(drop).map_err(Into::into)
}

/// Says where the result is and how long, with zeros where there is none. Unlike what the ABI's own
/// calls hand over, a result of no bytes is allocated too.
fn hand_over(call: &mut Call<'_>, result: Option<&[u8]>) -> Answer {
    let bytes = result.unwrap_or_default();
    let length = u32::try_from(bytes.len()).map_err(|_| Status::InternalFailure)?;
    if call.word(4) != 0 {
        let pointer = if result.is_some() { call.allocate(length)? } else { 0 };
        call.write(pointer, bytes)?;
        call.give_word(4, pointer)?;
    }
    if call.word(5) == 0 { Ok(()) } else { call.give_word(5, length) }
}

fn compress(bytes: &[u8]) -> Given {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map(Some).map_err(|_| Status::SerializationFailure)
}

fn uncompress(bytes: &[u8]) -> Given {
    let mut plain = Vec::new();
    let read = ZlibDecoder::new(bytes).take(MOST_UNCOMPRESSED).read_to_end(&mut plain);
    read.map(|_| Some(plain)).map_err(|_| Status::SerializationFailure)
}

/// A property is declared for the context that the module was entered for, and only what a root has
/// declared is ever heeded. No declaration can be taken back.
fn declare_property(call: &mut Call<'_>, argument: &[u8]) -> Given {
    let fields = Fields::read(argument).ok_or(Status::BadArgument)?;
    let name = fields.text(1).ok_or(Status::BadArgument)?.as_bytes().to_vec();
    let read_only = fields.number(2) != 0;
    let contexts = call.contexts();
    let (current, stream) = (contexts.current, contexts.stream(contexts.current));
    let declared = match stream {
        Some(stream) => call.process().streams.get_mut(&stream).map(|it| &mut it.declared),
        None => call.contexts().root_mut(current).map(|root| &mut root.declared),
    };
    match declared {
        Some(declared) if declared.contains_key(&name) => Err(Status::BadArgument),
        Some(declared) => {
            declared.insert(name, read_only);
            Ok(None)
        }
        None => Ok(None),
    }
}

/// Sets an object that Envoy knows by name, in the stream's filter state.
fn set_envoy_filter_state(call: &mut Call<'_>, argument: &[u8]) -> Given {
    let fields = Fields::read(argument).ok_or(Status::BadArgument)?;
    let (path, value) = fields.text(1).zip(fields.text(2)).ok_or(Status::BadArgument)?;
    let object = filter_state::object(path.as_bytes()).ok_or(Status::NotFound)?;
    let value = object.parse(value).ok_or(Status::BadArgument)?;
    let stream = call.stream().ok_or(Status::NotFound)?;
    stream.state.insert(path.into(), value.into());
    Ok(None)
}

fn sign(argument: &[u8]) -> Given {
    let fields = Fields::read(argument).ok_or(Status::BadArgument)?;
    let hash = hash_with_key(&fields, 4)?;
    let error = unknown_hash(hash)
        .unwrap_or("Invalid key type: private key required for signing operation.".into());
    Ok(Some(field(3, &error)))
}

fn verify_signature(argument: &[u8]) -> Given {
    let fields = Fields::read(argument).ok_or(Status::BadArgument)?;
    let hash = hash_with_key(&fields, 5)?;
    let error = unknown_hash(hash).unwrap_or("Failed to initialize digest verify.".into());
    Ok(Some(field(2, &error)))
}

/// The hash function's name, where there is a key, in DER or else in PEM.
fn hash_with_key<'a>(fields: &Fields<'a>, pem: u64) -> Result<&'a str, Status> {
    let hash = fields.text(1).ok_or(Status::BadArgument)?;
    let (der, pem) = (fields.bytes(2), fields.text(pem).ok_or(Status::BadArgument)?);
    if der.is_empty() == pem.is_empty() {
        return Err(Status::BadArgument);
    }
    Ok(hash)
}

fn unknown_hash(name: &str) -> Option<String> {
    let known = ["sha1", "sha224", "sha256", "sha384", "sha512"];
    let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(name));
    (!is_known).then(|| format!("{name} is not supported."))
}

fn field(number: u32, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_bytes(number, text.as_bytes(), &mut bytes);
    bytes
}

/// The number of an expression is four bytes.
fn expression(argument: &[u8]) -> Result<(), Status> {
    if argument.len() == 4 { Ok(()) } else { Err(Status::BadArgument) }
}
