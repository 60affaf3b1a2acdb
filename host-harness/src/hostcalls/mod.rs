//! The functions that the module calls, one file for each subject, and the one gate that all calls
//! go through.

#![expect(
    clippy::unnecessary_wraps,
    reason = "every hostcall has the signature that the table of the surface asks for"
)]

pub(crate) mod buffers;
pub(crate) mod callouts;
pub(crate) mod contexts;
pub(crate) mod filter_state;
pub(crate) mod foreign;
pub(crate) mod headers;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod properties;
pub(crate) mod shared;
pub(crate) mod streams;
pub(crate) mod time;
pub(crate) mod wasi;

use wasmtime::{Caller, Engine, FuncType, Linker, Val};

use crate::call::{Answer, Call, Exit, Status};
use crate::surface::{self, Import};
use crate::vm::Inside;

/// Everything that a module can import, ready to link.
pub(crate) fn link(engine: &Engine) -> wasmtime::Result<Linker<Inside>> {
    let mut linker = Linker::new(engine);
    let env = surface::ENV.iter().map(|import| ("env", import));
    let wasi = surface::WASI_MODULES
        .iter()
        .flat_map(|module| surface::WASI.iter().map(move |import| (*module, import)));
    for (module, import) in env.chain(wasi) {
        let ty =
            FuncType::new(engine, surface::types(import.params), surface::types(import.results));
        linker.func_new(module, import.name, ty, |caller, args, results| {
            dispatch(import, caller, args, results)
        })?;
    }
    Ok(linker)
}

fn dispatch(
    import: &Import,
    caller: Caller<'_, Inside>,
    args: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let code = match serve(import, &mut Call::new(caller, args, import)) {
        Ok(()) => 0,
        Err(Exit::Code(code)) => code,
        Err(Exit::Trap(error)) => return Err(error),
    };
    if let Some(result) = results.first_mut() {
        *result = Val::I32(code.cast_signed());
    }
    Ok(())
}

fn serve(import: &Import, call: &mut Call<'_>) -> Answer {
    call.admit(import)?;
    match import.serve {
        Some(serve) => serve(call),
        None => Err(Status::Unimplemented.into()),
    }
}
