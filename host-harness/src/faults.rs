//! What a test wants to go wrong: traps, statuses, missed ticks, memory that is not given.

/// Something that goes wrong at the nth time, counted from when the host was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    what: What,
    /// How often it is still let pass.
    passes: u64,
    /// How often it then goes wrong.
    times: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Trap(String),
    Answer(String, u32),
    MissTick,
    NoMemory,
}

impl Fault {
    /// The module traps when this export is called, such as `proxy_on_log`.
    pub fn trap(export: &str) -> Self {
        Self::of(What::Trap(export.into()))
    }

    /// This hostcall does nothing and answers this status, such as `proxy_set_shared_data` with 8.
    pub fn answer(hostcall: &str, status: u32) -> Self {
        Self::of(What::Answer(hostcall.into(), status))
    }

    /// A timer is due and the module is not told.
    pub fn miss_tick() -> Self {
        Self::of(What::MissTick)
    }

    /// The module asks for more memory and gets none.
    pub fn no_memory() -> Self {
        Self::of(What::NoMemory)
    }

    /// Not at the first time but at this one, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.passes = nth.saturating_sub(1);
        self
    }

    /// Not once but so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// From then on every time.
    #[must_use]
    pub fn for_ever(self) -> Self {
        self.times(u64::MAX)
    }

    fn of(what: What) -> Self {
        Self { what, passes: 0, times: 1 }
    }

    /// Whether it is now that it goes wrong.
    fn strikes(&mut self) -> bool {
        if self.passes > 0 {
            self.passes -= 1;
            return false;
        }
        let strikes = self.times > 0;
        self.times = self.times.saturating_sub(1);
        strikes
    }
}

/// All faults of a host.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn traps_in(&mut self, export: &str) -> bool {
        self.strike(|what| matches!(what, What::Trap(name) if name == export)).is_some()
    }

    pub(crate) fn answers(&mut self, hostcall: &str) -> Option<u32> {
        match self.strike(|what| matches!(what, What::Answer(name, _) if name == hostcall))? {
            What::Answer(_, status) => Some(*status),
            _ => None,
        }
    }

    pub(crate) fn misses_tick(&mut self) -> bool {
        self.strike(|what| *what == What::MissTick).is_some()
    }

    pub(crate) fn refuses_memory(&mut self) -> bool {
        self.strike(|what| *what == What::NoMemory).is_some()
    }

    /// The first fault of this kind that strikes now. Each of the kind counts this time.
    fn strike(&mut self, is_it: impl Fn(&What) -> bool) -> Option<&What> {
        let mut struck = None;
        for fault in self.0.iter_mut().filter(|fault| is_it(&fault.what)) {
            if fault.strikes() {
                struck = struck.or(Some(&fault.what));
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_at_its_time() {
        let rows = [
            ("once", Fault::trap("a"), [true, false, false, false]),
            ("the second time", Fault::trap("a").nth(2), [false, true, false, false]),
            (
                "twice from the second on",
                Fault::trap("a").nth(2).times(2),
                [false, true, true, false],
            ),
            ("for ever", Fault::trap("a").for_ever(), [true; 4]),
            ("another", Fault::trap("b"), [false; 4]),
        ];
        for (name, fault, expected) in rows {
            let mut faults = Faults::default();
            faults.add(fault);
            assert_eq!([(); 4].map(|()| faults.traps_in("a")), expected, "{name}");
        }
    }
}
