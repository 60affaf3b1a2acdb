//! Writing at the pace of the proxy: what is written next is not read together with what was
//! written before.

use std::fs;
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

use sightline_cli::wait;

/// How long a proxy may take to read. One that reads no more has stopped on purpose.
const LIMIT: Duration = Duration::from_millis(300);

/// Lets this much time pass.
pub(super) fn pass(time: Duration) {
    // There is nothing to wait for but the time itself.
    let _ = wait::until("time to pass", time, || None::<()>);
}

/// Waits until the other side, which is on this machine, has read all that was written.
pub(super) fn until_read(connection: &TcpStream) {
    let (Ok(ours), Ok(theirs)) = (connection.local_addr(), connection.peer_addr()) else {
        return;
    };
    let mut looks = 0;
    // Seen twice, because a proxy reads until there is no more, and may be between two reads.
    let _ = wait::until("the proxy to read", LIMIT, || {
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        looks = if has_unread(&table, theirs, ours) { 0 } else { looks + 1 };
        (looks == 2).then_some(())
    });
}

/// Whether the socket that is bound here and connected there has bytes that nobody has read.
fn has_unread(table: &str, bound: SocketAddr, connected: SocketAddr) -> bool {
    let (Some(bound), Some(connected)) = (as_in_table(bound), as_in_table(connected)) else {
        return false;
    };
    let queues = table.lines().find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let is_it = columns.next()? == bound && columns.next()? == connected;
        is_it.then(|| columns.nth(1)).flatten()
    });
    queues
        .and_then(|queues| queues.split_once(':'))
        .is_some_and(|(_, unread)| unread.bytes().any(|digit| digit != b'0'))
}

fn as_in_table(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let [a, b, c, d] = SocketAddrV4::ip(&address).octets();
    Some(format!("{d:02X}{c:02X}{b:02X}{a:02X}:{:04X}", address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    #[test]
    fn what_is_unread_is_seen() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut theirs, _) = listener.accept().unwrap();
        let (ours_at, theirs_at) = (ours.local_addr().unwrap(), theirs.local_addr().unwrap());
        let unread =
            || has_unread(&fs::read_to_string("/proc/net/tcp").unwrap(), theirs_at, ours_at);
        assert!(!unread());
        ours.write_all(b"hi").unwrap();
        wait::until("the bytes to arrive", LIMIT, || unread().then_some(())).unwrap();
        theirs.read_exact(&mut [0; 2]).unwrap();
        assert!(!unread());
        until_read(&ours);
    }
}
