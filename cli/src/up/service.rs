//! What a service is called that nobody has named.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use crate::generate::{Endpoint, Host};
use crate::session;

/// As OpenTelemetry's variable says; else as its host is called; else as the folder is that we are in, where its
/// source mostly is.
pub(super) fn name(app: &Endpoint) -> String {
    let said = env::var_os("OTEL_SERVICE_NAME");
    choose(said.as_deref(), &app.host, env::current_dir().ok().as_deref())
}

fn choose(said: Option<&OsStr>, host: &Host, folder: Option<&Path>) -> String {
    let said = said.and_then(OsStr::to_str);
    let host = match host {
        Host::Name(name) if name != "localhost" => name.split('.').next(),
        Host::Name(_) | Host::Address(_) => None,
    };
    let folder = folder.and_then(Path::file_name).and_then(OsStr::to_str);
    let names = [said, host, folder].into_iter().flatten();
    names.into_iter().find(|name| session::is_service_name(name)).unwrap_or("app").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_taken() {
        for (name, said, app, folder, expected) in [
            ("said", Some("till"), "shop:80", Some("/src/shop"), "till"),
            ("said to be nothing", Some(""), "shop:80", Some("/src/other"), "shop"),
            ("a host", None, "shop.prod.svc:80", Some("/src/other"), "shop"),
            ("this machine", None, "localhost:80", Some("/src/shop"), "shop"),
            ("an address", None, "127.0.0.1:80", Some("/src/shop"), "shop"),
            ("the root", None, "127.0.0.1:80", Some("/"), "app"),
            ("nothing", None, "127.0.0.1:80", None, "app"),
        ] {
            let app: Endpoint = app.parse().unwrap();
            let chosen = choose(said.map(OsStr::new), &app.host, folder.map(Path::new));
            assert_eq!(chosen, expected, "{name}");
        }
    }
}
