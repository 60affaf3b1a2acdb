//! The stats of a process, as modules defined and recorded them.
//!
//! All VMs of a host share one store. Names are the guest's own: Envoy's prefix `wasmcustom.` and its tags are Envoy's business and
//! not here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle on one store; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Mutex<BTreeMap<Key, Value>>>);

impl Stats {
    /// A counter's value, if one of that name was defined.
    pub fn counter(&self, name: &str) -> Option<u64> {
        self.number(&Key { kind: Kind::Counter, name: name.into() })
    }

    /// A gauge's value, if one of that name was defined.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        self.number(&Key { kind: Kind::Gauge, name: name.into() })
    }

    /// All that was recorded into a histogram, in order, if one of that name was defined.
    pub fn histogram(&self, name: &str) -> Option<Vec<u64>> {
        match self.lock().get(&Key { kind: Kind::Histogram, name: name.into() })? {
            Value::Samples(samples) => Some(samples.clone()),
            Value::Number(_) => None,
        }
    }

    /// All of them by name, with what they say: a number for a counter or a gauge, all that was
    /// recorded for a histogram.
    pub fn all(&self) -> Vec<(String, Stat)> {
        let of = |(key, value): (&Key, &Value)| {
            let stat = match value {
                Value::Number(number) if key.kind == Kind::Counter => Stat::Counter(*number),
                Value::Number(number) => Stat::Gauge(*number),
                Value::Samples(samples) => Stat::Histogram(samples.clone()),
            };
            (String::from_utf8_lossy(&key.name).into_owned(), stat)
        };
        self.lock().iter().map(of).collect()
    }

    pub(crate) fn define(&self, key: &Key) {
        let first = || {
            if key.kind == Kind::Histogram { Value::Samples(Vec::new()) } else { Value::Number(0) }
        };
        self.lock().entry(key.clone()).or_insert_with(first);
    }

    pub(crate) fn number(&self, key: &Key) -> Option<u64> {
        match self.lock().get(key)? {
            Value::Number(number) => Some(*number),
            Value::Samples(_) => None,
        }
    }

    /// A counter grows, a gauge becomes, a histogram takes one more.
    pub(crate) fn record(&self, key: &Key, value: u64) {
        match self.lock().get_mut(key) {
            Some(Value::Samples(samples)) => samples.push(value),
            Some(Value::Number(number)) if key.kind == Kind::Counter => {
                *number = number.wrapping_add(value);
            }
            Some(Value::Number(number)) => *number = value,
            None => {}
        }
    }

    /// Moves a counter or a gauge; below zero it wraps, as Envoy's unsigned gauges do.
    pub(crate) fn shift(&self, key: &Key, offset: i64) {
        if let Some(Value::Number(number)) = self.lock().get_mut(key) {
            *number = number.wrapping_add_signed(offset);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line per stat: kind, name, and its value or all its samples.
impl fmt::Display for Stats {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in self.lock().iter() {
            write!(out, "{} {}", key.kind, String::from_utf8_lossy(&key.name))?;
            match value {
                Value::Number(number) => writeln!(out, " {number}")?,
                Value::Samples(samples) => writeln!(out, " {samples:?}")?,
            }
        }
        Ok(())
    }
}

/// What a stat says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stat {
    /// It only grows.
    Counter(u64),
    /// It is set, and moved up and down.
    Gauge(u64),
    /// All that was recorded, in order.
    Histogram(Vec<u64>),
}

/// Kind and name together: the same name as two kinds is two stats.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) name: Vec<u8>,
}

/// The three kinds of the ABI, with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

impl Kind {
    pub(crate) fn from_abi(number: u32) -> Option<Self> {
        [Self::Counter, Self::Gauge, Self::Histogram]
            .into_iter()
            .find(|kind| *kind as u32 == number)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

#[derive(Debug)]
enum Value {
    Number(u64),
    Samples(Vec<u64>),
}
