//! A worker's VM that crashes when a client wants it to, without a word about it in the product's source.
//!
//! The finished module gets one more export, a callback that it does not have: the one for a request's
//! trailers. Its body is a trap. All else is byte for byte what users load.

use std::io::{self, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::json;
use sightline_cli::FILTER;
use sightline_cli::bootstrap::Bootstrap;
use tempfile::TempDir;

use crate::Message;

/// Called for the trailers of a request, with the context and their number.
const CALLBACK: &str = "proxy_on_request_trailers";
/// A request at which a worker crashes: one with trailers.
const TRIGGER: &[u8] = b"POST /crash HTTP/1.1\r\nhost: crash\r\ntransfer-encoding: chunked\r\n\r\n\
                         0\r\nx-crash: now\r\n\r\n";

/// `(i32, i32) -> i32`.
const TYPE: [u8; 6] = [0x60, 2, 0x7f, 0x7f, 1, 0x7f];
/// Its length, then no locals, `unreachable` and `end`.
const BODY: [u8; 4] = [3, 0, 0x00, 0x0b];
/// The kind of an export that is a function.
const FUNCTION_KIND: u8 = 0;

const HEADER: usize = 8;
/// The numbers of the sections that get one entry more, or are counted.
const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// The filter that crashes, as a file.
pub struct Crashing {
    path: PathBuf,
    // The file goes with it.
    _dir: TempDir,
}

impl Crashing {
    /// Written where Envoy can load it.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        let path = dir.path().join("crashing.wasm");
        std::fs::write(&path, with_trap(FILTER)).expect("a folder just made is writable");
        Self { path, _dir: dir }
    }

    /// Has it loaded instead of the filter, with this failure policy of Envoy's, and lets trailers through.
    pub fn put_into(&self, bootstrap: Bootstrap, policy: &str) -> Bootstrap {
        const MANAGER: &str =
            "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
        let code = json!({"local": {"filename": self.path.to_string_lossy()}});
        bootstrap.vm("code", code).patch(|document| {
            let manager = document.pointer_mut(MANAGER).expect("the template has it");
            manager["http_protocol_options"] = json!({"enable_trailers": true});
            let filters = manager["http_filters"].as_array_mut().into_iter().flatten();
            for ours in filters.filter(|filter| filter["name"] == "sightline") {
                ours["typed_config"]["config"]["failure_policy"] = json!(policy);
            }
        })
    }
}

impl Default for Crashing {
    fn default() -> Self {
        Self::new()
    }
}

/// Crashes the worker that has this connection, and reads what Envoy answers to that request. Whoever wants
/// a certain worker to crash has sent something over the connection before.
pub fn crash(connection: &mut TcpStream) -> io::Result<Message> {
    connection.write_all(TRIGGER)?;
    Message::read_response(&mut BufReader::new(connection))
}

/// The module with one export more, which traps.
fn with_trap(module: &[u8]) -> Vec<u8> {
    let sections: Vec<Section<'_>> = sections(&module[HEADER..]).collect();
    let count = |id| sections.iter().find(|it| it.id == id).map_or(0, |it| number(it.body).0);
    let new_type = count(TYPES);
    // All imports are functions; finishing sees to that.
    let new_function = count(IMPORTS) + count(FUNCTIONS);
    let mut out = module[..HEADER].to_vec();
    for section in &sections {
        let more = match section.id {
            TYPES => TYPE.to_vec(),
            FUNCTIONS => leb(new_type),
            EXPORTS => export(new_function),
            CODE => BODY.to_vec(),
            _ => Vec::new(),
        };
        out.extend(section.with(&more));
    }
    out
}

fn export(function: usize) -> Vec<u8> {
    [leb(CALLBACK.len()), CALLBACK.into(), vec![FUNCTION_KIND], leb(function)].concat()
}

struct Section<'a> {
    id: u8,
    body: &'a [u8],
}

impl Section<'_> {
    /// With one entry more at its end, unless that is empty.
    fn with(&self, entry: &[u8]) -> Vec<u8> {
        let body = if entry.is_empty() {
            self.body.to_vec()
        } else {
            let (count, rest) = number(self.body);
            [&leb(count + 1), rest, entry].concat()
        };
        [vec![self.id], leb(body.len()), body].concat()
    }
}

fn sections(mut rest: &[u8]) -> impl Iterator<Item = Section<'_>> {
    std::iter::from_fn(move || {
        let (&id, after) = rest.split_first()?;
        let (size, after) = number(after);
        let (body, after) = after.split_at(size);
        rest = after;
        Some(Section { id, body })
    })
}

/// A number in front, and what follows it.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let length = 1 + bytes.iter().take_while(|&&byte| byte & 0x80 != 0).count();
    let (number, rest) = bytes.split_at(length);
    let digits = number.iter().rev().map(|&byte| usize::from(byte & 0x7f));
    (digits.fold(0, |sum, digit| sum << 7 | digit), rest)
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(module: &[u8]) -> Vec<(u8, &[u8])> {
        sections(&module[HEADER..]).map(|section| (section.id, section.body)).collect()
    }

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for value in [0, 1, 127, 128, 300, 16_384, 1_000_000] {
            let written = [leb(value), vec![0xff]].concat();
            assert_eq!(number(&written), (value, &[0xff][..]), "{value}");
        }
    }

    #[test]
    fn it_is_a_sound_module() {
        wasmparser::validate(&with_trap(FILTER)).unwrap();
    }

    #[test]
    fn all_but_one_entry_of_four_sections_is_as_it_was() {
        let crashing = with_trap(FILTER);
        let (before, after) = (read(FILTER), read(&crashing));
        assert_eq!(before.len(), after.len());
        for ((id, before), (same, after)) in before.into_iter().zip(after) {
            assert_eq!(id, same);
            if [TYPES, FUNCTIONS, EXPORTS, CODE].contains(&id) {
                let ((count, before), (more, after)) = (number(before), number(after));
                assert_eq!(more, count + 1, "section {id}");
                assert!(after.starts_with(before), "section {id}");
            } else {
                assert_eq!(before, after, "section {id}");
            }
        }
    }
}
