//! Which cores of the machine are whose, and how much time a process has had of them.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// How the cores are divided: one for the Envoy whose turn it is, the others for the load. With a single
/// core, or without util-linux, nothing is divided.
#[derive(Clone, Debug)]
pub struct Cores {
    envoy: String,
    load: String,
    divided: bool,
}

impl Cores {
    /// Keeps this thread, and those that it starts, to the cores for the load.
    pub fn divide() -> Self {
        let last = thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
        let load = format!("0-{}", last.saturating_sub(1));
        let mut cores = Self { envoy: last.to_string(), load, divided: last > 0 };
        cores.divided = cores.divided && this_thread().is_some_and(|id| keep(&id, &cores.load));
        cores
    }

    /// Keeps all threads of a process to the core for Envoy.
    pub fn give_to(&self, process: u32) {
        if self.divided {
            keep(&process.to_string(), &self.envoy);
        }
    }

    /// How they are divided, in words.
    pub fn in_words(&self) -> String {
        if !self.divided {
            return "Envoy and the load on the same cores".to_owned();
        }
        format!("Envoy on core {}, the load on {}", self.envoy, self.load)
    }
}

/// All threads of a process, or of one thread, whose number is just like a process's.
fn keep(id: &str, cores: &str) -> bool {
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", cores, id]);
    taskset.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn this_thread() -> Option<String> {
    let link = fs::read_link("/proc/thread-self").ok()?;
    Some(link.file_name()?.to_string_lossy().into_owned())
}

/// The CPU time of all threads of a process, to the nanosecond.
pub(super) fn time_of(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("the process is running");
    let times = threads.filter_map(|thread| {
        let said = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        said.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    });
    times.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;
    use std::process;
    use std::time::Instant;

    #[test]
    fn a_busy_process_has_had_time() {
        let (before, start) = (time_of(process::id()), Instant::now());
        while time_of(process::id()) < before + Duration::from_millis(20) {
            assert!(start.elapsed() < Duration::from_mins(1), "no time passes");
            black_box((0..10_000_u64).fold(0, |sum, number| black_box(sum + number)));
        }
    }

    #[test]
    fn divided_cores_are_told() {
        let words = Cores { envoy: "3".into(), load: "0-2".into(), divided: true }.in_words();
        assert_eq!(words, "Envoy on core 3, the load on 0-2");
    }
}
