//! The configuration that routes are asked of, with its meaning, or why there is none.
//!
//! Where in a file a problem stands is not told here.

use std::path::Path;
use std::{fmt, fs, io};

use sightline_core::config::{self, Problems, Settings, Value};

/// What stands for standard input where a file is named.
const STDIN: &str = "-";

/// Why there is no configuration.
#[derive(Debug)]
pub enum NotAConfiguration {
    /// The file cannot be read.
    Unreadable {
        /// Which, as it was named.
        file: String,
        /// And why.
        error: io::Error,
    },
    /// The text is no YAML, and so no JSON either.
    NotYaml(String),
    /// It is, and has problems.
    Wrong(Problems),
}

impl NotAConfiguration {
    /// What a command ends with: 1 where what is said is wrong, 2 where it cannot be read.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } => 2,
            Self::NotYaml(_) | Self::Wrong(_) => 1,
        }
    }
}

/// The text of a file, or of standard input if it is called `-`; nothing where no file is named.
pub fn read(file: Option<&Path>) -> Result<String, NotAConfiguration> {
    let text = match file {
        None => Ok(String::new()),
        Some(file) if file == Path::new(STDIN) => io::read_to_string(io::stdin()),
        Some(file) => fs::read_to_string(file),
    };
    let name = || file.map(|file| file.display().to_string()).unwrap_or_default();
    text.map_err(|error| NotAConfiguration::Unreadable { file: name(), error })
}

/// What a text means.
pub fn settings(text: &str) -> Result<Settings, NotAConfiguration> {
    parse(text).map(|(_, settings)| settings)
}

/// What a text says, and what that means.
pub(super) fn parse(text: &str) -> Result<(Value, Settings), NotAConfiguration> {
    let said = said(text)?;
    let settings = config::interpret(&said).map_err(NotAConfiguration::Wrong)?;
    Ok((said, settings))
}

/// What the configuration says, as a tree.
fn said(configuration: &str) -> Result<Value, NotAConfiguration> {
    let text = configuration.trim_start_matches('\u{feff}');
    // Nothing at all is no document to the parser.
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(is_blank) {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| NotAConfiguration::NotYaml(error.to_string()))
}

impl fmt::Display for NotAConfiguration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, error } => write!(
                f,
                "The configuration cannot be read: {file}: {error}. Name a file with --config, or - for standard input."
            ),
            Self::NotYaml(reason) => write!(f, "The configuration is no YAML: {reason}"),
            Self::Wrong(problems) => {
                f.write_str("The configuration is wrong:\n")?;
                problems.iter().try_for_each(|problem| writeln!(f, "  {problem}"))?;
                f.write_str("docs/configuration.md has every key.")
            }
        }
    }
}

impl std::error::Error for NotAConfiguration {}
