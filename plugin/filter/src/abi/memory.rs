//! Memory that the host writes into: it asks for a block, fills it, and tells us where it is.

/// Bytes that the host returned. Invariant: the host wrote all of them.
type Filled = Box<[u8]>;

/// Gives the host a block to fill, or null when there is none to give.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut block = Vec::new();
    if block.try_reserve_exact(size).is_err() {
        return std::ptr::null_mut();
    }
    block.resize(size, 0);
    Box::into_raw(block.into_boxed_slice()).cast()
}

/// Calls a host function that returns bytes, and takes over what it wrote. None if the call failed.
pub(super) fn receive(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Filled> {
    let mut start = std::ptr::null_mut();
    let mut size = 0;
    if call(&raw mut start, &raw mut size) != 0 {
        return None;
    }
    if start.is_null() || size == 0 {
        return Some(Filled::default());
    }
    // SAFETY: a host returns bytes by asking `proxy_on_memory_allocate` for a block of exactly their
    // size, filling it and handing it back, once. The block was allocated there as a boxed slice of
    // that size, and nothing else has kept its address.
    Some(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(start, size)) })
}
