//! What VMs of one id share, across threads and beyond a VM's end: values by key, each with a number
//! that changes with every change.

use std::collections::BTreeMap;

/// All shared data of a process.
#[derive(Debug, Default)]
pub(crate) struct SharedData {
    by_vm_id: BTreeMap<String, ByKey>,
    changes: u32,
}

/// Values with their numbers.
type ByKey = BTreeMap<Vec<u8>, (Vec<u8>, u32)>;

/// The value was changed since its number was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed;

impl SharedData {
    pub(crate) fn get(&self, vm_id: &str, key: &[u8]) -> Option<(&[u8], u32)> {
        let (value, number) = self.by_vm_id.get(vm_id)?.get(key)?;
        Some((value, *number))
    }

    /// Sets a value, where the number is 0 or the value's own. A key that is not there yet is set
    /// whatever the number.
    pub(crate) fn set(
        &mut self,
        vm_id: &str,
        key: &[u8],
        value: Vec<u8>,
        number: u32,
    ) -> Result<(), Changed> {
        let data = self.by_vm_id.entry(vm_id.into()).or_default();
        let now = data.get(key).map(|(_, number)| *number);
        if number != 0 && now.is_some_and(|now| now != number) {
            return Err(Changed);
        }
        self.changes += 1;
        data.insert(key.to_vec(), (value, self.changes));
        Ok(())
    }

    /// The last VM of this id is gone, and takes the data along.
    pub(crate) fn forget(&mut self, vm_id: &str) {
        self.by_vm_id.remove(vm_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_where_nobody_changed_it() {
        let mut data = SharedData::default();
        let rows = [
            ("a new key, whatever the number", "v", "a", 7, Ok(()), Some(("1", 1))),
            ("without a number", "v", "a", 0, Ok(()), Some(("2", 2))),
            ("with an old number", "v", "a", 1, Err(Changed), Some(("2", 2))),
            ("with its number", "v", "a", 2, Ok(()), Some(("4", 3))),
            ("of another id", "w", "a", 3, Ok(()), Some(("5", 4))),
        ];
        for (step, (name, vm_id, key, number, result, then)) in (1..).zip(rows) {
            let value = format!("{step}").into_bytes();
            assert_eq!(data.set(vm_id, key.as_bytes(), value, number), result, "{name}");
            let then = then.map(|(value, number): (&str, u32)| (value.as_bytes(), number));
            assert_eq!(data.get(vm_id, key.as_bytes()), then, "{name}");
        }
        data.forget("v");
        assert_eq!((data.get("v", b"a"), data.get("w", b"a").is_some()), (None, true));
    }
}
