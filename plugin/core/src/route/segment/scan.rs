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
        let mut scan = Self::default();
        let mut before = None;
        let mut run = 0;
        let mut runs = 0;
        for &byte in bytes {
            let class = Class::of(byte);
            scan.count(byte, class);
            if before == Some(class) {
                run += 1;
                continue;
            }
            if let Some(before) = before {
                scan.switches += 1;
                // The first run may well be a single letter, as in `iPhone`.
                scan.end_of_run(before, run, runs > 0);
                runs += 1;
            }
            scan.digit_runs += usize::from(class == Class::Digit);
            before = Some(class);
            run = 1;
        }
        scan
    }

    fn count(&mut self, byte: u8, class: Class) {
        match class {
            Class::Lower => self.lower += 1,
            Class::Upper => self.upper += 1,
            Class::Digit => self.digits += 1,
            Class::Joint => self.joints += 1,
            Class::Other => self.others += 1,
        }
        self.hex_letters += usize::from(matches!(byte, b'a'..=b'f' | b'A'..=b'F'));
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
