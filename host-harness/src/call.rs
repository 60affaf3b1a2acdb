//! One hostcall: its arguments, the guest's memory, and the ways it can end.
//!
//! Every pointer and length comes from the module and may be anything; nothing here trusts one, and
//! nothing is allocated on the strength of a length that was not checked against the guest's
//! memory.

use wasmtime::{Caller, Extern, Val};

use crate::context::{Contexts, Root};
use crate::fuel;
use crate::host::StreamId;
use crate::process::Process;
use crate::stream::Stream;
use crate::surface::{Import, When};
use crate::vm::Inside;

/// How a hostcall ends: with 0 where all went well.
pub(crate) type Answer = Result<(), Exit>;

/// The other ways to end.
#[derive(Debug)]
pub(crate) enum Exit {
    /// The module is told this number.
    Code(u32),
    /// The module is not told anything any more.
    Trap(wasmtime::Error),
}

/// The numbers that say why a proxy-wasm call did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    NotFound = 1,
    BadArgument = 2,
    SerializationFailure = 3,
    ParseFailure = 4,
    InvalidMemoryAccess = 6,
    Empty = 7,
    CasMismatch = 8,
    InternalFailure = 10,
    Unimplemented = 12,
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        Self::Code(status as u32)
    }
}

/// A hostcall under way.
pub(crate) struct Call<'a> {
    caller: Caller<'a, Inside>,
    args: &'a [Val],
    /// What the module is told of a pointer that leads out of its memory; WASI has another number
    /// for it.
    memory_fault: u32,
}

impl<'a> Call<'a> {
    pub(crate) fn new(caller: Caller<'a, Inside>, args: &'a [Val], import: &Import) -> Self {
        Self { caller, args, memory_fault: import.memory_fault() }
    }

    /// Counts the call and charges for it, unless the module may not call this now.
    pub(crate) fn admit(&mut self, import: &Import) -> Answer {
        if import.when < self.inside().during {
            let stage = self.inside().during;
            return Err(Exit::Trap(wasmtime::format_err!(
                "restricted_callback: {} may not be called {stage}",
                import.name
            )));
        }
        self.process().meter.called(import.name);
        self.charge(fuel::OF_CALL)?;
        match self.process().faults.answers(import.name) {
            Some(status) => Err(Exit::Code(status)),
            None => Ok(()),
        }
    }

    /// The VM that the call comes from.
    pub(crate) fn inside(&mut self) -> &mut Inside {
        self.caller.data_mut()
    }

