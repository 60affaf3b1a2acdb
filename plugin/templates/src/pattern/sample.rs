//! Inputs that a pattern accepts, for tests and for showing people what a template means.
//!
//! Not for requests: it is slow, and which input comes out has no meaning.

use super::Pattern;
use super::dfa::START;

/// After so many bytes the shortest way to an end is taken.
const STROLL: usize = 12;

impl Pattern {
    /// An input that it accepts; none if it accepts no input. Where there is a choice, `choose` is given
    /// how many there are and answers which it is, counted from zero.
    pub fn sample(&self, mut choose: impl FnMut(usize) -> usize) -> Option<Vec<u8>> {
        let distances = self.distances();
        let distance = |state: u16| distances.get(usize::from(state)).copied().flatten();
        let mut state = START;
        let mut input = Vec::new();
        let mut left = distance(state)?;
        loop {
            if left == 0 && (input.len() >= STROLL || choose(3) == 0) {
                return Some(input);
            }
            let strolls = input.len() < STROLL;
            let mut ways: Vec<_> = (0..=u8::MAX)
                .filter_map(|byte| {
                    let next = self.dfa.step(state, self.dfa.alphabet.letter(byte))?;
                    Some((byte, next, distance(next)?))
                })
                .filter(|(.., distance)| strolls || *distance < left)
                .collect();
            // People read letters and digits best.
            if ways.iter().any(|(byte, ..)| byte.is_ascii_alphanumeric()) {
                ways.retain(|(byte, ..)| byte.is_ascii_alphanumeric());
            }
            let chosen = choose(ways.len().max(1)) % ways.len().max(1);
            let Some(&(byte, next, distance)) = ways.get(chosen) else {
                return (left == 0).then_some(input);
            };
            input.push(byte);
            (state, left) = (next, distance);
        }
    }

    /// By state, how many bytes lie between it and the nearest end, if it leads to one.
    fn distances(&self) -> Vec<Option<usize>> {
        let states = 0..u16::try_from(self.states()).unwrap_or(u16::MAX);
        let accepts = |state| self.dfa.accepts(state).then_some(0);
        let mut distances: Vec<Option<usize>> = states.clone().map(accepts).collect();
        for round in 1..=self.states() {
            for state in states.clone() {
                let reaches = |letter| {
                    let next = usize::from(self.dfa.step(state, letter)?);
                    distances.get(next).copied().flatten().filter(|it| it + 1 == round)
                };
                let letters = 0..=u8::try_from(self.dfa.alphabet.size() - 1).unwrap_or(u8::MAX);
                let reached = letters.clone().any(|letter| reaches(letter).is_some());
                if let Some(open @ None) = distances.get_mut(usize::from(state))
                    && reached
                {
                    *open = Some(round);
                }
            }
        }
        distances
    }
}

#[cfg(test)]
mod tests {
    use super::super::Expr;
    use super::*;

    #[test]
    fn what_comes_out_is_accepted() {
        let table = ["a", "[0-9]+", "[0-9]{20}", "(ab|cd)*x", "[^/.]+", "é{2}", r"\w+\.json", "a*"];
        for text in table {
            let pattern = Pattern::compile(&Expr::parse(text).unwrap()).unwrap();
            for seed in 0..50_usize {
                let mut dice = seed;
                let input = pattern.sample(|count| {
                    dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
                    (dice >> 33) % count
                });
                assert!(pattern.matches(&input.unwrap()), "{text}, {seed}");
            }
        }
        let nothing = Pattern::compile(&Expr::either(Vec::new())).unwrap();
        assert_eq!(nothing.sample(|_| 0), None);
    }
}
