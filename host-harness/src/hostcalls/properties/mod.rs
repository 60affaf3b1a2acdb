//! Properties: facts about request, response, connection, application, configuration and plugin, and
//! filter state, each under a path of names.
//!
//! These are the properties of Envoy 1.40. Earlier ones have fewer: 1.36 lacks
//! `request.headers_bytes` and `response.headers_bytes`. What is known of the node is what the test
//! says, without the build and the list of extensions that Envoy adds. There is no TLS, so all that
//! is about certificates is not found. Where Envoy lists a map in an order of chance, the order here
//! is that of the names in it.

mod around;
mod exchange;
mod value;

use value::{Group, Value};

use crate::call::{Answer, Call, Status};
use crate::hostcalls::filter_state;
use crate::stream::Stream;
use crate::vm::Inside;
use crate::{Plugin, World};

/// `proxy_set_property(path, length, value, length)`: the path is the name, zero bytes and all.
pub(crate) fn set(call: &mut Call<'_>) -> Answer {
    let (path, value) = (call.text(0)?, call.text(2)?);
    let declared = call.own_root().and_then(|root| root.declared.get(&path).copied());
    let stream = call.stream().ok_or(Status::NotFound)?;
    let name = filter_state::of_modules(&path);
    if stream.fixed.contains(&name) {
        return Err(Status::BadArgument.into());
    }
    if declared == Some(true) && !stream.state.contains_key(&name) {
        stream.fixed.insert(name.clone());
    }
    stream.state.insert(name, value);
    Ok(())
}

/// `proxy_get_property(path, length, value, length)`: a path has its elements between zero bytes.
pub(crate) fn get(call: &mut Call<'_>) -> Answer {
    let path = call.text(0)?;
    let value = View::new(call.inside()).property(&path)?;
    call.give(2, &value)
}

/// What a module can see at this moment.
#[derive(Clone, Copy)]
struct View<'a> {
    inside: &'a Inside,
    world: &'a World,
    /// None in the VM's own context.
    plugin: Option<&'a Plugin>,
    /// The stream and its number, unless the module speaks for a root.
    stream: Option<(u64, &'a Stream)>,
}

impl<'a> View<'a> {
    fn new(inside: &'a Inside) -> Self {
        let context = inside.contexts.spoken_for();
        let root = inside.contexts.root(inside.contexts.root_of(context));
        let stream = inside.contexts.stream(context);
        Self {
            inside,
            world: &inside.process.world,
            plugin: root.map(|root| &*root.plugin),
            stream: stream.and_then(|id| Some((id.0, inside.process.streams.get(&id)?))),
        }
    }

    fn property(self, path: &[u8]) -> Result<Vec<u8>, Status> {
        if path.is_empty() {
            return Err(Status::SerializationFailure);
        }
        // An end after the last element is no empty element.
        let mut elements = path.strip_suffix(b"\0").unwrap_or(path).split(|byte| *byte == 0);
        let first = elements.next().unwrap_or_default();
        let mut value = self.top(first).ok_or(Status::NotFound)?;
        for element in elements {
            value = value.member(element, self).ok_or(Status::NotFound)?;
        }
        value.encode()
    }

    fn top(self, name: &[u8]) -> Option<Value<'a>> {
        if let Some(group) = Group::named(name) {
            return self.group(group);
        }
        match name {
            b"plugin_name" => Some(Value::text(&self.plugin?.name)),
            b"plugin_root_id" => Some(Value::text(&self.plugin?.root_id)),
            b"plugin_vm_id" => Some(Value::text(&self.inside.first.vm_id)),
            b"connection_id" => Some(around::connection_id(self.stream?.0)),
            name => {
                let state = &self.stream?.1.state;
                state.get(&filter_state::of_modules(name)).map(|state| Value::bytes(state))
            }
        }
    }

    /// A group of properties; all but one are about a stream.
    fn group(self, group: Group) -> Option<Value<'a>> {
        match (group, self.stream) {
            (Group::Xds, _) => Some(Value::Group(group)),
            (_, None) => None,
            (Group::Metadata, Some(_)) => Some(value::metadata(&self.world.topology.metadata)),
            (Group::UpstreamFilterState, Some((_, stream))) => {
                stream.info.connected.then_some(Value::Group(group))
            }
            (_, Some(_)) => Some(Value::Group(group)),
        }
    }

    /// A property of a group.
    fn member(self, group: Group, name: &[u8]) -> Option<Value<'a>> {
        if group == Group::Xds {
            return around::xds(self, name);
        }
        let (number, stream) = self.stream?;
        let topology = &self.world.topology;
        match group {
            Group::Request => exchange::request(stream, name),
            Group::Response => exchange::response(stream, name),
            Group::Connection => around::connection(number, name),
            Group::Upstream => around::upstream(self.world, number, stream, name),
            Group::Source => around::peer(stream.info.source?, name),
            Group::Destination => around::peer(topology.listener, name),
            Group::FilterState => {
                stream.state.get(name).and_then(|state| Value::state(name, state))
            }
            // Modules see that it is there, but nothing is ever in it.
            Group::UpstreamFilterState | Group::Metadata | Group::Xds => None,
        }
    }
}
