//! What a property is before it is bytes: something that has members or comes to an end, and how
//! Envoy serializes it.

use std::borrow::Cow;
use std::net::SocketAddr;

use serde_json::Value as Json;

use super::View;
use crate::HeaderMap;
use crate::call::Status;
use crate::hostcalls::filter_state::{self, Object};
use crate::pairs;
use crate::protobuf::{Content, Message};

/// A property, or a step on the way to one.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Group(Group),
    /// A map that may not be there, which is then an empty one.
    Headers(Option<&'a HeaderMap>),
    Bytes(Cow<'a, [u8]>),
    Int(i64),
    Uint(u64),
    Bool(bool),
    Message(Message<'a>),
    Json(&'a Json),
    /// A `google.protobuf.Struct`, which is an empty one where it is not there.
    Struct(&'a Json),
    /// An address of filter state.
    Address(SocketAddr),
    /// A list or a map without elements.
    Empty,
    /// Something whose absence is a value.
    Null,
}

/// Properties that have a name in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Request,
    Response,
    Connection,
    Upstream,
    Source,
    Destination,
    Metadata,
    FilterState,
    UpstreamFilterState,
    Xds,
}

impl Group {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"request" => Self::Request,
            b"response" => Self::Response,
            b"connection" => Self::Connection,
            b"upstream" => Self::Upstream,
            b"source" => Self::Source,
            b"destination" => Self::Destination,
            b"metadata" => Self::Metadata,
            b"filter_state" => Self::FilterState,
            b"upstream_filter_state" => Self::UpstreamFilterState,
            b"xds" => Self::Xds,
            _ => return None,
        })
    }
}

/// A message of metadata, from its map by namespace.
pub(super) fn metadata(filter_metadata: &Json) -> Value<'_> {
    Value::Message(Message(vec![
        ("filter_metadata", 1, Content::Structs(filter_metadata)),
        ("typed_filter_metadata", 2, Content::Nothing),
    ]))
}

impl<'a> Value<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self::Bytes(Cow::Borrowed(text.as_bytes()))
    }

    pub(super) fn bytes(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }

    pub(super) fn owned(text: &impl ToString) -> Self {
        Self::Bytes(Cow::Owned(text.to_string().into_bytes()))
    }

    /// What counts things; Envoy knows no negative ones.
    pub(super) fn count(count: impl TryInto<i64>) -> Self {
        Self::Int(count.try_into().unwrap_or(i64::MAX))
    }

    /// A piece of filter state, which Envoy may know to be more than bytes.
    pub(super) fn state(name: &[u8], state: &'a [u8]) -> Option<Self> {
        match filter_state::object(name) {
            Some(Object::Unreadable) => None,
            Some(Object::Address) => {
                let text = std::str::from_utf8(state).ok()?;
                text.parse().ok().map(Self::Address)
            }
            _ => Some(Self::bytes(state)),
        }
    }

    fn content(content: Content<'a>) -> Self {
        match content {
            Content::Text(text) => Self::text(text),
            Content::Message(message) | Content::Absent(message) => Self::Message(message),
            Content::Struct(json) | Content::Structs(json) => Self::Struct(json),
            Content::Nothing => Self::Empty,
        }
    }

    pub(super) fn member(self, name: &[u8], view: View<'a>) -> Option<Self> {
        match self {
            Self::Group(group) => view.member(group, name),
            Self::Headers(map) => header(map?, name),
            Self::Message(message) => message.field(name).map(Self::content),
            Self::Json(Json::Array(list)) => {
                let place: usize = std::str::from_utf8(name).ok()?.trim_ascii().parse().ok()?;
                list.get(place).map(Self::Json)
            }
            Self::Json(json) | Self::Struct(json) => {
                json.as_object()?.get(std::str::from_utf8(name).ok()?).map(Self::Json)
            }
            Self::Address(address) => match name {
                b"ip" => Some(Self::owned(&address.ip())),
                b"port" => Some(Self::Int(address.port().into())),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn encode(self) -> Result<Vec<u8>, Status> {
        Ok(match self {
            Self::Bytes(bytes) => bytes.into_owned(),
            Self::Int(number) => number.to_le_bytes().to_vec(),
            Self::Uint(number) => number.to_le_bytes().to_vec(),
            Self::Bool(truth) => vec![truth.into()],
            Self::Message(message) => message.encode(),
            Self::Headers(map) => headers(map),
            Self::Json(value) => json(value)?,
            Self::Struct(value) if value.is_object() => json(value)?,
            // An address has members, but does not list them.
            Self::Struct(_) | Self::Address(_) | Self::Empty => listed(&[]),
            Self::Group(_) | Self::Null => return Err(Status::SerializationFailure),
        })
    }
}

/// Unlike the hostcalls for headers, a property joins all values of a name, and finds nothing under
/// one that HTTP does not allow.
fn header<'a>(map: &'a HeaderMap, name: &[u8]) -> Option<Value<'a>> {
    let mut letters = name.strip_prefix(b":").unwrap_or(name).iter();
    if !letters.all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)) {
        return None;
    }
    let mut values = map.all(name);
    let first = values.next()?;
    let rest: Vec<_> = values.collect();
    if rest.is_empty() {
        return Some(Value::Bytes(Cow::Borrowed(first)));
    }
    let all: Vec<_> = [first].into_iter().chain(rest).collect();
    Some(Value::Bytes(Cow::Owned(all.join(&b','))))
}

fn headers(map: Option<&HeaderMap>) -> Vec<u8> {
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for (name, value) in map.into_iter().flat_map(HeaderMap::iter) {
        match entries.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => {
                values.push(b',');
                values.extend_from_slice(value);
            }
            None => entries.push((name.to_vec(), value.to_vec())),
        }
    }
    listed(&entries)
}

/// A value of a `google.protobuf.Struct`: of an object all names and values, and of a list its
/// elements as names without values. A null is no value, nor is what has one in it.
fn json(value: &Json) -> Result<Vec<u8>, Status> {
    Ok(match value {
        Json::Null => return Err(Status::SerializationFailure),
        Json::Bool(truth) => vec![(*truth).into()],
        Json::Number(number) => number.as_f64().unwrap_or_default().to_le_bytes().to_vec(),
        Json::String(text) => text.clone().into_bytes(),
        Json::Array(list) => {
            let elements = list.iter().map(|element| Ok((json(element)?, Vec::new())));
            listed(&elements.collect::<Result<Vec<_>, _>>()?)
        }
        Json::Object(members) => {
            let pair =
                |(name, member): (&String, &Json)| Ok((name.clone().into_bytes(), json(member)?));
            listed(&members.iter().map(pair).collect::<Result<Vec<_>, _>>()?)
        }
    })
}

/// A map as pairs; unlike a map of headers, an empty one has its count all the same.
fn listed(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    if entries.is_empty() {
        return vec![0; 4];
    }
    pairs::encode(entries.iter().map(|(name, value)| (name.as_slice(), value.as_slice())))
}
