//! The servers behind the proxy: the app and the endpoints of clusters, which do what the scenario
//! says.

use std::collections::HashMap;
use std::io::{self, BufReader, Read as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::answering::{self, After};
use super::stage::{Place, Stage};
use super::translators;
use super::wire::{self, Framing, Head};
use crate::scenario::observed::Message;
use crate::scenario::{Answer, Leaves};

/// Whom a server stands for.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// The app, which answers each request as the scenario says for it.
    App,
    /// The endpoint of this cluster, which always answers so.
    Cluster(String, Answer),
    /// The same behind a translator.
    Translated(String, Answer),
    /// An endpoint that resets every connection once there is a byte in it, whatever is spoken there.
    Resetting,
    /// An endpoint that reads and never says anything, whatever is spoken there.
    Mute,
}

/// A running server. Dropped, it stops and closes every connection.
pub(super) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    role: Role,
    stage: Arc<Stage>,
    stopping: AtomicBool,
    /// Those that are open, by who is at the other end.
    connections: Mutex<HashMap<SocketAddr, TcpStream>>,
}

impl Server {
    /// Starts one on a free port.
    pub(super) fn start(role: Role, stage: &Arc<Stage>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            role,
            stage: Arc::clone(stage),
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it should stop.
        let _ = TcpStream::connect(self.address);
        for (_, connection) in self.shared.connections().drain() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        while let Ok((connection, client)) = listener.accept() {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            if let Ok(handle) = connection.try_clone() {
                self.connections().insert(client, handle);
            }
            let shared = Arc::clone(&self);
            thread::spawn(move || {
                // A connection that breaks is what some scenarios are about.
                let _ = shared.serve(&connection);
                // With both handles gone it is closed, and only then reset if it is to be.
                shared.connections().remove(&client);
            });
        }
    }

    fn serve(&self, mut connection: &TcpStream) -> io::Result<()> {
        // Each piece is on the wire at once; otherwise a second one waits for the first to be
        // acknowledged.
        connection.set_nodelay(true)?;
        match self.role {
            Role::Resetting if connection.read(&mut [0; 1_024])? > 0 => {
                answering::reset(connection)
            }
            Role::Resetting => Ok(()),
            Role::Mute => answering::listen_to_the_end(connection),
            Role::App | Role::Cluster(..) | Role::Translated(..) => {
                let mut reader = BufReader::new(connection);
                while let Some(head) = Head::read(&mut reader)? {
                    if self.exchange(head, &mut reader)? == After::Close {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    fn exchange(&self, head: Head, reader: &mut BufReader<&TcpStream>) -> io::Result<After> {
        let framing = head.request_framing();
        let method = head.word(0).to_string();
        let mut message = head.into_request();
        if matches!(self.role, Role::Translated(..)) {
            translators::undo(&mut message);
        }
        let (place, answer, leaves) = self.arrive(message.clone());
        // What never answers has nothing to do but to read.
        let silent = answer.silent || leaves == Some(Leaves::BeforeAnswer);
        if !answer.early || silent {
            self.read_rest(place, message.clone(), framing, reader)?;
        }
        self.stage.await_leave(place);
        let after = answering::perform(&answer, &method, leaves, reader.get_ref())?;
        if answer.early {
            self.read_rest(place, message, framing, reader)?;
        }
        Ok(after)
    }

    fn arrive(&self, message: Message) -> (Place, Answer, Option<Leaves>) {
        match &self.role {
            Role::Cluster(name, answer) | Role::Translated(name, answer) => {
                (self.stage.arrive_at(name, message), answer.clone(), None)
            }
            _ => self.stage.arrive_at_app(message),
        }
    }

    fn read_rest(
        &self,
        place: Place,
        mut message: Message,
        framing: Framing,
        reader: &mut BufReader<&TcpStream>,
    ) -> io::Result<()> {
        wire::read_rest(reader, framing, &mut message);
        let cut = message.cut;
        self.stage.update(place, message, !cut);
        if cut { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<SocketAddr, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
