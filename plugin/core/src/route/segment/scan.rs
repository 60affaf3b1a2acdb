//! One pass over a segment's bytes: what there is, and how often it changes.

/// Classes of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Lower,
    Upper,
    Digit,
    /// What joins words: `-`, `_`, `.`.
    Joint,
    Other,
}

/// What a run of bytes consists of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digits: usize,
    pub(super) joints: usize,
    pub(super) others: usize,
    /// Letters that are hexadecimal digits.
    pub(super) hex_letters: usize,
    /// Runs of digits.
    pub(super) digit_runs: usize,
    /// How often a byte is of another class than the one before it.
    pub(super) switches: usize,
    /// Lower-case letters that stand alone between other letters or digits. Names in mixed case have long
    /// runs of lower case; where chance chose, every second run is a single letter.
    pub(super) lone_lower: usize,
    /// Runs of lower case between other letters or digits.
    pub(super) inner_lower_runs: usize,
}

impl Class {
    pub(super) fn of(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' => Self::Lower,
            b'A'..=b'Z' => Self::Upper,
            b'0'..=b'9' => Self::Digit,
            b'-' | b'_' | b'.' => Self::Joint,
            _ => Self::Other,
        }
    }
}

impl Scan {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut scan = Self {
            hex_letters: bytes.iter().filter(|byte| is_hex_letter(**byte)).count(),
            ..Self::default()
        };
        let mut rest = runs(bytes).enumerate().peekable();
        while let Some((number, (class, run))) = rest.next() {
            scan.count(class, run.len());
            if rest.peek().is_some() {
                scan.switches += 1;
                // The first run may well be a single letter, as in `iPhone`.
                scan.end_of_run(class, run.len(), number > 0);
            }
        }
        scan
    }

    fn count(&mut self, class: Class, length: usize) {
        match class {
            Class::Lower => self.lower += length,
            Class::Upper => self.upper += length,
            Class::Digit => {
                self.digits += length;
                self.digit_runs += 1;
            }
            Class::Joint => self.joints += length,
            Class::Other => self.others += length,
        }
    }

    fn end_of_run(&mut self, class: Class, length: usize, inner: bool) {
        if inner && class == Class::Lower {
            self.inner_lower_runs += 1;
            self.lone_lower += usize::from(length == 1);
        }
    }

    pub(super) fn letters(&self) -> usize {
        self.lower + self.upper
    }

    pub(super) fn length(&self) -> usize {
        self.letters() + self.digits + self.joints + self.others
    }

    pub(super) fn is_all_letters(&self) -> bool {
        self.letters() == self.length()
    }

    pub(super) fn is_all_digits(&self) -> bool {
        self.digits == self.length()
    }

    pub(super) fn is_all_hex(&self) -> bool {
        self.hex_letters + self.digits == self.length()
    }

    /// Whether cases and digits change nearly at every byte.
    pub(super) fn is_restless(&self) -> bool {
        let places = self.length().saturating_sub(1);
        self.switches * 4 >= places * 3
    }

    /// Whether upper and lower case are mixed as names in mixed case are not.
    pub(super) fn has_random_case(&self) -> bool {
        self.upper > 1 && self.lone_lower > 1 && self.lone_lower * 2 >= self.inner_lower_runs
    }
}

/// Runs of bytes of one class.
pub(super) fn runs(mut bytes: &[u8]) -> impl Iterator<Item = (Class, &[u8])> {
    std::iter::from_fn(move || {
        let class = Class::of(*bytes.first()?);
        let end = bytes.iter().position(|&byte| Class::of(byte) != class).unwrap_or(bytes.len());
        let (run, rest) = bytes.split_at_checked(end)?;
        bytes = rest;
        Some((class, run))
    })
}

fn is_hex_letter(byte: u8) -> bool {
    matches!(byte, b'a'..=b'f' | b'A'..=b'F')
}