    /// What all VMs share.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.inside().process
    }

    pub(crate) fn contexts(&mut self) -> &mut Contexts {
        &mut self.inside().contexts
    }

    /// The id that VMs share data and queues by.
    pub(crate) fn vm_id(&mut self) -> String {
        self.inside().first.vm_id.clone()
    }

    /// The root that this call speaks for, if it does not speak for a stream or for none.
    pub(crate) fn root(&mut self) -> Option<&mut Root> {
        let contexts = self.contexts();
        contexts.root_mut(contexts.spoken_for())
    }

    /// The root of what this call speaks for, which may be a stream.
    pub(crate) fn own_root(&mut self) -> Option<&mut Root> {
        let contexts = self.contexts();
        contexts.root_mut(contexts.root_of(contexts.spoken_for()))
    }

    /// The stream that this call speaks for, if it speaks for one.
    pub(crate) fn stream_id(&mut self) -> Option<StreamId> {
        let contexts = self.contexts();
        contexts.stream(contexts.spoken_for())
    }

    /// The same, to read and change.
    pub(crate) fn stream(&mut self) -> Option<&mut Stream> {
        let id = self.stream_id()?;
        self.process().streams.get_mut(&id)
    }

    /// The argument at this place, which the surface declares as 32 bits wide.
    pub(crate) fn word(&self, place: usize) -> u32 {
        self.args.get(place).and_then(Val::i32).unwrap_or_default().cast_unsigned()
    }

    /// The argument at this place, which the surface declares as 64 bits wide.
    pub(crate) fn long(&self, place: usize) -> i64 {
        self.args.get(place).and_then(Val::i64).unwrap_or_default()
    }

    /// The bytes that the arguments at this place and the next point to.
    pub(crate) fn text(&mut self, place: usize) -> Result<Vec<u8>, Exit> {
        self.read(self.word(place), self.word(place + 1))
    }

    pub(crate) fn read(&mut self, pointer: u32, length: u32) -> Result<Vec<u8>, Exit> {
        let bytes =
            range(pointer, length).and_then(|range| self.memory().get(range)).map(<[u8]>::to_vec);
        let bytes = bytes.ok_or(Exit::Code(self.memory_fault))?;
        self.process().meter.copied_out(bytes.len());
        self.charge(bytes.len() as u64 * fuel::OF_BYTE)?;
        Ok(bytes)
    }

    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Answer {
        self.process().meter.copied_in(bytes.len());
        self.charge(bytes.len() as u64 * fuel::OF_BYTE)?;
        let fault = Exit::Code(self.memory_fault);
        let Some(range) = u32::try_from(bytes.len()).ok().and_then(|length| range(pointer, length))
        else {
            return Err(fault);
        };
        self.memory().get_mut(range).ok_or(fault)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Writes a number to where the argument at this place points.
    pub(crate) fn give_word(&mut self, place: usize, word: u32) -> Answer {
        self.write(self.word(place), &word.to_le_bytes())
    }

    /// Writes a number to where the argument at this place points.
    pub(crate) fn give_long(&mut self, place: usize, long: u64) -> Answer {
        self.write(self.word(place), &long.to_le_bytes())
    }

    /// Hands bytes over in memory that the module allocates, and says where at the arguments at
    /// this place and the next. No bytes are pointer 0 and length 0, without an allocation.
    pub(crate) fn give(&mut self, place: usize, bytes: &[u8]) -> Answer {
        let length = u32::try_from(bytes.len()).map_err(|_| Exit::Code(self.memory_fault))?;
        let pointer = if length == 0 { 0 } else { self.allocate(length)? };
        self.write(pointer, bytes)?;
        self.give_word(place, pointer)?;
        self.give_word(place + 1, length)
    }

    /// Enters the module for a context while it waits for this call, if it has this export.
    pub(crate) fn reenter(&mut self, export: &'static str, context: u32, args: &[u32]) -> Answer {
        let Some(function) = self.caller.get_export(export).and_then(Extern::into_func) else {
            return Ok(());
        };
        let inside = self.inside();
        inside.process.meter.entered(export);
        let before = (inside.contexts.current, inside.contexts.effective);
        (inside.contexts.current, inside.contexts.effective) = (context, 0);
        let args: Vec<_> = args.iter().map(|arg| Val::I32(arg.cast_signed())).collect();
        let called = function.call(&mut self.caller, &args, &mut []);
        let contexts = self.contexts();
        (contexts.current, contexts.effective) = before;
        called.map_err(Exit::Trap)
    }

    /// Enters the module for memory, on behalf of no context, as Envoy does.
    pub(crate) fn allocate(&mut self, length: u32) -> Result<u32, Exit> {
        let guest = self.inside().guest.ok_or(Exit::Code(self.memory_fault))?;
        let inside = self.inside();
        inside.process.meter.entered(guest.allocator);
        inside.process.meter.allocated(length);
        let before = (inside.contexts.current, inside.contexts.effective, inside.during);
        (inside.contexts.current, inside.contexts.effective, inside.during) =
            (0, 0, When::Allocating);
        let mut results = [Val::I32(0)];
        let called =
            guest.allocate.call(&mut self.caller, &[Val::I32(length.cast_signed())], &mut results);
        let inside = self.inside();
        (inside.contexts.current, inside.contexts.effective, inside.during) = before;
        called.map_err(Exit::Trap)?;
        match results[0].i32() {
            None | Some(0) => Err(Exit::Code(self.memory_fault)),
            Some(pointer) => Ok(pointer.cast_unsigned()),
        }
    }

    /// The guest's whole memory; none at all while it is still being instantiated.
    fn memory(&mut self) -> &mut [u8] {
        match self.inside().guest {
            Some(guest) => guest.memory.data_mut(&mut self.caller),
            None => &mut [],
        }
    }

    fn charge(&mut self, fuel: u64) -> Answer {
        let left = self.caller.get_fuel().map_err(Exit::Trap)?;
        let rest =
            left.checked_sub(fuel).ok_or_else(|| Exit::Trap(wasmtime::Trap::OutOfFuel.into()))?;
        self.process().meter.charged(fuel);
        self.caller.set_fuel(rest).map_err(Exit::Trap)
    }
}

fn range(pointer: u32, length: u32) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(pointer).ok()?;
    Some(start..start.checked_add(usize::try_from(length).ok()?)?)
}
