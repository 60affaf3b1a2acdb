//! What the frameworks' `uuid` converters take. They differ in the hyphens and in the case.

use crate::pattern::Expr;

/// A way of writing a UUID. The first is within the second, and that within the third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UuidForm {
    /// Django: lower case, with all hyphens.
    Lower,
    /// Werkzeug: any case, with all hyphens.
    Hyphens,
    /// Starlette: any case, each hyphen there or not.
    Loose,
}

/// How many digits each group has.
const GROUPS: [u32; 5] = [8, 4, 4, 4, 12];

impl UuidForm {
    /// Whether this is a UUID in this form.
    #[inline]
    pub(super) fn matches(self, segment: &[u8]) -> bool {
        let mut rest = segment;
        for (index, length) in GROUPS.into_iter().enumerate() {
            if index > 0 {
                match (rest.strip_prefix(b"-"), self) {
                    (Some(behind), _) => rest = behind,
                    (None, Self::Loose) => {}
                    (None, _) => return false,
                }
            }
            let Some((group, behind)) = rest.split_at_checked(length as usize) else {
                return false;
            };
            if !group.iter().all(|&byte| self.is_digit(byte)) {
                return false;
            }
            rest = behind;
        }
        rest.is_empty()
    }

    /// The same as a pattern.
    pub(super) fn expr(self) -> Expr {
        let hyphen = Expr::literal(b"-").repeat(u32::from(self != Self::Loose), Some(1));
        let mut parts = Vec::new();
        for (index, length) in GROUPS.into_iter().enumerate() {
            if index > 0 {
                parts.push(hyphen.clone());
            }
            parts.push(self.digit().repeat(length, Some(length)));
        }
        Expr::sequence(parts)
    }

    fn is_digit(self, byte: u8) -> bool {
        match self {
            Self::Lower => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Hyphens | Self::Loose => byte.is_ascii_hexdigit(),
        }
    }

    fn digit(self) -> Expr {
        match self {
            Self::Lower => Expr::class(&[(b'0', b'9'), (b'a', b'f')]),
            Self::Hyphens | Self::Loose => Expr::class(&[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')]),
        }
    }
}
