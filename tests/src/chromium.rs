//! A real Chromium without a window, driven through chromedriver: it opens pages, presses keys, and says what is on them.
//!
//! It speaks `WebDriver` over HTTP, and Chromium's own protocol through it where `WebDriver` has no word for a thing.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sightline_cli::leash::Leash;
use sightline_cli::wait;
use sightline_setup::{Checkout, chromium};
use tempfile::TempDir;

use crate::Request;

const LOG: &str = "chromedriver.log";
/// What stands in its log before the port that it was given.
const LISTENS: &str = "started successfully on port ";

/// How long it may take to start, and a page to show what is waited for, on a busy machine.
const SOON: Duration = Duration::from_mins(1);

/// So that it asks nobody but the page's server for anything. The sandbox wants rights that containers do not give, and
/// the page is our own.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en-US",
];

/// A running Chromium with one page. Dropped, it is killed; dropped by a failing test, it shows what the page's console
/// says first.
pub struct Chromium {
    driver: SocketAddr,
    /// The path of the session, with a slash at its end.
    session: String,
    _leash: Leash,
    // After the leash, so that the folder goes when nobody writes into it any more.
    _dir: TempDir,
}

/// Keys that are no letters, as `WebDriver` writes them.
pub mod key {
    /// Enter.
    pub const ENTER: &str = "\u{e007}";
    /// Escape.
    pub const ESCAPE: &str = "\u{e00c}";
    /// The arrow that points downwards.
    pub const DOWN: &str = "\u{e015}";
    /// The arrow that points upwards.
    pub const UP: &str = "\u{e013}";
}

impl Chromium {
    /// Starts one, 1280 pixels wide and 800 high, with a profile of its own.
    pub fn start() -> Self {
        let found = Checkout::find().and_then(|checkout| chromium::find(&checkout));
        let found = found.unwrap_or_else(|error| panic!("{error}"));
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        let mut leash = launch(&found, dir.path());
        let said = || fs::read_to_string(dir.path().join(LOG)).unwrap_or_default();
        let port = leash.until("chromedriver to listen", SOON, || port(&said()));
        let port = port.unwrap_or_else(|silence| panic!("{silence}\n{}", said()));
        let driver = SocketAddr::from(([127, 0, 0, 1], port));
        let wanted = capabilities(&found, dir.path()).to_string();
        let session = exchange(driver, &Request::post("/session").body(wanted));
        let id = session["sessionId"].as_str().unwrap_or_else(|| panic!("{session}"));
        let session = format!("/session/{id}/");
        let chromium = Self { driver, session, _leash: leash, _dir: dir };
        chromium.look(1280, 800, false);
        chromium
    }

    /// Opens a page anew, also one that differs from the open one behind its `#` only.
    pub fn open(&self, url: &str) {
        for url in ["about:blank", url] {
            self.tell("url", &json!({"url": url}));
        }
    }

    /// What a script in the page returns.
    pub fn run(&self, script: &str) -> Value {
        self.tell("execute/sync", &json!({"script": script, "args": []}))
    }

    /// What an expression of the page gives, as soon as it is neither null, false, 0 nor empty.
    pub fn wait_for(&self, expression: &str) -> Value {
        let script = format!("return {expression}");
        let is_it = |value: &Value| {
            !matches!(value, Value::Null | Value::Bool(false)) && *value != 0 && *value != ""
        };
        let found = wait::until(expression, SOON, || Some(self.run(&script)).filter(is_it));
        found.unwrap_or_else(|late| {
            let seen = self.run("return location.href + '\\n' + document.body.innerText");
            panic!("{late}; the page:\n{}", seen.as_str().unwrap_or_default())
        })
    }

