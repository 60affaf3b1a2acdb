//! The path of a request, out of what people and logs have at hand: a path, one with a query, or a whole URL.
//!
//! It changes nothing within the path: what is decoded there, and what is not, is for the core to say.

/// The path in a request's target, without its query.
pub(super) fn path_of(target: &str) -> &str {
    let target = without_origin(target);
    let path = &target[..target.find(['?', '#']).unwrap_or(target.len())];
    if path.is_empty() { "/" } else { path }
}

/// What stands behind the scheme and the host, if they are there.
fn without_origin(target: &str) -> &str {
    let Some((scheme, rest)) = target.split_once("://") else { return target };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme {
        return target;
    }
    &rest[rest.find(['/', '?', '#']).unwrap_or(rest.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_found_in_whatever_is_given() {
        for (target, path) in [
            ("/users/1", "/users/1"),
            ("/users/1?a=b", "/users/1"),
            ("/users/1#top", "/users/1"),
            ("/a#b?c", "/a"),
            ("http://x/users/1?a=b", "/users/1"),
            ("HTTPS://[::1]:8443/users/1", "/users/1"),
            ("http://x", "/"),
            ("http://x?a=/b", "/"),
            ("", "/"),
            ("?a", "/"),
            ("/redirect/http://x/y", "/redirect/http://x/y"),
            ("/a?to=http://x/y", "/a"),
            ("users/1", "users/1"),
            ("*", "*"),
            ("/caf\u{e9}/%2F?", "/caf\u{e9}/%2F"),
            ("://", "://"),
        ] {
            assert_eq!(path_of(target), path, "{target:?}");
        }
    }
}
