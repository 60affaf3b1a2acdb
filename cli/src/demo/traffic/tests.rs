//! The clients against a server that answers everything alike.

use std::io::{BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Mutex;

use super::*;
use crate::demo::port::Port;
use crate::http::Message;
use crate::wait;

const SOON: Duration = Duration::from_secs(20);

/// Listens, and keeps the first lines of what it read, in order.
#[derive(Clone)]
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers with these header fields.
    fn answering(fields: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, seen: Arc::default() };
        let ours = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let ours = ours.clone();
                thread::spawn(move || ours.serve(&stream, fields));
            }
        });
        server
    }

    fn serve(&self, mut stream: &TcpStream, fields: &str) {
        let request = Message::read_request(&mut BufReader::new(stream));
        let Ok(Some(request)) = request else { return };
        let line = String::from_utf8_lossy(&request.first_line).into_owned();
        self.seen.lock().unwrap().push(line);
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n{fields}content-length: 2\r\n\r\n{{}}");
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn fronts(&self) -> Fronts {
        Fronts { shop: self.address, accounts: self.address, backoffice: self.address }
    }
}

fn world(server: &Server) -> Arc<World> {
    let pace = Pace::of(1_000_000.0);
    Arc::new(World { fronts: server.fronts(), pace, tally: Tally::default() })
}

/// What one client asks for on an errand, with this number for its dice.
fn asked(errand: Errand, number: u64) -> Vec<String> {
    let server = Server::answering("x-request-id: 1\r\n");
    let mut client = Client::of(world(&server), Dice::of(number));
    client.arrive();
    let _ = errand(&mut client);
    server.seen()
}

#[test]
fn what_is_answered_with_a_request_id_is_told_apart() {
    for (name, fields, is_answered) in
        [("with an ID", "x-request-id: 1\r\n", true), ("without", "", false)]
    {
        let server = Server::answering(fields);
        let world = world(&server);
        let mut client = Client::of(Arc::clone(&world), Dice::of(1));
        assert!(client.get(server.address, "/").is_some(), "{name}");
        client.probe();
        let expected =
            Sent { answered: u64::from(is_answered), broken: u64::from(!is_answered), probes: 3 };
        assert_eq!(world.tally.sent(), expected, "{name}");
    }
}

#[test]
fn nobody_to_answer_is_counted_and_ends_the_errand() {
    let nobodys = Port::take().unwrap();
    let address = nobodys.address();
    let fronts = Fronts { shop: address, accounts: address, backoffice: address };
    let world = Arc::new(World { fronts, pace: Pace::of(1_000.0), tally: Tally::default() });
    let mut client = Client::of(Arc::clone(&world), Dice::of(1));
    assert_eq!(shopper::errand(&mut client), None);
    assert_eq!(world.tally.sent(), Sent { broken: 1, ..Sent::default() });
}

#[test]
fn the_same_number_goes_on_the_same_errand() {
    for (name, errand) in [
        ("shopper", shopper::errand as Errand),
        ("member", staff::member),
        ("clerk", staff::clerk),
        ("scanner", scanner::errand),
    ] {
        let first = asked(errand, 7);
        assert!(first.len() > 2, "{name}: {first:?}");
        assert_eq!(first, asked(errand, 7), "{name}");
    }
}

#[test]
fn a_uuid_is_one_of_version_4() {
    let mut dice = Dice::of(3);
    for _ in 0..100 {
        let uuid = dice.uuid();
        let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
        assert_eq!((&uuid[14..15], uuid.contains(|c: char| c.is_uppercase())), ("4", false));
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    }
}

#[test]
fn about_as_many_are_sent_as_asked_for_and_then_none() {
    let server = Server::answering("x-request-id: 1\r\n");
    let traffic = Traffic::start(server.fronts(), 200.0);
    let enough = wait::until("200 requests", SOON, || (traffic.sent().all() >= 200).then_some(()));
    assert_eq!(enough, Ok(()));
    let sent = traffic.stop();
    let seen = u64::try_from(server.seen().len()).unwrap();
    // What hung up in the middle of its first lines was sent, and was no request.
    assert!(seen <= sent.all() && sent.answered <= seen, "{sent:?}, {seen} seen");
}

#[test]
fn the_pace_is_kept_and_what_was_missed_is_not_made_up_for() {
    let pace = Pace::of(100.0);
    assert!(!pace.pause(Duration::from_millis(100)));
    let begun = std::time::Instant::now();
    for _ in 0..11 {
        assert!(pace.turn());
    }
    // Ten intervals of 10 ms, at most 30 in a hundred shorter on a wave.
    assert!(begun.elapsed() >= Duration::from_millis(70), "{:?}", begun.elapsed());
}

#[test]
fn who_waits_is_told_to_go() {
    let pace = Arc::new(Pace::of(0.001));
    assert!(pace.turn());
    let waiting = Arc::clone(&pace);
    let waiting = thread::spawn(move || (waiting.turn(), waiting.pause(Duration::from_hours(1))));
    pace.stop();
    assert_eq!(waiting.join().unwrap(), (false, true));
    assert!(pace.is_stopped());
}
