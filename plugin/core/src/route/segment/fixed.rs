//! Identifiers of a fixed format.

use super::Kind;
use super::date::is_date;
use super::scan::Scan;

/// A segment of letters, digits and joints.
pub(super) fn plain(segment: &[u8], scan: &Scan) -> Option<Kind> {
    if is_uuid(segment) {
        return Some(Kind::Uuid);
    }
    if scan.joints == 0 {
        return solid(segment, scan);
    }
    if is_date(segment) {
        return Some(Kind::Date);
    }
    if is_ipv4(segment) {
        return Some(Kind::Ip);
    }
    if is_number(segment) {
        return Some(Kind::Int);
    }
    (is_jwt(segment) || is_long_token(segment, scan)).then_some(Kind::Token)
}

/// A segment of letters and digits alone.
fn solid(segment: &[u8], scan: &Scan) -> Option<Kind> {
    if scan.digits == 0 {
        return None;
    }
    if is_ulid(segment, scan) {
        return Some(Kind::Ulid);
    }
    if is_prefixed_hex(segment) {
        return Some(Kind::Hex);
    }
    if is_date(segment) {
        return Some(Kind::Date);
    }
    if scan.is_all_hex() && is_hex(scan) {
        return Some(Kind::Hex);
    }
    None
}

/// Hexadecimal digits that make no word. Short ones must look the part: `feed12` is a word with a number.
fn is_hex(scan: &Scan) -> bool {
    match scan.length() {
        8.. => true,
        6..=7 => scan.digit_runs > 1 || scan.digits > 2,
        _ => false,
    }
}

/// A segment with other characters than letters, digits and joints; escapes are decoded.
pub(super) fn punctuated(segment: &[u8], scan: &Scan) -> Option<Kind> {
    let braced = segment.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    if is_uuid(braced.unwrap_or(segment)) || segment.strip_prefix(b"urn:uuid:").is_some_and(is_uuid)
    {
        return Some(Kind::Uuid);
    }
    if is_email(segment) {
        return Some(Kind::Email);
    }
    if is_date(segment) {
        return Some(Kind::Date);
    }
    if is_address(segment) {
        return Some(Kind::Ip);
    }
    let unsigned = segment.strip_prefix(b"+").or_else(|| segment.strip_prefix(b"-"));
    if unsigned.is_some_and(is_number) {
        return Some(Kind::Int);
    }
    is_padded_base64(segment, scan).then_some(Kind::Token)
}

/// A segment that is longer than any word.
pub(super) fn long(segment: &[u8], scan: &Scan) -> Option<Kind> {
    if scan.is_all_digits() {
        return Some(Kind::Int);
    }
    if (scan.is_all_hex() && scan.digits > 0) || is_prefixed_hex(segment) {
        return Some(Kind::Hex);
    }
    let random = scan.others == 0
        && scan.digit_runs > 3
        && scan.joints * 8 < segment.len()
        && !has_prefix(segment);
    (is_jwt(segment) || random || is_padded_base64(segment, scan)).then_some(Kind::Token)
}

/// Thirty-two hexadecimal digits in five groups.
pub(super) fn is_uuid(bytes: &[u8]) -> bool {
    const JOINTS: [usize; 4] = [8, 13, 18, 23];
    bytes.len() == 36
        && JOINTS.iter().all(|&at| bytes.get(at) == Some(&b'-'))
        && bytes.iter().filter(|byte| !byte.is_ascii_hexdigit()).count() == JOINTS.len()
}

fn is_ulid(segment: &[u8], scan: &Scan) -> bool {
    let crockford = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            && !matches!(byte.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U')
    };
    segment.len() == 26
        && (scan.upper == 0 || scan.lower == 0)
        && matches!(segment, [b'0'..=b'7', ..])
        && segment.iter().all(crockford)
}

fn is_prefixed_hex(segment: &[u8]) -> bool {
    match segment {
        [b'0', b'x' | b'X', digits @ ..] => {
            !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
        }
        _ => false,
    }
}

/// Digits with a sign or a fraction.
fn is_number(bytes: &[u8]) -> bool {
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let mut halves = unsigned.splitn(2, |&byte| byte == b'.');
    let is_digits = |half: &[u8]| !half.is_empty() && half.iter().all(u8::is_ascii_digit);
    halves.all(is_digits)
}

/// A JSON Web Token or its like: parts in base64, the first of which is an object.
fn is_jwt(segment: &[u8]) -> bool {
    segment.starts_with(b"eyJ") && segment.len() > 16 && segment.contains(&b'.')
}

/// Base64 for URLs: long, of both cases and digits, and with no word in front as prefixed ids have.
fn is_long_token(segment: &[u8], scan: &Scan) -> bool {
    let mixed = scan.lower > 1 && scan.upper > 1 && scan.digit_runs > 1;
    !segment.contains(&b'.')
        && segment.len() >= 16
        && mixed
        && !has_prefix(segment)
        && scan.joints <= 3
        && scan.switches * 3 >= segment.len()
}

/// Whether a word is joined to the front, as in `cus_NffrFeUfNV2Hib`.
fn has_prefix(segment: &[u8]) -> bool {
    let joint = segment.iter().position(|byte| b"-_.".contains(byte));
    let first = joint.and_then(|joint| segment.get(..joint)).unwrap_or_default();
    // A nanoid may begin with letters and a joint. It is told by its length.
    let is_nanoid = segment.len() == 21 && !first.iter().all(u8::is_ascii_lowercase);
    !first.is_empty() && first.iter().all(u8::is_ascii_alphabetic) && !is_nanoid
}

fn is_padded_base64(segment: &[u8], scan: &Scan) -> bool {
    let unpadded = segment.trim_ascii_end();
    let unpadded = unpadded.strip_suffix(b"==").or_else(|| unpadded.strip_suffix(b"="));
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    scan.letters() > 0 && unpadded.is_some_and(|rest| rest.len() >= 6 && rest.iter().all(is_base64))
}

fn is_email(bytes: &[u8]) -> bool {
    let mut halves = bytes.splitn(2, |&byte| byte == b'@');
    let (Some(local), Some(domain)) = (halves.next(), halves.next()) else { return false };
    let is_local =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte);
    let is_domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    // `tile@2x.png` is a picture for screens of twice the density.
    let is_density = matches!(domain, [b'1'..=b'9', b'x', b'.', ..]);
    !local.is_empty()
        && !is_density
        && local.iter().all(is_local)
        && domain.iter().all(is_domain)
        && domain
            .iter()
            .position(|&byte| byte == b'.')
            .is_some_and(|dot| dot > 0 && dot + 2 < domain.len())
}

/// An address, perhaps with the length of a network's prefix.
fn is_address(bytes: &[u8]) -> bool {
    let mut halves = bytes.splitn(2, |&byte| byte == b'/');
    let address = halves.next().unwrap_or_default();
    let is_length =
        |length: &[u8]| (1..=3).contains(&length.len()) && length.iter().all(u8::is_ascii_digit);
    let bare = address.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    halves.next().is_none_or(is_length) && (is_ipv4(address) || is_ipv6(bare.unwrap_or(address)))
}

fn is_ipv4(bytes: &[u8]) -> bool {
    bytes.len() <= 15
        && std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<std::net::Ipv4Addr>().is_ok())
}

fn is_ipv6(bytes: &[u8]) -> bool {
    bytes.len() <= 45
        && std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}
