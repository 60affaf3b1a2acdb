//! Keys that take one of a few names.

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
                match said {
                    $crate::config::Value::String(name) => match name.as_str() {
                        $( $name => Some(Self::$Variant), )+
                        _ => None,
                    },
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

/// Names as they are said: `a, b or c`.
pub(crate) fn one_of(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
