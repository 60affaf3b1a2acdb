//! Values to try in the place of a parameter, by its converter: first some that fit, then near
//! misses. Which is which is for the framework to say.

/// Of a converter as it is written, without the parameter's name: `int(min=1, max=12)`. The first
/// value fits.
pub(crate) fn of(converter: &str) -> Vec<String> {
    let (name, arguments) = converter.split_once('(').unwrap_or((converter, ""));
    let mut values: Vec<String> = own(arguments).iter().map(|&it| it.to_owned()).collect();
    match name {
        "int" => {
            values.extend(INTEGERS.map(str::to_owned));
            values.extend([400, 5000].map(|digits| "7".repeat(digits)));
        }
        "float" => values.extend(FLOATS.map(str::to_owned)),
        "uuid" => values.extend(UUIDS.map(str::to_owned)),
        "slug" => values.extend(SLUGS.map(str::to_owned)),
        "path" => values.extend(RESTS.map(str::to_owned)),
        "str" | "string" | "any" | "" => values.extend(STRINGS.map(str::to_owned)),
        _ => panic!("there are no values to try for `{converter}`"),
    }
    values
}

/// What is telling about a converter's arguments.
fn own(arguments: &str) -> &'static [&'static str] {
    match arguments.trim_end_matches(')') {
        "" => &[],
        "length=2" => {
            &["de", "d", "deu", "%C3%A9%C3%A9", "%FFx", "%F0%9F%98%80%F0%9F%98%80", "%E2%82"]
        }
        "minlength=3, maxlength=5" => {
            &["abc", "abcde", "ab", "abcdef", "%C3%A9%C3%A9%C3%A9", "%FF%FF%FF"]
        }
        "faq, contact, 'terms of use'" => {
            &["faq", "contact", "terms%20of%20use", "terms", "faqs", "FAQ"]
        }
        "faq, shipping" => &["shipping", "faq", "contact"],
        "new, old" => &["new", "old", "newold", "ne"],
        "min=1, max=12" => &["1", "12", "0", "13", "007", "0012", "0013", "%D9%A3"],
        "max=100" => &["100", "101", "99999999999999999999999", "000000000000000000000000100", "x"],
        "max=1.0" => &["0.5", "1.0", "1.01", "1.00000000000000000001", "1", "0001.0", "7.5"],
        "fixed_digits=4" => &["2024", "0001", "202", "20240", "%D9%A3%D9%A3%D9%A3%D9%A3"],
        "signed=True" => &["-5", "-5.25", "5", "5.25", "--5", "+5", "-", "-0", "-0.0", "%2D7"],
        other => panic!("there are no values to try for the arguments `{other}`"),
    }
}

const INTEGERS: [&str; 18] = [
    "5",
    "0",
    "007",
    "1234567890123456789012345",
    "-5",
    "+5",
    "5.0",
    "5e3",
    "5x",
    "x5",
    "0x5",
    "5_000",
    "%35",
    "%D9%A3",
    "%EF%BC%95",
    "%C2%B2",
    "%205",
    "5%0A",
];

const FLOATS: [&str; 16] = [
    "5.25",
    "0.0",
    "007.50",
    "5",
    "5.",
    ".5",
    "-5.25",
    "5.2.5",
    "5,25",
    "5e3",
    "1.5e3",
    "nan",
    "inf",
    "%D9%A3.%D9%A3",
    "5%2E25",
    "5.25%0A",
];

const UUIDS: [&str; 13] = [
    "123e4567-e89b-12d3-a456-426614174000",
    "123E4567-E89B-12D3-A456-426614174000",
    "123e4567-e89b-12d3-a456-42661417400A",
    "00000000-0000-0000-0000-000000000000",
    "123e4567e89b12d3a456426614174000",
    "123e4567-e89b12d3a456-426614174000",
    "123e4567-e89b-12d3-a456-42661417400",
    "123e4567-e89b-12d3-a456-4266141740000",
    "123e4567-e89b-12d3-a456-42661417400g",
    "{123e4567-e89b-12d3-a456-426614174000}",
    "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
    "123e456-7e89b-12d3-a456-426614174000",
    "12%33e4567-e89b-12d3-a456-426614174000",
];

const SLUGS: [&str; 12] = [
    "rice-and-peas",
    "a",
    "-",
    "_",
    "A_1-b",
    "2024",
    "rice%20peas",
    "rice.peas",
    "r%C3%ADce",
    "rice+peas",
    "rice~peas",
    "rice%2Dpeas",
];

const RESTS: [&str; 17] = [
    "a/b/c",
    "a",
    "",
    "/",
    "a//b",
    "/a",
    "a/",
    "a/b/",
    "a%2Fb",
    "%2Fa",
    "..",
    "../a",
    "a/./b",
    "a%0Ab/c",
    "%C3%A9/%FF",
    "a/blob/b/blob/c",
    "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24",
];

const STRINGS: [&str; 22] = [
    "alice",
    "a",
    "a.b",
    "a-b",
    "1-2-3",
    "a...b",
    "a.json",
    ".json",
    "a.b.json",
    "x%2Fy",
    "x%2fy",
    "..",
    ".",
    "%2E%2E",
    "r%C3%A9my",
    "%FF",
    "%E2%82",
    "%zz",
    "100%",
    "%00",
    "a%0A",
    "a:b",
];
