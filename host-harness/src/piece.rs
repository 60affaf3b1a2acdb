//! What somebody sends, cut into the pieces in which it comes over the wire.

use std::collections::VecDeque;
use std::time::Duration;

use crate::HeaderMap;

/// One piece, and how long after the one before it comes.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) after: Duration,
    pub(crate) act: Act,
    /// Nothing comes after it.
    pub(crate) ends: bool,
}

/// What follows the headers: a body in pieces, and trailers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    /// Each piece, and how much longer than the others it takes to come.
    chunks: Vec<(Duration, Vec<u8>)>,
    trailers: Option<HeaderMap>,
    /// The time before each of them.
    pub(crate) gap: Duration,
}

impl Rest {
    pub(crate) fn chunk(&mut self, pause: Duration, chunk: &[u8]) {
        self.chunks.push((pause, chunk.to_vec()));
    }

    pub(crate) fn trailer(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.trailers.get_or_insert_default().add(name, value);
    }

    /// Nothing of it but the time that it takes.
    pub(crate) fn emptied(&self) -> Self {
        Self { gap: self.gap, ..Self::default() }
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece> {
        let chunks = self
            .chunks
            .iter()
            .map(|(pause, chunk)| Piece::after(self.gap + *pause, Act::Data(chunk.clone())));
        let trailers = self.trailers.clone().map(Act::Trailers);
        chunks.chain(trailers.map(|trailers| Piece::after(self.gap, trailers)))
    }
}

/// What a sender does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A response before the response, such as 103.
    Informational(HeaderMap),
    Headers(HeaderMap),
    Data(Vec<u8>),
    Trailers(HeaderMap),
    /// It cuts the connection.
    Reset,
}

impl Piece {
    pub(crate) fn now(act: Act) -> Self {
        Self::after(Duration::ZERO, act)
    }

    pub(crate) fn after(after: Duration, act: Act) -> Self {
        Self { after, act, ends: false }
    }

    /// Marks the end of what is sent, unless it has none. In HTTP/1 a body ends with a piece of its
    /// own, which is empty.
    pub(crate) fn end(pieces: &mut VecDeque<Self>, ends: bool, ends_apart: bool) {
        let after_body = pieces.back().is_some_and(|last| matches!(last.act, Act::Data(_)));
        if ends && ends_apart && after_body {
            pieces.push_back(Self::now(Act::Data(Vec::new())));
        }
        if let Some(last) = pieces.back_mut() {
            last.ends = ends;
        }
    }
}