    /// Presses these keys, one after the other.
    pub fn press(&self, keys: &str) {
        let presses = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()}))
        });
        let keyboard =
            json!({"type": "key", "id": "keyboard", "actions": presses.collect::<Vec<_>>()});
        self.tell("actions", &json!({"actions": [keyboard]}));
    }

    /// Clicks at the middle of the first element of this selector.
    pub fn click(&self, selector: &str) {
        let found = self.tell("element", &json!({"using": "css selector", "value": selector}));
        let element =
            found.as_object().and_then(|it| it.values().next()?.as_str().map(str::to_owned));
        let element = element.unwrap_or_else(|| panic!("{found}"));
        self.tell(&format!("element/{element}/click"), &json!({}));
    }

    /// Shows the page in this size, to somebody who has a light system or a dark one.
    pub fn look(&self, width: u32, height: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.chromium("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 0, "mobile": false});
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A picture of the page in this size, as PNG.
    pub fn screenshot(&self, width: u32, height: u32, dark: bool) -> Vec<u8> {
        self.look(width, height, dark);
        let picture = self.ask("screenshot");
        let picture = picture.as_str().unwrap_or_else(|| panic!("{picture}"));
        from_base64(picture).unwrap_or_else(|| panic!("{picture} is no base64"))
    }

    /// Lets pages read what was copied.
    pub fn allow_to_read_the_clipboard(&self) {
        let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
        self.chromium("Browser.grantPermissions", &permissions);
    }

    /// What pages have written to the console, and the browser about them, since this was last asked.
    pub fn console(&self) -> Vec<String> {
        let entries = self.tell("se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| format!("{}: {}", entry["level"], entry["message"])).collect()
    }

    fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.tell("goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    fn tell(&self, command: &str, parameters: &Value) -> Value {
        let path = format!("{}{command}", self.session);
        exchange(self.driver, &Request::post(path).body(parameters.to_string()))
    }

    fn ask(&self, command: &str) -> Value {
        exchange(self.driver, &Request::get(format!("{}{command}", self.session)))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let path = format!("{}se/log", self.session);
            let said = Request::post(path).body(r#"{"type":"browser"}"#).send(self.driver);
            eprintln!(
                "--- the page's console ---\n{}",
                said.map(|it| it.text()).unwrap_or_default()
            );
        }
    }
}

fn launch(found: &chromium::Chromium, dir: &Path) -> Leash {
    let log = File::create(dir.join(LOG)).expect("a folder just made is writable");
    let output = log.try_clone().expect("a file can be shared");
    let with = |command: &mut Command| {
        command.arg("--port=0").current_dir(dir).stdout(output).stderr(log);
        command.envs(found.environment.iter().cloned()).env("TMPDIR", dir);
        // Else it would ask the desktop, if there is one, for its fonts and its colours.
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/dev/null").env_remove("DISPLAY");
    };
    Leash::start(&found.driver, with).unwrap_or_else(|error| panic!("{error}"))
}

/// The browser that chromedriver is to start, with a profile in this folder.
fn capabilities(found: &chromium::Chromium, dir: &Path) -> Value {
    let profile = format!("--user-data-dir={}", dir.join("profile").display());
    let flags: Vec<_> = FLAGS.into_iter().chain([profile.as_str()]).collect();
    let options = json!({"binary": found.browser, "args": flags});
    let wanted = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
    json!({"capabilities": {"alwaysMatch": wanted}})
}

fn port(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once(LISTENS)?;
    rest.split_once('.')?.0.trim().parse().ok()
}

/// What chromedriver answers. It refuses what cannot be done with a reason.
fn exchange(driver: SocketAddr, request: &Request) -> Value {
    let answer = request.clone().field("content-type", "application/json").send(driver);
    let answer = answer.unwrap_or_else(|error| panic!("{error}"));
    let text = answer.text();
    let mut said: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let value = said["value"].take();
    assert_eq!(answer.status(), 200, "{}: {}", value["error"], value["message"]);
    value
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes().map(digit).collect::<Option<Vec<u8>>>()?;
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits =
            (0..4).fold(0_u32, |bits, index| bits << 6 | u32::from(*four.get(index).unwrap_or(&0)));
        let [_, bytes @ ..] = bits.to_be_bytes();
        bytes.into_iter().take(four.len().saturating_sub(1))
    });
    Some(bytes.collect())
}

fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::from_base64;

    #[test]
    fn the_examples_of_rfc_4648_are_read() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmE=", "fooba")]
        {
            assert_eq!(from_base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(from_base64("+/+/").as_deref(), Some(&[0xfb, 0xff, 0xbf][..]));
        assert_eq!(from_base64("Z!"), None);
    }
}
