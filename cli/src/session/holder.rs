//! Who listens on a port, as Linux tells it under `/proc`. Elsewhere nobody is found.

use std::net::SocketAddr;
use std::path::Path;
use std::{fmt, fs};

/// A program that listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its name.
    pub program: String,
    /// The number of its process.
    pub process: u32,
}

/// How `/proc/net/tcp` writes that a socket listens.
const LISTENING: &str = "0A";

impl Holder {
    /// Who listens on the port of this address; nobody if it is another user's, which is not shown.
    pub fn of(address: SocketAddr) -> Option<Self> {
        let sockets = sockets(address.port());
        let mut processes = fs::read_dir("/proc").ok()?.flatten();
        processes.find_map(|entry| {
            let process = entry.file_name().to_str()?.parse().ok()?;
            has_one(&entry.path(), &sockets)
                .then(|| Self { program: program(&entry.path()), process })
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, process {}", self.program, self.process)
    }
}

/// The links to sockets that listen on this port, as `/proc/PROCESS/fd` has them.
fn sockets(port: u16) -> Vec<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    tables.iter().flatten().flat_map(|table| listening(table, port)).collect()
}

fn listening(table: &str, port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&port) && *fields.get(3)? == LISTENING;
        is_it.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
    };
    table.lines().filter_map(of_line).collect()
}

fn has_one(process: &Path, sockets: &[String]) -> bool {
    let Ok(files) = fs::read_dir(process.join("fd")) else { return false };
    let mut targets = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
    targets.any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
}

fn program(process: &Path) -> String {
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.escape_debug().collect() }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn whoever_listens_is_found() {
        for address in ["127.0.0.1:0", "0.0.0.0:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let holder = Holder::of(listener.local_addr().unwrap()).unwrap();
            assert_eq!(holder.process, std::process::id());
        }
    }

    #[test]
    fn only_listeners_on_that_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1 0\n   \
             1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000 0 0 78 1 0\n   \
             2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 79 1 0\n   \
             3: cut\n";
        assert_eq!(listening(table, 8080), ["socket:[77]"]);
        assert_eq!(listening("", 8080), [""; 0]);
    }
}
