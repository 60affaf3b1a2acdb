//! Whether anybody listens where the app is to be, asked again and again until somebody does.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::generate::Endpoint;

/// From one call to the next.
const PACE: Duration = Duration::from_millis(50);

/// How long a call may take.
const LIMIT: Duration = Duration::from_secs(1);

/// After which time a person wonders.
const WONDER: Duration = Duration::from_secs(15);

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Somebody accepts connections there. Nothing comes after it.
    Accepted,
    /// Nobody did at first.
    Refused,
    /// Nobody has for a while.
    StillRefused,
}

/// Calls in the background. Dropped, it stops.
pub(super) struct Caller {
    answers: Receiver<Answer>,
    _running: Sender<()>,
}

impl Caller {
    pub(super) fn start(app: Endpoint) -> io::Result<Self> {
        let (send, answers) = mpsc::channel();
        let (running, stopped) = mpsc::channel();
        let call = move || call(&app, &send, &stopped);
        thread::Builder::new().name("caller".to_owned()).spawn(call)?;
        Ok(Self { answers, _running: running })
    }

    /// What has been found out since the last time.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

/// Tells what is new, until somebody accepts or nobody wants to know.
fn call(app: &Endpoint, send: &Sender<Answer>, stopped: &Receiver<()>) {
    let began = Instant::now();
    let mut told = None;
    while told != Some(Answer::Accepted) {
        let answer = match accepts(app) {
            true => Answer::Accepted,
            false if began.elapsed() < WONDER => Answer::Refused,
            false => Answer::StillRefused,
        };
        let is_heard = told == Some(answer) || send.send(answer).is_ok();
        told = Some(answer);
        if !is_heard || stopped.recv_timeout(PACE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Whether a connection is accepted, whatever it is called.
fn accepts(app: &Endpoint) -> bool {
    let Ok(mut addresses) = (app.host.to_string(), app.port).to_socket_addrs() else {
        return false;
    };
    addresses.any(|address| TcpStream::connect_timeout(&address, LIMIT).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;
    use std::net::{SocketAddr, TcpListener};

    const SOON: Duration = Duration::from_secs(10);

    fn next(caller: &Caller) -> Answer {
        wait::until("an answer", SOON, || caller.answer()).unwrap()
    }

    #[test]
    fn that_somebody_listens_is_noticed_at_once_or_later() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        assert_eq!(next(&Caller::start(address.into()).unwrap()), Answer::Accepted);
        drop(listener);
        let caller = Caller::start(address.into()).unwrap();
        assert_eq!(next(&caller), Answer::Refused);
        let _listener = TcpListener::bind(address).unwrap();
        assert_eq!(next(&caller), Answer::Accepted);
    }

    #[test]
    fn a_name_that_nobody_has_is_nobody() {
        assert!(!accepts(&"no-such-host.invalid:1".parse().unwrap()));
    }
}
