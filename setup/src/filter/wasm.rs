//! The little of WebAssembly's binary format that finishing needs: sections, numbers, names.
//!
//! Strict: what is cut off or is no module is an error. What is inside a function is not looked at;
//! that is for the engine that compiles it.

use crate::Error;

/// The sections in the order in which a module has them, each at most once; custom ones, with the
/// number 0, may stand anywhere.
const ORDER: [u8; 13] = [1, 2, section::FUNCTION, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];
const HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// The numbers of the sections that finishing looks into.
pub(super) mod section {
    pub(crate) const CUSTOM: u8 = 0;
    pub(crate) const IMPORT: u8 = 2;
    pub(crate) const FUNCTION: u8 = 3;
    pub(crate) const EXPORT: u8 = 7;
    pub(crate) const CODE: u8 = 10;
    pub(crate) const DATA: u8 = 11;
    pub(crate) const DATA_COUNT: u8 = 12;
}

/// One section: its number and what is in it.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) id: u8,
    pub(super) body: &'a [u8],
}

/// Splits a module into its sections.
pub(super) fn sections(module: &[u8]) -> Result<Vec<Section<'_>>, Error> {
    let Some(rest) = module.strip_prefix(&HEADER) else {
        return Err(broken("it does not begin as a WebAssembly 1 module does"));
    };
    let mut reader = Reader::new(rest);
    let mut sections = Vec::new();
    let mut latest = None;
    while !reader.is_empty() {
        let id = reader.byte()?;
        if id != section::CUSTOM {
            let place = ORDER.iter().position(|&known| known == id);
            if place <= latest {
                return Err(broken(&format!("section {id} is unknown or out of order")));
            }
            latest = place;
        }
        sections.push(Section { id, body: reader.sized()? });
    }
    agree(&sections)?;
    Ok(sections)
}

/// A module that was cut off between two sections shows by its counts.
fn agree(sections: &[Section<'_>]) -> Result<(), Error> {
    let count = |id| match sections.iter().find(|section| section.id == id) {
        Some(section) => Reader::new(section.body).number().map(Some),
        None => Ok(None),
    };
    if count(section::FUNCTION)?.unwrap_or(0) != count(section::CODE)?.unwrap_or(0) {
        return Err(broken("it has not as many function bodies as functions"));
    }
    let announced = count(section::DATA_COUNT)?;
    if announced.is_some() && announced != Some(count(section::DATA)?.unwrap_or(0)) {
        return Err(broken("it has not as many pieces of data as it announces"));
    }
    Ok(())
}

/// Reads from the front of some bytes.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let (&byte, rest) = self.rest.split_first().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(byte)
    }

    /// An unsigned LEB128 number of 32 bits, which is at most five bytes long.
    pub(super) fn number(&mut self) -> Result<u32, Error> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let whole = u32::try_from(number);
                return whole.map_err(|_| broken(&format!("the number {number} is too large")));
            }
        }
        Err(broken("a number is longer than five bytes"))
    }

    /// As many bytes as the number before them says.
    pub(super) fn sized(&mut self) -> Result<&'a [u8], Error> {
        let size = self.number()? as usize;
        let (taken, rest) = self.rest.split_at_checked(size).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn name(&mut self) -> Result<&'a str, Error> {
        let name = str::from_utf8(self.sized()?);
        name.map_err(|cause| broken(&format!("a name in it is not UTF-8: {cause}")))
    }

    /// Whoever has read all that a section announces has read all of it.
    pub(super) fn end(&self, what: &str) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        Err(broken(&format!("{} bytes are left over in {what}", self.rest.len())))
    }
}

/// Puts a module together.
pub(super) struct Writer {
    module: Vec<u8>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { module: HEADER.to_vec() }
    }

    pub(super) fn section(&mut self, id: u8, body: &[u8]) {
        self.module.push(id);
        put_sized(&mut self.module, body);
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.module
    }
}

pub(super) fn put_number(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

pub(super) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn cut_off() -> Error {
    broken("it ends too early")
}

pub(super) fn broken(how: &str) -> Error {
    Error::new(format!(
        "The filter that cargo built is no sound WebAssembly module: {how}. \
         Delete target/filter and build again."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for number in [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX] {
            let mut written = Vec::new();
            put_number(&mut written, number as usize);
            let mut reader = Reader::new(&written);
            assert_eq!(reader.number().unwrap(), number);
            assert!(reader.is_empty(), "{number}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let table: [(&str, &[u8]); 4] = [
            ("nothing", &[]),
            ("no last byte", &[0x80, 0x80]),
            ("six bytes", &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
            ("33 bits", &[0xff, 0xff, 0xff, 0xff, 0x1f]),
        ];
        for (name, bytes) in table {
            assert!(Reader::new(bytes).number().is_err(), "{name}");
        }
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let table: [(&str, &[u8]); 6] = [
            ("nothing", b""),
            ("text", b"(module)"),
            ("a component", b"\0asm\x0d\0\x01\0"),
            ("a section of a later standard", b"\0asm\x01\0\0\0\x63\x00"),
            ("two type sections", b"\0asm\x01\0\0\0\x01\x01\0\x01\x01\0"),
            ("sections out of order", b"\0asm\x01\0\0\0\x03\x01\0\x01\x01\0"),
        ];
        for (name, bytes) in table {
            assert!(sections(bytes).is_err(), "{name}");
        }
    }
}
