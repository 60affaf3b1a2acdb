//! Why a session did not start, or ended, in sentences.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::{error, fmt, io};

use sightline_core::config::Problems;

use super::Holder;
use crate::envoy::{Reason, StartError};

/// Why a session did not start, or ended.
#[derive(Debug)]
pub enum Failed {
    /// The filter would refuse the configuration.
    Refused(Problems),
    /// Another program listens there.
    Taken {
        /// Where.
        address: SocketAddr,
        /// What the user can say instead.
        flag: &'static str,
        /// Who it is, if that can be found out.
        holder: Option<Holder>,
    },
    /// Nobody listens there, and yet we cannot.
    Port {
        /// Where.
        address: SocketAddr,
        /// What the user can say instead.
        flag: &'static str,
        /// And why.
        error: io::Error,
    },
    /// A file or folder could not be used.
    File {
        /// Which.
        path: PathBuf,
        /// And why.
        error: io::Error,
    },
    /// Something else that the system refused.
    System {
        /// What was to be done, as in "reading Envoy's lines".
        what: &'static str,
        /// And why it was not.
        error: io::Error,
    },
    /// Envoy did not come up.
    Envoy(StartError),
    /// Envoy ended by itself.
    Died {
        /// How.
        status: ExitStatus,
        /// What its log tells about it.
        reason: Reason,
        /// Where that log is.
        log: PathBuf,
    },
}

impl Failed {
    pub(super) fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.to_owned(), error }
    }

    /// For an address that could not be listened at.
    pub(super) fn at(address: SocketAddr, flag: &'static str, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::AddrInUse {
            let holder = Holder::of(address);
            return Self::Taken { address, flag, holder };
        }
        Self::Port { address, flag, error }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problems) => {
                out.write_str("The configuration is wrong:")?;
                problems.iter().try_for_each(|problem| write!(out, "\n  {problem}"))?;
                out.write_str("\ndocs/configuration.md has every key.")
            }
            Self::Taken { address, flag, holder } => taken(out, *address, flag, holder.as_ref()),
            Self::Port { address, flag, error } => {
                write!(out, "{address} cannot be listened at: {error}. {}", advice(error, flag))
            }
            Self::File { path, error } => write!(out, "{}: {error}.", path.display()),
            Self::System { what, error } => write!(out, "{what} failed: {error}."),
            Self::Envoy(error) => error.fmt(out),
            Self::Died { status, reason, log } => {
                let log = log.display();
                write!(out, "Envoy ended by itself, {status}. {reason}\nAll of its log: {log}")
            }
        }
    }
}

impl error::Error for Failed {}

fn taken(
    out: &mut fmt::Formatter<'_>,
    address: SocketAddr,
    flag: &str,
    holder: Option<&Holder>,
) -> fmt::Result {
    write!(out, "{address} is taken by another program")?;
    if let Some(holder) = holder {
        write!(out, " ({holder})")?;
    }
    write!(out, "; end that one, or take another address with {flag}.")
}

fn advice(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("Ports below 1024 are often for root only: take a higher one with {flag}.")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("It is no address of this machine: take one that is, with {flag}.")
        }
        _ => format!("Take another with {flag}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_used_is_told_with_what_to_do() {
        let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
        for (kind, told) in [
            (io::ErrorKind::PermissionDenied, "take a higher one with --listen."),
            (io::ErrorKind::AddrNotAvailable, "no address of this machine"),
            (io::ErrorKind::OutOfMemory, "Take another with --listen."),
        ] {
            let failed = Failed::at(address, "--listen", kind.into()).to_string();
            assert!(failed.starts_with("127.0.0.1:80 cannot be listened at: "), "{failed}");
            assert!(failed.contains(told), "{failed}");
        }
    }

    #[test]
    fn who_has_the_address_is_told_as_far_as_it_is_known() {
        let address: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let taken = |holder| Failed::Taken { address, flag: "--page", holder }.to_string();
        assert_eq!(
            taken(None),
            "127.0.0.1:80 is taken by another program; end that one, or take another address with \
             --page."
        );
        let told = taken(Some(Holder { program: "uvicorn".to_owned(), process: 7 }));
        assert!(told.contains(" program (uvicorn, process 7); end"), "{told}");
    }
}
