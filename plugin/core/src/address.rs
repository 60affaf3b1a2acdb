//! Who sent a request: the address of the connection, or what proxies before us say.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::time::write_number;

/// The client's address, by `x-forwarded-for` without the entries of so many trusted proxies, else by the
/// connection. An entry that is no address says nothing, and neither does anything left of it.
pub(crate) fn client(
    forwarded_for: &[u8],
    hops: usize,
    peer: Option<SocketAddr>,
) -> Option<IpAddr> {
    let entry = forwarded_for.rsplit(|&byte| byte == b',').nth(hops);
    entry.and_then(address).or(peer.map(|peer| peer.ip()))
}

/// The address and the port of a connection, as a host writes them: `192.0.2.1:80`, `[2001:db8::1]:80`.
pub(crate) fn peer(text: &[u8]) -> Option<SocketAddr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A host, and the port behind it.
pub(crate) fn split_port(authority: &[u8]) -> (&[u8], Option<u16>) {
    let colon = authority.iter().rposition(|&byte| byte == b':');
    let split = colon.and_then(|at| authority.split_at_checked(at));
    let Some((host, port)) = split else { return (authority, None) };
    match crate::head::number(port.strip_prefix(b":").unwrap_or_default()) {
        Some(port) => (host, Some(port)),
        None => (authority, None),
    }
}

/// Writes an address as people do. Those of four numbers, which are most, without the standard library's formatting.
pub(crate) fn write(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => {
            for (place, number) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                write_number(number.into(), out);
            }
        }
        // Writing into a vector does not fail.
        IpAddr::V6(address) => _ = write!(out, "{address}"),
    }
}

/// An address that proxies write, with or without a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = text.trim_ascii();
    if let Some(address) = four_numbers(text) {
        return Some(address.into());
    }
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

/// The address that nearly all have, `192.0.2.1`: the standard library's parser would cost a fifth of a line.
fn four_numbers(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut address, mut number, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for &byte in text {
        match byte {
            b'0'..=b'9' if digits < 3 && (digits == 0 || number > 0) => {
                number = number * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && dots < 3 && number < 256 => {
                address = address << 8 | number;
                (number, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
    }
    let is_whole = dots == 3 && digits > 0 && number < 256;
    is_whole.then(|| Ipv4Addr::from_bits(address << 8 | number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_found_behind_trusted_proxies() {
        let connection = Some("10.0.0.9:4711".parse().unwrap());
        let table: [(&str, usize, &str); 11] = [
            ("192.0.2.1", 0, "192.0.2.1"),
            ("192.0.2.1, 198.51.100.7", 0, "198.51.100.7"),
            ("192.0.2.1, 198.51.100.7", 1, "192.0.2.1"),
            ("192.0.2.1, 198.51.100.7", 2, "10.0.0.9"),
            ("", 0, "10.0.0.9"),
            ("192.0.2.1:8080", 0, "192.0.2.1"),
            ("2001:db8::1", 0, "2001:db8::1"),
            ("[2001:db8::1]", 0, "2001:db8::1"),
            ("[2001:db8::1]:443", 0, "2001:db8::1"),
            ("unknown", 0, "10.0.0.9"),
            ("<script>,192.0.2.1", 1, "10.0.0.9"),
        ];
        for (header, hops, expected) in table {
            let found = client(header.as_bytes(), hops, connection).unwrap();
            assert_eq!(found.to_string(), expected, "{header} {hops}");
        }
        assert_eq!(client(b"\xff", 0, None), None);
    }

    #[test]
    fn a_connection_has_an_address_and_a_port() {
        for (text, found) in [
            ("192.0.2.1:80", true),
            ("[::1]:80", true),
            ("192.0.2.1", false),
            ("@path", false),
            ("", false),
        ] {
            assert_eq!(peer(text.as_bytes()).is_some(), found, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn four_numbers_are_read_as_the_standard_library_reads_them(
            text in "[0-9]{1,4}(\\.[0-9]{0,3}){2,4}|[0-9.:a]{0,16}",
        ) {
            proptest::prop_assert_eq!(four_numbers(text.as_bytes()), text.parse().ok());
        }
    }
}
