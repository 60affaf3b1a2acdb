//! How a module names where a call of gRPC goes: as Envoy's `GrpcService`, or else as the name of a
//! cluster.
//!
//! Envoy first tries the bytes as protobuf, and there are names that are protobuf by chance; those
//! name no cluster. So this reads as much of protobuf as that decision needs, and no more.

/// Where a call goes, and what it brings along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) target: Target,
    /// Names and values, in their order.
    pub(crate) metadata: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Who makes the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nobody said, and then Envoy ends.
    #[default]
    Unsaid,
    /// Envoy's own client.
    Envoy { cluster: String, authority: String },
    /// Google's client, which calls an address and no cluster.
    Google,
}

/// One field of a message: its number and what it holds.
type Field<'a> = (u32, Value<'a>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    Bytes(&'a [u8]),
    /// A number, or a group of fields; nothing here reads them.
    Other,
}

/// How deep groups may be in each other.
const MOST_DEPTH: u32 = 100;

impl Service {
    /// What these bytes mean if they are a `GrpcService`; `None` if they are none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut service = Self::default();
        for field in fields(bytes)? {
            match field {
                (1, Value::Bytes(envoy)) => service.aim_at_cluster(envoy)?,
                (2, Value::Bytes(google)) => {
                    fields(google)?;
                    service.target = Target::Google;
                }
                (5, Value::Bytes(header)) => service.metadata.push(read_header(header)?),
                // A time and a policy, which Envoy does not heed here.
                (3 | 6, Value::Bytes(other)) => drop(fields(other)?),
                _ => {}
            }
        }
        Some(service)
    }

    /// A second one adds to the first.
    fn aim_at_cluster(&mut self, envoy: &[u8]) -> Option<()> {
        let (mut cluster, mut authority) = match std::mem::take(&mut self.target) {
            Target::Envoy { cluster, authority } => (cluster, authority),
            _ => <(String, String)>::default(),
        };
        for field in fields(envoy)? {
            match field {
                (1, Value::Bytes(name)) => cluster = text(name)?,
                (2, Value::Bytes(name)) => authority = text(name)?,
                (3 | 4, Value::Bytes(other)) => drop(fields(other)?),
                _ => {}
            }
        }
        self.target = Target::Envoy { cluster, authority };
        Some(())
    }
}

fn read_header(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut name, mut value) = (String::new(), String::new());
    for field in fields(bytes)? {
        match field {
            (1, Value::Bytes(bytes)) => name = text(bytes)?,
            (2, Value::Bytes(bytes)) => value = text(bytes)?,
            _ => {}
        }
    }
    Some((name.into_bytes(), value.into_bytes()))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// All fields, if the bytes are a message at all.
fn fields(mut bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let (number, kind) = take_tag(&mut bytes)?;
        fields.push((number, take_value(&mut bytes, number, kind, 0)?));
    }
    Some(fields)
}

/// The field's number, and how its value is written.
fn take_tag(bytes: &mut &[u8]) -> Option<(u32, u32)> {
    let tag = u32::try_from(take_number(bytes)?).ok()?;
    (tag >= 8).then_some((tag >> 3, tag & 7))
}

fn take_value<'a>(bytes: &mut &'a [u8], number: u32, kind: u32, depth: u32) -> Option<Value<'a>> {
    match kind {
        0 => take_number(bytes).map(|_| Value::Other),
        1 => take(bytes, 8).map(|_| Value::Other),
        2 => {
            let length = usize::try_from(take_number(bytes)?).ok()?;
            take(bytes, length).map(Value::Bytes)
        }
        3 if depth < MOST_DEPTH => take_group(bytes, number, depth + 1).map(|()| Value::Other),
        5 => take(bytes, 4).map(|_| Value::Other),
        _ => None,
    }
}

/// Everything up to the end of the group with this number.
fn take_group(bytes: &mut &[u8], group: u32, depth: u32) -> Option<()> {
    loop {
        let (number, kind) = take_tag(bytes)?;
        if kind == 4 {
            return (number == group).then_some(());
        }
        take_value(bytes, number, kind, depth)?;
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Seven bits in each byte, and one that says whether there are more; at most ten bytes.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = *take(bytes, 1)?.first()?;
        number |= u64::from(byte & 0x7f) << (7 * place).min(63);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_name_a_service_if_they_are_protobuf() {
        let envoy = |cluster: &str, authority: &str| {
            let (cluster, authority) = (cluster.to_owned(), authority.to_owned());
            let target = Target::Envoy { cluster, authority };
            Some(Service { target, ..Service::default() })
        };
        let header = Service {
            metadata: vec![(b"a".into(), b"b".into())],
            ..envoy("g", "").unwrap_or_default()
        };
        let google = Service { target: Target::Google, ..Service::default() };
        let unsaid = Some(Service::default());
        let rows: [(&str, &[u8], Option<Service>); 14] = [
            ("a cluster", b"\x0a\x03\x0a\x01g", envoy("g", "")),
            ("a cluster and an authority", b"\x0a\x06\x0a\x01g\x12\x01h", envoy("g", "h")),
            ("twice", b"\x0a\x03\x12\x01h\x0a\x03\x0a\x01g", envoy("g", "h")),
            ("a header", b"\x0a\x03\x0a\x01g\x2a\x06\x0a\x01a\x12\x01b", Some(header)),
            ("another client", b"\x12\x00", Some(google)),
            ("nothing", b"", unsaid.clone()),
            ("a name that is a number in field 13", b"hi", unsaid.clone()),
            ("a name that is four bytes in field 12", b"email", unsaid.clone()),
            ("a name that is a group", b"cd", unsaid),
            ("a name with a field of no kind", b"otel", None),
            ("a name with a field that is too short", b"auth", None),
            ("a group without an end", b"c", None),
            ("a cluster that is no text", b"\x0a\x03\x0a\x01\xff", None),
            ("a field of number 0", b"\x02\x00", None),
        ];
        for (name, bytes, expected) in rows {
            assert_eq!(Service::read(bytes), expected, "{name}");
        }
    }
}
