//! The clusters that modules call out to, and what they answer.

use std::fmt;
use std::sync::Arc;

use crate::{Message, Response};

/// A cluster for callouts.
#[derive(Clone)]
pub struct Cluster(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Answering(Arc<dyn Fn(&Message) -> Response + Send + Sync>),
    Refusing,
    Empty,
}

impl Cluster {
    /// It answers every request so; [`Response::silence`] and [`Response::reset`] are answers too.
    pub fn answering(response: Response) -> Self {
        Self::with(move |_| response.clone())
    }

    /// It answers each request as this says.
    pub fn with(answer: impl Fn(&Message) -> Response + Send + Sync + 'static) -> Self {
        Self(Kind::Answering(Arc::new(answer)))
    }

    /// Its one host refuses connections.
    pub fn refusing() -> Self {
        Self(Kind::Refusing)
    }

    /// It exists, and has no host.
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.0 {
            Kind::Answering(_) => "Cluster::with(..)",
            Kind::Refusing => "Cluster::refusing()",
            Kind::Empty => "Cluster::empty()",
        })
    }
}
