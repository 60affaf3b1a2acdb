//! Keys that take one of a few names.

use super::Value;

/// Declares an enum whose variants have the names that a configuration uses.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        pub enum $Choice:ident { $( $(#[doc = $doc:literal])+ $Variant:ident = $name:literal, )+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Choice { $( $(#[doc = $doc])+ $Variant, )+ }

        impl $crate::config::Leaf for $Choice {
            fn takes() -> String {
                $crate::config::one_of(<Self as $crate::config::Leaf>::known())
            }

            fn parse(said: &$crate::config::Value) -> Option<Self> {
                match $crate::config::name_of(said)? {
                    $( $name => Some(Self::$Variant), )+
                    _ => None,
                }
            }

            fn show(&self) -> String {
                match self { $( Self::$Variant => $name.to_owned(), )+ }
            }

            fn known() -> &'static [&'static str] {
                &[$( $name ),+]
            }
        }
    };
}
pub(crate) use choice;

/// The name that stands here. A plain `off` is false to Envoy's YAML, and to that of others.
pub(crate) fn name_of(said: &Value) -> Option<&str> {
    match said {
        Value::String(name) => Some(name),
        Value::Bool(false) => Some("off"),
        _ => None,
    }
}

/// Names as they are said: `a, b or c`.
pub(crate) fn one_of(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::read;

    #[test]
    fn a_plain_off_that_a_parser_took_for_false_is_off() {
        for key in [r#"{"trace": {"mode": VALUE}}"#, r#"{"routes": {"infer": VALUE}}"#] {
            let of = |value: &str| read(key.replace("VALUE", value).as_bytes());
            assert_eq!(of("false").unwrap(), of("\"off\"").unwrap(), "{key}");
            assert!(of("true").is_err(), "{key}");
        }
        assert!(read(br#"{"direction": false}"#).is_err(), "nothing there is off");
    }
}
