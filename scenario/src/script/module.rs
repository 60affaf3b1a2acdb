//! The module that a script becomes, as WebAssembly text. What the texts mean is decided elsewhere;
//! what every module has is in `prelude.wat`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::callback::{Callback, Outcome, Whom};
use super::form::{Argument, Does, Form, Kind, Show};
use super::statement::{Guard, Kept, Statement, Value};

const PRELUDE: &str = include_str!("prelude.wat");

/// Below is room for the slots of results.
const TEXTS: usize = 64;
/// What a line may have besides its beginning: the value, and the dots that show a cut.
const LINE_REST: usize = 8192 + 16;
/// What a host may put into the module before it starts again at the beginning.
const ROOM: usize = 16 << 20;
const PAGE: usize = 1 << 16;

/// A callback and what it does.
pub(super) type Body = (&'static Callback, Vec<Statement>);

/// The text of a module that does this.
pub(super) fn text(bodies: &[Body]) -> String {
    let mut writer = Writer { code: String::new(), texts: Vec::new(), kept: named(bodies) };
    for (callback, statements) in bodies {
        writer.callback(callback, statements);
    }
    writer.allocator(bodies);
    writer.globals(bodies);
    format!("(module\n{}{PRELUDE}{}{})\n", imports(bodies), writer.places(), writer.code)
}

/// The metrics and queues that are remembered. Each has a global, by its place here.
fn named(bodies: &[Body]) -> Vec<Kept> {
    let statements = bodies.iter().flat_map(|(_, statements)| statements);
    let kept: BTreeSet<Kept> = statements.filter_map(Statement::keeps).collect();
    kept.into_iter().filter(|kept| matches!(kept, Kept::Metric(_) | Kept::Queue(_))).collect()
}

fn imports(bodies: &[Body]) -> String {
    let statements = bodies.iter().flat_map(|(_, statements)| statements);
    let imports: BTreeSet<String> =
        statements.filter_map(|statement| import(statement.form)).collect();
    imports.into_iter().collect()
}

fn import(form: &Form) -> Option<String> {
    let (module, name) = match form.does {
        Does::Host(name) => ("env", format!("proxy_{name}")),
        Does::Wasi(name) => ("wasi_snapshot_preview1", name.to_owned()),
        Does::Helper(_) | Does::Return => return None,
    };
    let params: Vec<&str> = form.arguments.iter().map(|argument| params(form, *argument)).collect();
    let params = params.join(" ");
    Some(format!("(import \"{module}\" \"{name}\" (func ${name} (param {params}) (result i32)))\n"))
}

fn params(form: &Form, argument: Argument) -> &'static str {
    match argument {
        Argument::Constant64(_) => "i64",
        Argument::Room(_) => "i32 i32",
        Argument::Slot(_) | Argument::Constant(_) | Argument::Own => "i32",
        Argument::Word(at) => match form.words[at].1 {
            Kind::Long => "i64",
            Kind::Bytes | Kind::Path | Kind::Pairs | Kind::Trailers => "i32 i32",
            _ => "i32",
        },
    }
}

fn slot(number: u32) -> u32 {
    8 + 8 * number
}

struct Writer {
    code: String,
    texts: Vec<u8>,
    kept: Vec<Kept>,
}

impl Writer {
    fn callback(&mut self, callback: &Callback, statements: &[Statement]) {
        let Callback { name, export, arguments, .. } = *callback;
        let params = "(param i32) ".repeat(arguments);
        let result = if callback.result == Outcome::Nothing { "" } else { "(result i32)" };
        self.line(&format!(
            "(func ${export} (export \"{export}\") {params}{result} (local $status i32)"
        ));
        self.line(&format!(
            "(global.set $calls_{name} (i32.add (global.get $calls_{name}) (i32.const 1)))"
        ));
        self.line(tracking(callback.whom));
        self.entry(callback);
        for statement in statements {
            self.statement(callback, statement);
        }
        self.line(&format!("{})", default(callback)));
    }

    /// The line that a callback begins with.
    fn entry(&mut self, callback: &Callback) {
        let name = self.place(format!("{}(", callback.name).as_bytes());
        self.line(&format!("(call $begin {name})"));
        for argument in 0..callback.arguments {
            if argument > 0 {
                self.line("(call $put (i32.const 44)) (call $put (i32.const 32))");
            }
            self.line(&format!("(call $number (i64.extend_i32_u (local.get {argument})))"));
        }
        self.line("(call $put (i32.const 41)) (call $end)");
    }

