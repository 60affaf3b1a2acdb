//! Which side of the service a proxy stands on.

use crate::config::DirectionSetting;

/// Which side of the service a proxy stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Requests come to the service: their spans are those of a server.
    Inbound,
    /// The service sends them: their spans are those of a client.
    Outbound,
}

impl Direction {
    /// What was configured; none: the listener knows.
    pub fn said(setting: DirectionSetting) -> Option<Self> {
        match setting {
            DirectionSetting::Inbound => Some(Self::Inbound),
            DirectionSetting::Outbound => Some(Self::Outbound),
            DirectionSetting::Auto => None,
        }
    }

    /// As a listener says it: Envoy's `TrafficDirection`. One that says nothing is a plain proxy before a
    /// service.
    pub fn of_listener(direction: Option<i64>) -> Self {
        const OUTBOUND: i64 = 2;
        if direction == Some(OUTBOUND) { Self::Outbound } else { Self::Inbound }
    }
}
