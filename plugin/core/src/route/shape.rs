//! A path as its parts: what is left of it when identifiers are named by their kind.

use super::segment::{Kind, Part};

/// The most parts that a path has here. What is behind becomes one `{str}`: deeper than this, nobody tells
/// routes apart.
pub const MOST_PARTS: usize = 16;

/// The parts of a path. Empty segments are none.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    parts: [Part<'a>; MOST_PARTS],
    length: usize,
}

impl<'a> Shape<'a> {
    /// The shape of a path as it is on the wire, without its query.
    pub fn of(path: &'a [u8]) -> Self {
        let mut shape = Self { parts: [Part::Kind(Kind::Str); MOST_PARTS], length: 0 };
        for segment in path.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty()) {
            let Some(part) = shape.parts.get_mut(shape.length) else {
                shape.end_in_str();
                break;
            };
            *part = Part::of(segment);
            shape.length += 1;
        }
        shape
    }

    /// The shape of a path of which only the beginning is known: its last part can be anything.
    pub fn of_beginning(path: &'a [u8]) -> Self {
        let mut shape = Self::of(path);
        shape.end_in_str();
        shape
    }

    /// The parts in their order.
    pub fn parts(&self) -> &[Part<'a>] {
        self.parts.get(..self.length).unwrap_or_default()
    }

    fn end_in_str(&mut self) {
        if let Some(last) = self.length.checked_sub(1).and_then(|last| self.parts.get_mut(last)) {
            *last = Part::Kind(Kind::Str);
        }
    }
}

/// The name of the route that these parts make.
pub fn name(parts: &[Part<'_>]) -> String {
    if parts.is_empty() {
        return "/".to_owned();
    }
    // Parts are ASCII: words are by their rules, and placeholders are.
    parts.iter().flat_map(|part| [b"/", part.as_bytes()].concat()).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn route(path: &str) -> String {
        name(Shape::of(path.as_bytes()).parts())
    }

    #[test]
    fn paths_have_shapes() {
        let deep = "/a".repeat(16);
        let deeper = "/a".repeat(17);
        let deepest = "/a".repeat(1_000);
        let cut = format!("{}/{{str}}", "/a".repeat(15));
        let table = [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/users/7/", "/users/{int}"),
            ("/users//123///posts", "/users/{int}/posts"),
            ("users", "/users"),
            ("*", "/{str}"),
            (&deep, &deep),
            (&deeper, &cut),
            (&deepest, &cut),
        ];
        for (path, expected) in table {
            assert_eq!(route(path), expected, "{path}");
        }
    }

    #[test]
    fn of_a_beginning_the_end_is_not_known() {
        assert_eq!(name(Shape::of_beginning(b"/users/al").parts()), "/users/{str}");
        assert_eq!(name(Shape::of_beginning(b"/").parts()), "/");
    }

    proptest! {
        #[test]
        fn inference_is_idempotent(path in "(/[ -.0-~]{0,24}){0,20}") {
            let once = route(&path);
            prop_assert_eq!(route(&once), once);
        }

        #[test]
        fn random_identifiers_of_a_kind_give_one_route(user in 0_u64.., order in any::<u128>(), hash in any::<[u8; 20]>()) {
            use std::fmt::Write as _;
            let uuid = format!("{order:032x}");
            let (a, b) = uuid.split_at(8);
            let (b, c) = b.split_at(4);
            let (c, d) = c.split_at(4);
            let (d, e) = d.split_at(4);
            let hex = hash.iter().fold(String::new(), |mut text, byte| { let _ = write!(text, "{byte:02x}"); text });
            let path = format!("/users/{user}/orders/{a}-{b}-{c}-{d}-{e}/blobs/{hex}");
            prop_assert_eq!(route(&path), "/users/{int}/orders/{uuid}/blobs/{hex}");
        }
    }
}