    fn statement(&mut self, callback: &Callback, statement: &Statement) {
        self.line(&format!(";; {}", statement.shown));
        for guard in &statement.guards {
            self.line(&format!("(if {} (then", condition(*guard, callback)));
        }
        self.act(callback, statement);
        self.line(&"))".repeat(statement.guards.len()));
    }

    fn act(&mut self, callback: &Callback, statement: &Statement) {
        let form = statement.form;
        let arguments: Vec<String> =
            form.arguments.iter().map(|argument| self.argument(*argument, statement)).collect();
        let arguments = arguments.join(" ");
        let function = match form.does {
            Does::Host(name) => format!("proxy_{name}"),
            Does::Wasi(name) | Does::Helper(name) => name.to_owned(),
            Does::Return if arguments.is_empty() => {
                return self.line(&format!("(return {})", default(callback)));
            }
            Does::Return => return self.line(&format!("(return {arguments})")),
        };
        self.line("(call $clear_slots)");
        self.line(&format!("(local.set $status (call ${function} {arguments}))"));
        self.keep(statement);
        if !statement.is_quiet {
            self.report(statement);
        }
    }

    fn keep(&mut self, statement: &Statement) {
        if let (Some(kept), Some((_, at))) = (statement.keeps(), statement.form.keeps) {
            let global = self.global(&kept);
            self.line(&format!(
                "(if (i32.eqz (local.get $status)) (then \
                 (global.set {global} (i32.load (i32.const {})))))",
                slot(at)
            ));
        }
    }

    /// The line that tells what came of a statement.
    fn report(&mut self, statement: &Statement) {
        let beginning = self.place(format!("{} = ", statement.shown).as_bytes());
        self.line(&format!("(call $begin {beginning})"));
        self.line("(call $number (i64.extend_i32_u (local.get $status)))");
        if !statement.form.shows.is_empty() {
            self.line("(if (i32.eqz (local.get $status)) (then");
            for show in statement.form.shows {
                let shown = shown(*show, statement);
                self.line(&format!("(call $put (i32.const 32)) {shown}"));
            }
            self.line("))");
        }
        self.line("(call $end)");
    }

    fn argument(&mut self, argument: Argument, statement: &Statement) -> String {
        match argument {
            Argument::Word(at) => self.word(statement.form.words[at].1, &statement.values[at]),
            Argument::Slot(number) => format!("(i32.const {})", slot(number)),
            Argument::Constant(number) => format!("(i32.const {number})"),
            Argument::Constant64(number) => format!("(i64.const {number})"),
            Argument::Own => "(local.get 0)".to_owned(),
            Argument::Room(at) => {
                let size = self.word(Kind::Number, &statement.values[at]);
                format!("(call $allocate {size}) {size}")
            }
        }
    }

    fn word(&mut self, kind: Kind, value: &Value) -> String {
        match value {
            Value::Number(number) if kind == Kind::Long => format!("(i64.const {number})"),
            Value::Number(number) => format!("(i32.const {number})"),
            Value::Bytes(bytes) if kind == Kind::Vector => self.place_vector(bytes),
            Value::Bytes(bytes) => self.place(bytes),
            Value::Kept(kept) => format!("(global.get {})", self.global(kept)),
            Value::Default => String::new(),
        }
    }

    fn global(&self, kept: &Kept) -> String {
        let name = match kept {
            Kept::Token => "token",
            Kept::Cas => "cas",
            Kept::Root => "root",
            Kept::Stream => "stream",
            Kept::Saved => "saved",
            Kept::Metric(_) | Kept::Queue(_) => {
                let at = self.kept.iter().position(|known| known == kept);
                return format!("$kept_{}", at.expect("a script is checked before it is written"));
            }
        };
        format!("${name}")
    }

    /// Puts bytes into the module; where they are, as pointer and length.
    fn place(&mut self, bytes: &[u8]) -> String {
        let at = TEXTS + self.texts.len();
        self.texts.extend_from_slice(bytes);
        format!("(i32.const {at}) (i32.const {})", bytes.len())
    }

