//! The `traceparent` header of W3C Trace Context, level 2, read strictly.
//!
//! ```text
//! 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//! ^version        ^trace ID             ^parent ID      ^flags
//! ```

use super::{SpanId, TraceId, hex};

const LENGTH: usize = 55;

/// What a valid header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace.
    pub trace_id: TraceId,
    /// The span that sent the header.
    pub span_id: SpanId,
    /// What it says of the trace.
    pub flags: Flags,
}

/// The flags that level 2 defines; all others are read as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

/// Why a header is not a traceparent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Version 00 with anything but 55 characters, or a later one with fewer, or with more that do
    /// not begin with a dash.
    Length,
    /// A dash is not where it must be.
    Separator,
    /// Not two lower-case digits, or `ff`, which is forbidden.
    Version,
    /// Not 32 lower-case digits, or all zeros.
    TraceId,
    /// Not 16 lower-case digits, or all zeros.
    SpanId,
    /// Not two lower-case digits.
    Flags,
}

impl Traceparent {
    /// Reads a header's value. White space around it belongs to HTTP and is passed over.
    ///
    /// A later version is read as far as version 00 goes, as the standard asks.
    pub fn parse(value: &[u8]) -> Result<Self, Invalid> {
        let value = value.trim_ascii();
        let (known, rest) = value.split_at_checked(LENGTH).ok_or(Invalid::Length)?;
        let (version, known) = field::<2>(known)?;
        let (trace_id, known) = field::<32>(known)?;
        let (span_id, known) = field::<16>(known)?;

        let [version] = hex::decode(version).filter(|&it| it != [0xff]).ok_or(Invalid::Version)?;
        if !(rest.is_empty() || version != 0 && rest.starts_with(b"-")) {
            return Err(Invalid::Length);
        }
        let [flags] = hex::decode(known).ok_or(Invalid::Flags)?;
        Ok(Self {
            trace_id: TraceId::from_hex(trace_id).ok_or(Invalid::TraceId)?,
            span_id: SpanId::from_hex(span_id).ok_or(Invalid::SpanId)?,
            flags: Flags(flags & (Flags::SAMPLED.0 | Flags::RANDOM.0)),
        })
    }

    /// The header's value, in version 00.
    pub fn to_header(self) -> [u8; LENGTH] {
        let mut header = *b"00-00000000000000000000000000000000-0000000000000000-00";
        let parts: [(usize, &[u8]); 3] = [
            (3, &self.trace_id.to_hex()),
            (36, &self.span_id.to_hex()),
            (53, &self.flags.to_hex()),
        ];
        for (offset, text) in parts {
            for (place, &character) in header.iter_mut().skip(offset).zip(text) {
                *place = character;
            }
        }
        header
    }
}

impl Flags {
    /// The trace is recorded by whoever sent the header.
    pub const SAMPLED: Self = Self(0x01);
    /// The trace ID's last seven bytes are random.
    pub const RANDOM: Self = Self(0x02);

    /// Whether the trace is recorded.
    pub fn is_sampled(self) -> bool {
        self.0 & Self::SAMPLED.0 != 0
    }

    /// The same, with the trace recorded or not.
    #[must_use]
    pub fn with_sampled(self, sampled: bool) -> Self {
        Self(self.0 & !Self::SAMPLED.0 | u8::from(sampled))
    }

    /// As a number.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The two digits.
    pub fn to_hex(self) -> [u8; 2] {
        let mut text = [0; 2];
        hex::encode(&[self.0], &mut text);
        text
    }
}

