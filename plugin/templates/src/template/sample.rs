//! A path that a template matches. For tests, and to show people what a template means.

use super::language::{Language, Rest};
use super::numbers::{Float, Int};
use super::uuid::UuidForm;
use super::{Piece, Template};

/// How often a pattern is asked again when it gave a segment that paths do not have.
const TRIES: u32 = 32;

/// What stands in a path as it is; all else is percent-encoded.
const PLAIN: &[u8] = b"-._~!$&'()*+,;=:@";

impl Template {
    /// A path that it matches; another seed gives perhaps another one.
    pub fn sample(&self, seed: u64) -> String {
        let mut dice = Dice(seed);
        let mut path = Vec::from(*b"/");
        for piece in &self.pieces {
            match piece {
                Piece::Slash => path.push(b'/'),
                Piece::Literal(literal) => path.extend(encoded(literal)),
                Piece::Param(param) => path.extend(param.language.sample(&mut dice)),
            }
        }
        String::from_utf8_lossy(&path).into_owned()
    }
}

impl Language {
    /// Something that it takes, as it stands in a path.
    fn sample(&self, dice: &mut Dice) -> Vec<u8> {
        let text = match self {
            Self::AnyOf(items) => {
                items.get(dice.below(items.len())).cloned().unwrap_or_default().into()
            }
            Self::Uuid(form) => uuid(*form, dice),
            Self::Int(int) => whole(int, dice),
            Self::Float(float) => decimal(float, dice),
            Self::Inline(inline) => {
                let usual = |text: &Vec<u8>| !matches!(text.as_slice(), b"" | b"." | b"..");
                (0..TRIES)
                    .find_map(|_| inline.pattern().sample(|n| dice.below(n)).filter(usual))
                    .unwrap_or_default()
            }
            Self::Slug | Self::Free => dice.word(1, 10),
            Self::Text { least, most } => {
                dice.word(*least, most.unwrap_or(u32::MAX).min(least.saturating_add(8)))
            }
            Self::Rest(Rest::NoSlashFirst | Rest::Some | Rest::Empty | Rest::Any) => {
                let segments: Vec<_> = (0..=dice.below(3)).map(|_| dice.word(1, 10)).collect();
                return segments.join(&b'/');
            }
        };
        encoded(&text).collect()
    }
}

fn uuid(form: UuidForm, dice: &mut Dice) -> Vec<u8> {
    let hyphens = form != UuidForm::Loose || dice.below(2) == 0;
    let upper = form != UuidForm::Lower && dice.below(2) == 0;
    let digits: Vec<_> = (0..32).map(|_| dice.one_of(b"0123456789abcdef")).collect();
    let digits = if upper { digits.to_ascii_uppercase() } else { digits };
    let mut text = Vec::new();
    for (index, digit) in digits.into_iter().enumerate() {
        if hyphens && matches!(index, 8 | 12 | 16 | 20) {
            text.push(b'-');
        }
        text.push(digit);
    }
    text
}

fn whole(int: &Int, dice: &mut Dice) -> Vec<u8> {
    let (least, most) = int.range();
    let most = most.min(least.saturating_add(999_999));
    let count = usize::try_from(most - least).unwrap_or(0) + 1;
    let value = least + i128::try_from(dice.below(count)).unwrap_or(0);
    let width = int.width.unwrap_or(0) as usize;
    // The width counts the minus, as Werkzeug does and as the formatter does.
    format!("{value:0width$}").into_bytes()
}

fn decimal(float: &Float, dice: &mut Dice) -> Vec<u8> {
    let (least, most) = match (float.min, float.max) {
        (Some(min), Some(max)) => (min.value(), max.value()),
        (Some(min), None) => (min.value(), min.value() + 1_000.0),
        (None, Some(max)) => ((max.value() - 1_000.0).min(0.0), max.value()),
        (None, None) => (0.0, 1_000.0),
    };
    let least = if float.signed { least } else { least.max(0.0) };
    let share = f64::from(u32::try_from(dice.below(1_001)).unwrap_or(0)) / 1_000.0;
    let value = (least + (most - least) * share).clamp(least, most.max(least));
    let text = value.to_string();
    let point = if text.contains('.') { "" } else { ".0" };
    format!("{text}{point}").into_bytes()
}

/// As it stands in a path.
fn encoded(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|&byte| {
        let plain = byte.is_ascii_alphanumeric() || PLAIN.contains(&byte);
        if plain { vec![byte] } else { format!("%{byte:02X}").into_bytes() }
    })
}

/// Small numbers that a seed determines: `SplitMix64`, which needs no more seed than one number.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // Modulo is not fair, and nobody minds.
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0) % count.max(1)
    }

    fn one_of(&mut self, bytes: &[u8]) -> u8 {
        bytes.get(self.below(bytes.len())).copied().unwrap_or(b'0')
    }

    /// Letters and digits, the first a letter.
    fn word(&mut self, least: u32, most: u32) -> Vec<u8> {
        let length = least as usize + self.below((most.saturating_sub(least)) as usize + 1);
        (0..length)
            .map(|at| {
                self.one_of(if at == 0 { b"abcdefgh" } else { b"abcdefghijklmnop0123456789" })
            })
            .collect()
    }
}