    /// Puts bytes into the module, and behind them where they are; where that is.
    fn place_vector(&mut self, bytes: &[u8]) -> String {
        let at = TEXTS + self.texts.len();
        self.texts.extend_from_slice(bytes);
        let vector = TEXTS + self.texts.len();
        for number in [at, bytes.len()] {
            let number = u32::try_from(number).expect("a script is shorter than 4 GiB");
            self.texts.extend_from_slice(&number.to_le_bytes());
        }
        format!("(i32.const {vector})")
    }

    /// The allocator is exported as `malloc`, unless the script has allocators of its own.
    fn allocator(&mut self, bodies: &[Body]) {
        if !bodies.iter().any(|(callback, _)| callback.result == Outcome::Room) {
            self.line("(export \"malloc\" (func $allocate))");
        }
    }

    fn globals(&mut self, bodies: &[Body]) {
        for (callback, _) in bodies {
            self.line(&format!("(global $calls_{} (mut i32) (i32.const 0))", callback.name));
        }
        for at in 0..self.kept.len() {
            self.line(&format!("(global $kept_{at} (mut i32) (i32.const 0))"));
        }
    }

    /// Where everything is in memory: the texts, the line, which may begin with any of them, and
    /// the room for what the host hands over.
    fn places(&self) -> String {
        let line = TEXTS + self.texts.len();
        let room = (line + self.texts.len() + LINE_REST).next_multiple_of(8);
        let end = room + ROOM;
        format!(
            "(memory (export \"memory\") {})\n\
             (global $line i32 (i32.const {line}))\n\
             (global $room i32 (i32.const {room}))\n\
             (global $room_end i32 (i32.const {end}))\n\
             (global $next (mut i32) (i32.const {room}))\n\
             (data (i32.const {TEXTS}) \"{}\")\n",
            end.div_ceil(PAGE),
            escaped(&self.texts),
        )
    }

    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            self.code.push_str(text);
            self.code.push('\n');
        }
    }
}

/// Remembers whom a callback is for, as far as it says.
fn tracking(whom: Whom) -> &'static str {
    match whom {
        Whom::Nobody | Whom::Either => "",
        Whom::Root => "(global.set $root (local.get 0))",
        Whom::Stream => "(global.set $stream (local.get 0))",
        Whom::New => {
            "(if (local.get 1) \
             (then (global.set $stream (local.get 0)) (global.set $root (local.get 1))) \
             (else (global.set $root (local.get 0))))"
        }
    }
}

fn condition(guard: Guard, callback: &Callback) -> String {
    match guard {
        Guard::Nth(n) => format!("(i32.eq (global.get $calls_{}) (i32.const {n}))", callback.name),
        Guard::At(id) => format!("(i32.eq (local.get 0) (i32.const {id}))"),
        Guard::End => format!("(i32.eq (local.get {}) (i32.const 1))", callback.arguments - 1),
    }
}

fn default(callback: &Callback) -> String {
    match callback.result {
        Outcome::Nothing => String::new(),
        Outcome::Number(number) => format!("(i32.const {number})"),
        Outcome::Room => "(call $allocate (local.get 0))".to_owned(),
    }
}

fn shown(show: Show, statement: &Statement) -> String {
    let at = |function: &str, number: u32| {
        let (pointer, length) = (slot(number), slot(number + 1));
        format!(
            "(call ${function} (i32.load (i32.const {pointer})) (i32.load (i32.const {length})))"
        )
    };
    match show {
        Show::Number(number) => {
            format!("(call $number (i64.load32_u (i32.const {})))", slot(number))
        }
        Show::Long(number) => format!("(call $number (i64.load (i32.const {})))", slot(number)),
        Show::Signed(number) => format!("(call $signed (i64.load (i32.const {})))", slot(number)),
        Show::Bytes(number) => at("bytes", number),
        Show::Pairs(number) => at("pairs", number),
        Show::Little(number) => at("little", number),
        Show::Word(word) => match &statement.values[word] {
            Value::Number(number) => format!("(call $number (i64.const {number}))"),
            other => panic!("the table of statements says that {other:?} is a number"),
        },
    }
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b'"' | b'\\' => write!(text, "\\{byte:02x}").expect("a string takes any text"),
            0x20..=0x7e => text.push(char::from(*byte)),
            _ => write!(text, "\\{byte:02x}").expect("a string takes any text"),
        }
        text
    })
}
