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
                Self::known().join(" or ")
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
