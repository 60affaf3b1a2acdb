//! Replaces the configuration of the first plugin in a running Envoy.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use serde_json::Value;
use sightline_cli::wait;

use super::play::Play;
use super::shape::{self, LISTENERS};
use super::{places, stats};

/// How long Envoy may take to take or to refuse a configuration. It compiles the module for it.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);
const REFUSED: &str = "listener_manager.lds.update_rejected";
/// Counts each listener on each worker that has taken it.
const TAKEN: &str = "listener_manager.listener_create_success";

/// Writes the file from which Envoy takes the listeners, in one step, as Envoy wants it.
pub(super) fn write(dir: &Path, text: &str) -> io::Result<()> {
    let aside = dir.join("listeners.next");
    fs::write(&aside, text)?;
    fs::rename(aside, dir.join(LISTENERS))
}

/// Whether Envoy took it, once all workers have it.
pub(super) fn replace(
    play: &Play<'_>,
    configuration: Option<&Value>,
    version: usize,
) -> io::Result<bool> {
    let text = shape::listeners_file(play.scenario, play.stand, configuration, version);
    let (refused, taken) = counts(play)?;
    let listeners = 1 + u64::from(places::quic_plugins(play.scenario).contains(&0));
    let wanted = taken + u64::from(play.scenario.workers) * listeners;
    write(&play.stand.dir, &text)?;
    let found = wait::until("Envoy to take a configuration", TAKEN_WITHIN, || match counts(play) {
        Err(error) => Some(Err(error)),
        Ok((refusals, _)) if refusals > refused => Some(Ok(false)),
        Ok((_, taken)) => (taken >= wanted).then_some(Ok(true)),
    });
    found.map_err(io::Error::other)?
}

fn counts(play: &Play<'_>) -> io::Result<(u64, u64)> {
    Ok((stats::counter(&play.envoy, REFUSED)?, stats::counter(&play.envoy, TAKEN)?))
}
