//! The buckets of a histogram, as they are said: a list of numbers.

use super::leaf::number;
use super::list::{Entry, List};
use super::{Described, Key, Path, Problem, Setting, Value};
use crate::red::{Boundaries, Decimal};

/// The upper boundaries of a histogram's buckets. What is said replaces the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets(pub Boundaries);

/// One of them.
struct Boundary(Decimal);

/// The highest: workers tell each other boundaries in billionths, in 64 bits.
const HIGHEST: Decimal = Decimal::whole(10_000_000_000);

/// Numbers of which all digits count have at most so many: a double holds no more.
const MOST_UNITS: f64 = 1e15;

impl Setting for Buckets {
    fn set(&mut self, said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) {
        let before = problems.len();
        let mut list = List::<Boundary>::default();
        list.set(said, at, problems);
        if problems.len() > before || *said == Value::Null {
            return;
        }
        let numbers: Vec<Decimal> = list.0.iter().map(|Boundary(number)| *number).collect();
        match Boundaries::new(&numbers) {
            Some(boundaries) => self.0 = boundaries,
            None => problems.push(disorder(&numbers, at)),
        }
    }
}

impl Described for Buckets {
    fn describe(&self, at: &Path<'_>, about: &str, keys: &mut Vec<Key>) {
        let boundaries: Vec<String> = self.0.iter().map(shown).collect();
        keys.push(Key {
            path: at.to_string(),
            takes: format!("a list of at most {} {}", Boundaries::MOST, Boundary::takes()),
            default: format!("[{}]", boundaries.join(", ")),
            about: about.to_owned(),
        });
    }
}

/// Why these are no boundaries, though each of them could be one.
fn disorder(numbers: &[Decimal], at: &Path<'_>) -> Problem {
    if numbers.len() > Boundaries::MOST {
        let message = format!("{} entries, expected at most {}", numbers.len(), Boundaries::MOST);
        return Problem::new(at, message);
    }
    let neighbours = || numbers.iter().copied().zip(numbers.iter().copied().skip(1));
    let place = neighbours().take_while(|(one, next)| one < next).count();
    let (one, next) = neighbours().nth(place).unwrap_or_default();
    let message = format!(
        "{} stands here, expected more than the {} in front of it",
        shown(next),
        shown(one)
    );
    Problem::new(Path::Entry(at, place + 1), message)
}

impl Entry for Boundary {
    fn takes() -> String {
        "numbers above 0, in ascending order".to_owned()
    }

    fn read(said: &Value, at: &Path<'_>, problems: &mut Vec<Problem>) -> Option<Self> {
        let number = number(said)
            .and_then(decimal)
            .filter(|number| *number > Decimal::default() && *number <= HIGHEST);
        if number.is_none() {
            let message = format!(
                "{said} stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point"
            );
            problems.push(Problem::new(at, message));
        }
        number.map(Self)
    }

    fn show(&self) -> String {
        shown(self.0)
    }
}

fn shown(number: Decimal) -> String {
    let mut digits = Vec::new();
    number.write(&mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

/// The decimal number that was meant by the nearest double, if it has no more digits than those of which a
/// double holds every one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just bounded")]
#[expect(clippy::cast_precision_loss, reason = "bounded by what a double holds")]
fn decimal(number: f64) -> Option<Decimal> {
    if !(0.0..MOST_UNITS).contains(&number) {
        return None;
    }
    let whole = number as u64;
    let (mut unit, mut nanos) = (1e9, 1);
    while whole as f64 * unit >= MOST_UNITS {
        unit /= 10.0;
        nanos *= 10;
    }
    let units = ((number - whole as f64) * unit).round() as u64;
    let meant = Decimal::of_parts(whole, units * nanos);
    ((meant.as_f64() - number).abs() <= number * 1e-15).then_some(meant)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(said: &str) -> Result<String, String> {
        let said = super::super::json::read(said.as_bytes()).unwrap();
        let (mut buckets, mut problems) = (Buckets::default(), Vec::new());
        buckets.set(&said, &Path::Key(&Path::Root, "buckets"), &mut problems);
        if problems.is_empty() {
            Ok(buckets.0.iter().map(shown).collect::<Vec<_>>().join(" "))
        } else {
            Err(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
        }
    }

    #[test]
    fn ascending_numbers_are_boundaries_also_as_texts() {
        let usual = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10";
        for (said, meant) in [
            ("null", usual),
            ("[]", ""),
            (r#"["0.005", 0.1, 1, "10", 1e3]"#, "0.005 0.1 1 10 1000"),
            ("[0.000000001, 0.3]", "0.000000001 0.3"),
            ("[9999999.9, 10000000000]", "9999999.9 10000000000"),
            ("[0.1234567890]", "0.123456789"),
        ] {
            assert_eq!(set(said).as_deref(), Ok(meant), "{said}");
        }
        let fifty: Vec<String> = (1..=50).map(|number: u8| number.to_string()).collect();
        assert_eq!(set(&format!("[{}]", fifty.join(","))), Ok(fifty.join(" ")));
    }

    #[test]
    fn what_are_none_is_told_by_its_place() {
        let said = [
            "1",
            "{}",
            r#"[0, -1, "a", null, [1], "1 "]"#,
            "[0.0000000001, 1.0000000001, 10000000001, 1e300]",
            "[1, 2, 2, 1]",
            "[2, 1.5]",
        ];
        let told: Vec<String> = said.iter().map(|said| set(said).unwrap_err()).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        buckets: 1 stands here, expected a list of numbers above 0, in ascending order
        buckets: a map stands here, expected a list of numbers above 0, in ascending order
        buckets[0]: 0 stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[1]: -1 stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[2]: "a" stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[3]: null stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[4]: a list stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[5]: "1 " stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[0]: 0 stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[1]: 1 stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[2]: a number out of all bounds stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[3]: a number out of all bounds stands here, expected a number above 0 and up to 10000000000, of at most 15 digits, 9 of them behind the point
        buckets[2]: 2 stands here, expected more than the 2 in front of it
        buckets[1]: 1.5 stands here, expected more than the 2 in front of it
        "#);
        let numbers: Vec<String> = (1..=51).map(|number: u8| number.to_string()).collect();
        let said = format!("[{}]", numbers.join(","));
        assert_eq!(set(&said), Err("buckets: 51 entries, expected at most 50".to_owned()));
    }

    proptest! {
        #[test]
        fn each_number_of_fifteen_digits_is_meant_exactly(units in 1..1_000_000_000_000_000_u64, decimals in 0..=9_u32) {
            let tens = 10_u64.pow(decimals);
            let text = format!("{}.{:02$}", units / tens, units % tens, decimals as usize);
            let text = text.strip_suffix(".0").filter(|_| decimals == 0).unwrap_or(&text);
            let expected = Decimal::parse(text.as_bytes());
            prop_assert_eq!(number(&Value::String(text.to_owned())).and_then(decimal), expected, "{}", text);
            prop_assert_eq!(decimal(text.parse().unwrap()), expected, "{}", text);
        }

        #[test]
        fn any_double_is_a_decimal_near_it_or_none(bits: u64) {
            let number = f64::from_bits(bits);
            if let Some(meant) = decimal(number) {
                prop_assert!((meant.as_f64() - number).abs() <= number * 1e-15);
            }
        }
    }
}
