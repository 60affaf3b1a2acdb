//! The literal edges of the whole tree in one table: a node and a segment lead to a node.
//!
//! One table for all nodes, so that ten templates and ten thousand cost the same look-up.

use std::hash::Hasher as _;

use super::tree::NodeId;
use crate::Quick;

/// An open-addressed table. Keys are never taken out.
#[derive(Debug, Default)]
pub(super) struct Literals {
    /// One more than an edge's number; 0 is free. The length is a power of two, at least twice the edges.
    slots: Vec<u32>,
    edges: Vec<Edge>,
}

#[derive(Debug)]
struct Edge {
    hash: u64,
    from: NodeId,
    to: NodeId,
    segment: Box<[u8]>,
}

impl Literals {
    pub(super) fn find(&self, from: NodeId, segment: &[u8]) -> Option<NodeId> {
        let hash = hash(from, segment);
        self.probe(hash)
            .map_while(|slot| self.edge(slot))
            .find(|edge| edge.hash == hash && edge.from == from && *edge.segment == *segment)
            .map(|edge| edge.to)
    }

    /// The literals that go on from a node, and where they lead. It looks at all there are.
    pub(super) fn of(&self, from: NodeId) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.edges
            .iter()
            .filter(move |edge| edge.from == from)
            .map(|edge| (&*edge.segment, edge.to))
    }

    pub(super) fn insert(&mut self, from: NodeId, segment: &[u8], to: NodeId) {
        let hash = hash(from, segment);
        self.edges.push(Edge { hash, from, to, segment: segment.into() });
        if self.slots.len() < self.edges.len() * 2 {
            self.grow();
        } else {
            self.place(hash, self.edges.len());
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; (self.edges.len() * 4).next_power_of_two()];
        for number in 1..=self.edges.len() {
            if let Some(hash) = self.edges.get(number - 1).map(|edge| edge.hash) {
                self.place(hash, number);
            }
        }
    }

    fn place(&mut self, hash: u64, number: usize) {
        let free = self.probe(hash).find(|&slot| self.slots.get(slot) == Some(&0));
        let free = free.and_then(|slot| self.slots.get_mut(slot));
        if let (Some(slot), Ok(number)) = (free, u32::try_from(number)) {
            *slot = number;
        }
    }

    /// The slots in which an edge with this hash may be.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only the low bits of a hash are looked at"
    )]
    fn probe(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let length = self.slots.len();
        (0..length).map(move |step| (hash as usize).wrapping_add(step) & (length - 1))
    }

    fn edge(&self, slot: usize) -> Option<&Edge> {
        let number = *self.slots.get(slot)?;
        self.edges.get((number as usize).checked_sub(1)?)
    }
}

/// Clients choose what is looked up but not what is in the table, so a chosen collision costs them one
/// comparison.
fn hash(from: NodeId, segment: &[u8]) -> u64 {
    let mut hasher = Quick::default();
    hasher.write_u32(from);
    hasher.write(segment);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let mut literals = Literals::default();
        assert_eq!(literals.find(0, b"a"), None);
        for number in 0..5_000 {
            literals.insert(number % 7, format!("segment-{number}").as_bytes(), number);
        }
        for number in 0..5_000 {
            let segment = format!("segment-{number}");
            assert_eq!(literals.find(number % 7, segment.as_bytes()), Some(number));
            assert_eq!(literals.find(number % 7 + 1, segment.as_bytes()), None);
        }
        assert_eq!(literals.find(0, b""), None);
    }
}
