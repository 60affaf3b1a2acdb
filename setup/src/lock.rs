//! A lock between processes, so that tests that start together do not set up the same thing twice.
//!
//! The system frees it when its holder ends, however that ends: no lock is ever left behind.

use std::fs::{self, File, TryLockError};

use crate::{Checkout, Error, step};

/// Held until dropped.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process or thread holds the lock of this name.
    pub(crate) fn take(checkout: &Checkout, name: &str) -> Result<Self, Error> {
        let folder = checkout.target().join("setup");
        let path = folder.join(format!("{name}.lock"));
        fs::create_dir_all(&folder).map_err(|cause| Error::at("create", &folder, &cause))?;
        let file = File::create(&path).map_err(|cause| Error::at("create", &path, &cause))?;
        match file.try_lock() {
            Ok(()) => return Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(cause)) => return Err(Error::at("lock", &path, &cause)),
        }
        step::say(format_args!("waiting for another process that sets up the {name}"));
        file.lock().map_err(|cause| Error::at("lock", &path, &cause))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::Scratch;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn only_one_at_a_time_holds_a_lock() {
        let scratch = Scratch::new("lock");
        let inside = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let _lock = Lock::take(&scratch.checkout, "thing").unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }
}
