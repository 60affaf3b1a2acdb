//! What would fill a memory without bounds: paths that never come to an end.

use std::fmt::Write as _;

use crate::catalogue::write_word;

/// Paths that never come to an end, of several shapes.
#[derive(Debug, Default)]
pub struct Flood {
    number: u64,
    path: String,
}

impl Flood {
    /// The next one: words of a few parents, words everywhere, words and numbers, escapes, and long ones.
    pub fn step(&mut self) -> &str {
        self.number += 1;
        let number = self.number;
        let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let path = &mut self.path;
        path.clear();
        path.push('/');
        match number % 5 {
            0 => {
                for (name, which) in [
                    ("service-", number / 5 % 20),
                    ("/resource-", number / 100 % 30),
                    ("/action-", number / 3_000 % 30),
                ] {
                    path.push_str(name);
                    write_word(which, path);
                }
                path.push('/');
            }
            1 => (0..8).for_each(|at| {
                path.push_str("words/");
                write_word(scattered.rotate_left(at * 7), path);
                path.push('/');
            }),
            2 => path.push_str("users/12345/friends/"),
            3 => path.push_str("files/%2e%2e%2f~tmp-"),
            _ => path.push_str(&"long/".repeat(usize::try_from(number % 40).unwrap_or(0))),
        }
        write_word(scattered, path);
        path.push('/');
        let _ = write!(path, "{number:016x}");
        path
    }
}
