//! One line of the terminal, put together piece by piece and never wider than it.

use super::text::{cut, width};

/// How a piece looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    None,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Colour {
    /// As terminals know it.
    fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Cyan => "36",
        })
    }
}

/// A line in the making.
pub(super) struct Columns {
    colour: bool,
    /// The columns that are left, if there is an end to them.
    left: Option<usize>,
    text: String,
}

impl Columns {
    pub(super) fn new(colour: bool, width: Option<usize>) -> Self {
        Self { colour, left: width, text: String::new() }
    }

    /// Puts a piece that is safe to be shown; what does not fit is cut off.
    pub(super) fn put(&mut self, colour: Colour, piece: &str) {
        let fitting = match self.left {
            Some(left) => cut(piece, left),
            None => piece.to_owned(),
        };
        self.left = self.left.map(|left| left.saturating_sub(width(&fitting)));
        match colour.code().filter(|_| self.colour && !fitting.trim().is_empty()) {
            Some(code) => self.text.extend(["\x1b[", code, "m", &fitting, "\x1b[0m"]),
            None => self.text.push_str(&fitting),
        }
    }

    /// Puts a piece into a column of this width, with two blanks behind it.
    pub(super) fn pad(&mut self, colour: Colour, piece: &str, column: usize) {
        let piece = cut(piece, column);
        let blanks = column - width(&piece) + 2;
        self.put(colour, &piece);
        self.put(Colour::None, &" ".repeat(blanks));
    }

    /// Writes the line.
    pub(super) fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.trim_end().as_bytes());
        out.push(b'\n');
    }
}
