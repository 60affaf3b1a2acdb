//! Why there is no configuration to go on with, in sentences that say what to do.

use std::path::Path;
use std::{error, fmt};

use super::{Checked, Own, Paint, Source, Unreadable};

/// Why there is no configuration.
#[derive(Debug)]
pub enum Refused {
    /// Its file cannot be read.
    Unreadable(Unreadable),
    /// It is no YAML, or has another meaning than intended, or none.
    Wrong(Box<Checked>),
}

impl Own {
    /// Reads a file, or standard input if it is called `-`; where none is named, all is as by default.
    pub fn read(file: Option<&Path>) -> Result<Self, Refused> {
        match file {
            None => Self::parse(""),
            Some(file) => Self::of(super::read(file).map_err(Refused::Unreadable)?),
        }
    }

    /// Reads YAML, and JSON as a part of it.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        Self::of(Source::new("<configuration>", text))
    }

    fn of(source: Source) -> Result<Self, Refused> {
        super::own(source).map_err(Refused::Wrong)
    }
}

impl Refused {
    /// What a command ends with: 1 where what was said is wrong, 2 where it cannot be read.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable(_) => 2,
            Self::Wrong(_) => 1,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(unreadable) => write!(
                f,
                "The configuration {unreadable} Name a file with --config, or - for standard input."
            ),
            Self::Wrong(checked) => {
                let findings = checked.tell_findings(Paint::Plain);
                write!(
                    f,
                    "The configuration is wrong:\n{findings}docs/configuration.md has every key."
                )
            }
        }
    }
}

impl error::Error for Refused {}