/// Splits off `N` characters and the dash behind them.
fn field<const N: usize>(text: &[u8]) -> Result<(&[u8], &[u8]), Invalid> {
    let (field, rest) = text.split_at_checked(N).ok_or(Invalid::Length)?;
    Ok((field, rest.strip_prefix(b"-").ok_or(Invalid::Separator)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn reads_what_is_valid() {
        let table = [
            ("sampled", format!("00-{TRACE}-{SPAN}-01"), "01"),
            ("not sampled", format!("00-{TRACE}-{SPAN}-00"), "00"),
            ("random", format!("00-{TRACE}-{SPAN}-03"), "03"),
            ("unknown flags are dropped", format!("00-{TRACE}-{SPAN}-ff"), "03"),
            ("white space around", format!(" \t00-{TRACE}-{SPAN}-01 "), "01"),
            ("a later version", format!("cc-{TRACE}-{SPAN}-01"), "01"),
            ("a later version with more", format!("cc-{TRACE}-{SPAN}-01-what-comes"), "01"),
        ];
        for (name, header, flags) in table {
            let parsed =
                Traceparent::parse(header.as_bytes()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            let expected = format!("00-{TRACE}-{SPAN}-{flags}");
            assert_eq!(String::from_utf8_lossy(&parsed.to_header()), expected, "{name}");
        }
    }

    #[test]
    fn refuses_what_is_not() {
        let zeros = "0".repeat(32);
        let table = [
            ("empty", String::new(), Invalid::Length),
            ("too short", format!("00-{TRACE}-{SPAN}-0"), Invalid::Length),
            ("version 00 with more", format!("00-{TRACE}-{SPAN}-01-x"), Invalid::Length),
            ("version 00 with a dot", format!("00-{TRACE}-{SPAN}-01."), Invalid::Length),
            ("a later version with a dot", format!("cc-{TRACE}-{SPAN}-01.x"), Invalid::Length),
            ("the forbidden version", format!("ff-{TRACE}-{SPAN}-01"), Invalid::Version),
            ("a version that is no number", format!("0x-{TRACE}-{SPAN}-01"), Invalid::Version),
            ("an upper-case version", format!("CC-{TRACE}-{SPAN}-01"), Invalid::Version),
            (
                "an upper-case trace ID",
                format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
                Invalid::TraceId,
            ),
            (
                "an upper-case span ID",
                format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
                Invalid::SpanId,
            ),
            ("no trace", format!("00-{zeros}-{SPAN}-01"), Invalid::TraceId),
            ("no span", format!("00-{TRACE}-{}-01", "0".repeat(16)), Invalid::SpanId),
            ("flags that are no number", format!("00-{TRACE}-{SPAN}-0x"), Invalid::Flags),
            ("underscores", format!("00_{TRACE}_{SPAN}_01"), Invalid::Separator),
            ("a long trace ID", format!("00-{TRACE}0-{SPAN}-01"), Invalid::Separator),
            (
                "two headers joined",
                format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"),
                Invalid::Length,
            ),
        ];
        for (name, header, expected) in table {
            assert_eq!(Traceparent::parse(header.as_bytes()), Err(expected), "{name}: {header}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(trace in any::<[u8; 16]>(), span in any::<[u8; 8]>(), flags in 0_u8..4) {
            let (Some(trace_id), Some(span_id)) = (TraceId::from_bytes(trace), SpanId::from_bytes(span)) else {
                return Ok(());
            };
            let traceparent = Traceparent { trace_id, span_id, flags: Flags(flags) };
            prop_assert_eq!(Traceparent::parse(&traceparent.to_header()), Ok(traceparent));
        }

        #[test]
        fn nothing_makes_it_panic(value in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Traceparent::parse(&value);
        }

        #[test]
        fn one_wrong_character_is_never_read_as_something_else(at in 0_usize..55, with in any::<u8>()) {
            let good = format!("00-{TRACE}-{SPAN}-01").into_bytes();
            let mut header = good.clone();
            header[at] = with;
            if let Ok(read) = Traceparent::parse(&header) {
                // What is accepted says what the header says, but for the version and the flags.
                prop_assert_eq!(&read.to_header()[3..52], &header[3..52]);
            }
        }
    }
}
