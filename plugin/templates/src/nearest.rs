//! Did you mean: the known name that is nearest to a mistyped one.

/// The nearest of the known names, if it is near enough to be a slip of the hand.
pub fn nearest<'a>(said: &str, known: &[&'a str]) -> Option<&'a str> {
    let said = said.to_ascii_lowercase();
    let limit = (said.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (distance(&said, name), *name))
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// How many characters must be put in, left out, replaced or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, left) in from.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, &right) in to.iter().enumerate() {
            let cell =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = cell(&last, column) + usize::from(left != right);
            let mut best =
                replaced.min(cell(&last, column + 1) + 1).min(cell(&current, column) + 1);
            let swapped =
                column > 0 && previous == Some(right) && to.get(column - 1) == Some(&left);
            if swapped {
                best = best.min(cell(&before_last, column - 1) + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
        previous = Some(left);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let known = ["request_id", "sampling", "metrics", "access_log", "keep", "replace"];
        let table = [
            ("request_di", Some("request_id")),
            ("requestid", Some("request_id")),
            ("Request_ID", Some("request_id")),
            ("metric", Some("metrics")),
            ("acces_log", Some("access_log")),
            ("kepe", Some("keep")),
            ("replaced", Some("replace")),
            ("routes", None),
            ("", None),
            ("x", None),
        ];
        for (said, expected) in table {
            assert_eq!(nearest(said, &known), expected, "{said:?}");
        }
    }

    #[test]
    fn counts_what_must_change() {
        let table = [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("abc", "adc", 1),
        ];
        for (from, to, expected) in table {
            assert_eq!(distance(from, to), expected, "{from:?} to {to:?}");
        }
    }
}
