//! Counts tests while their output goes by, and the table at the end.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Count {
    /// From the line that each test program ends with, which it begins even where a test has not
    /// ended its own.
    fn of(line: &str) -> Option<Self> {
        let result = line.strip_prefix("test result: ")?;
        let number = |what: &str| {
            let (before, _) = result.split_once(what)?;
            before.rsplit(' ').next()?.parse().ok()
        };
        Some(Self { passed: number(" passed")?, failed: number(" failed")? })
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// What became of the parts of a test run.
#[derive(Default)]
pub(crate) struct Tally {
    parts: Vec<Part>,
}

struct Part {
    name: String,
    count: Count,
    took: Duration,
}

impl Tally {
    /// Runs cargo, passes on what it prints to `out`, and counts. A run that failed without a failed test
    /// did not compile or died on the way: that counts as one failure.
    pub(crate) fn run(
        &mut self,
        name: String,
        cargo: &mut Command,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let began = Instant::now();
        let mut child = cargo.stdout(Stdio::piped()).spawn()?;
        let mut count = Count::default();
        if let Some(stdout) = child.stdout.take() {
            pass_on(BufReader::new(stdout), out, &mut count)?;
        }
        if !child.wait()?.success() {
            count.failed = count.failed.max(1);
        }
        self.add(name, count, began.elapsed());
        Ok(())
    }

    /// Takes in a part that was counted elsewhere.
    pub(crate) fn add(&mut self, name: String, count: Count, took: Duration) {
        self.parts.push(Part { name, count, took });
    }

    /// All parts together.
    pub(crate) fn total(&self) -> Count {
        let mut total = Count::default();
        self.parts.iter().for_each(|part| total.add(part.count));
        total
    }
}

/// The table, and as its last line the total.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.parts.iter().map(|part| part.name.len());
        let width = names.max().unwrap_or(0).max("part".len());
        writeln!(f, "{:width$}  passed  failed  seconds", "part")?;
        for Part { name, count: Count { passed, failed }, took } in &self.parts {
            let seconds = took.as_secs_f64();
            writeln!(f, "{name:width$}  {passed:>6}  {failed:>6}  {seconds:>7.1}")?;
        }
        let Count { passed, failed } = self.total();
        write!(f, "{passed} passed, {failed} failed")
    }
}

/// Bytes, not text: a test may print anything.
fn pass_on(mut from: impl BufRead, to: &mut impl Write, count: &mut Count) -> io::Result<()> {
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        if let Some(more) = Count::of(&String::from_utf8_lossy(&line)) {
            count.add(more);
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_output_is_passed_on_and_its_results_are_added_up() {
        let output =
            b"running 3 tests\n\xff\nthe test result: 9 passed; 9 failed\ntest result: 7 of 7\n\
            test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; finished in 0.01s\n\
            test result: ok. 40 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out";
        let (mut passed_on, mut count) = (Vec::new(), Count::default());
        pass_on(&output[..], &mut passed_on, &mut count).unwrap();
        assert_eq!(passed_on, output);
        assert_eq!(count, Count { passed: 42, failed: 1 });
    }

    #[test]
    fn a_part_that_dies_without_a_failed_test_counts_as_a_failure() {
        let result = "echo 'test result: ok. 3 passed; 0 failed; 0 ignored'";
        let failed = "echo 'test result: FAILED. 3 passed; 2 failed; 0 ignored'";
        let table = [
            ("well", result.to_owned(), Count { passed: 3, failed: 0 }),
            ("died later", format!("{result}; exit 101"), Count { passed: 3, failed: 1 }),
            ("did not compile", "exit 101".to_owned(), Count { passed: 0, failed: 1 }),
            ("failed tests", format!("{failed}; exit 101"), Count { passed: 3, failed: 2 }),
        ];
        for (name, script, expected) in table {
            let mut tally = Tally::default();
            let mut cargo = Command::new("sh");
            // Not to our own stdout, where a tally of this very test would read it.
            let out = &mut Vec::new();
            tally.run(name.to_owned(), cargo.args(["-c", &script]), out).unwrap();
            assert_eq!(tally.total(), expected, "{name}");
        }
    }

    #[test]
    fn the_table_ends_with_the_total() {
        let part = |name: &str, passed, failed, seconds| Part {
            name: name.to_owned(),
            count: Count { passed, failed },
            took: Duration::from_secs(seconds),
        };
        let parts = vec![part("all on Envoy 1.40.0", 120, 0, 30), part("on 1.36.4", 20, 1, 5)];
        let expected = "\
part                 passed  failed  seconds
all on Envoy 1.40.0     120       0     30.0
on 1.36.4                20       1      5.0
140 passed, 1 failed";
        assert_eq!(Tally { parts }.to_string(), expected);
    }
}
