//! The statements that there are: for each its words, what is called with them, and what is shown
//! and remembered of the answer. How a statement is read and written is decided elsewhere.

use Argument::{Constant, Constant64, Own, Room, Slot, Word};
use Does::{Helper, Host, Return, Wasi};
use Kind::{
    Bytes, Cas, Context, Long, Metric, Named, Number, Outcome, Pairs, Path, Queue, Token, Trailers,
    Vector,
};

/// One sort of statement.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) name: &'static str,
    /// What each word is called in a usage line, and what it is.
    pub(super) words: &'static [(&'static str, Kind)],
    pub(super) does: Does,
    /// What is called with what.
    pub(super) arguments: &'static [Argument],
    /// What is shown where the status is 0.
    pub(super) shows: &'static [Show],
    /// What is remembered where the status is 0, from a slot.
    pub(super) keeps: Option<(Keeps, u32)>,
}

/// What a statement comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// A hostcall, `proxy_` and this name.
    Host(&'static str),
    /// A function of WASI.
    Wasi(&'static str),
    /// A function of the prelude that returns a status too.
    Helper(&'static str),
    /// The end of the callback.
    Return,
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 32 bits.
    Number,
    /// 64 bits.
    Long,
    /// A name for a number, or the number.
    Named(&'static str, Names),
    Bytes,
    /// Bytes, behind a pointer and a length in memory.
    Vector,
    /// All words left, joined by NUL.
    Path,
    /// All words left up to `--`, as names and values.
    Pairs,
    /// The words after `--`, as names and values.
    Trailers,
    /// A metric by the name that it was defined with, or its id.
    Metric,
    /// A queue by the name that it was found with, or its token.
    Queue,
    /// The token of the last call, unless another is said.
    Token,
    Cas,
    /// An id, or one of those that a script knows.
    Context,
    /// What the callback returns.
    Outcome,
}

/// Words that stand for numbers.
pub(super) type Names = &'static [(&'static str, u32)];

/// What a function is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// The word at this place: pointer and length where it is bytes.
    Word(usize),
    /// Where the function is to put a result.
    Slot(u32),
    Constant(u32),
    Constant64(u64),
    /// Pointer and length of new room, as large as the word at this place says.
    Room(usize),
    /// The callback's first argument.
    Own,
}

/// What is shown of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// The 32 bits in this slot.
    Number(u32),
    /// The 64 bits in this slot.
    Long(u32),
    /// The 64 bits in this slot, with a sign.
    Signed(u32),
    /// The bytes whose pointer is in this slot, and length in the next.
    Bytes(u32),
    /// The same, as pairs.
    Pairs(u32),
    /// The same, as a number with a sign.
    Little(u32),
    /// The word at this place.
    Word(usize),
}

/// What is remembered of an answer, for later statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// The id of the metric that the word at this place names.
    Metric(usize),
    /// The token of the queue that the word at this place names.
    Queue(usize),
    Token,
    Cas,
    Saved,
}

const MAP: Kind = Named(
    "header map",
    &[
        ("request", 0),
        ("request_trailers", 1),
        ("response", 2),
        ("response_trailers", 3),
        ("grpc_initial", 4),
        ("grpc_trailing", 5),
        ("call", 6),
        ("call_trailers", 7),
    ],
);
const BUFFER: Kind = Named(
    "buffer",
    &[
        ("request_body", 0),
        ("response_body", 1),
        ("downstream_data", 2),
        ("upstream_data", 3),
        ("call_body", 4),
        ("grpc_receive", 5),
        ("vm_configuration", 6),
        ("plugin_configuration", 7),
        ("foreign", 8),
    ],
);
const LEVEL: Kind = Named(
    "log level",
    &[("trace", 0), ("debug", 1), ("info", 2), ("warn", 3), ("error", 4), ("critical", 5)],
);
const STREAM: Kind =
    Named("stream", &[("request", 0), ("response", 1), ("downstream", 2), ("upstream", 3)]);
const METRIC_TYPE: Kind =
    Named("type of metric", &[("counter", 0), ("gauge", 1), ("histogram", 2)]);

const PAIRS: (&str, Kind) = ("NAME=VALUE ...", Pairs);
const TOKEN: (&str, Kind) = ("[TOKEN]", Token);

/// All of them.
pub(super) const FORMS: &[Form] = &[
    form("log", Host("log"), &[("LEVEL", LEVEL), ("TEXT", Bytes)], &[Word(0), Word(1)]),
    form("log_level", Host("get_log_level"), &[], &[Slot(0)]).shows(&[Show::Number(0)]),
    form(
        "get",
        Host("get_header_map_value"),
        &[("MAP", MAP), ("NAME", Bytes)],
        &[Word(0), Word(1), Slot(0), Slot(1)],
    )
    .shows(&[Show::Bytes(0)]),
    form("pairs", Host("get_header_map_pairs"), &[("MAP", MAP)], &[Word(0), Slot(0), Slot(1)])
        .shows(&[Show::Pairs(0)]),
    form("size", Host("get_header_map_size"), &[("MAP", MAP)], &[Word(0), Slot(0)])
        .shows(&[Show::Number(0)]),
    header("add", "add_header_map_value"),
    header("replace", "replace_header_map_value"),
    form(
        "remove",
        Host("remove_header_map_value"),
        &[("MAP", MAP), ("NAME", Bytes)],
        &[Word(0), Word(1)],
    ),
    form("set_pairs", Host("set_header_map_pairs"), &[("MAP", MAP), PAIRS], &[Word(0), Word(1)]),
    form(
        "set_pairs_raw",
        Host("set_header_map_pairs"),
        &[("MAP", MAP), ("BYTES", Bytes)],
        &[Word(0), Word(1)],
    ),
    form(
        "buffer",
        Host("get_buffer_bytes"),
        &[("BUFFER", BUFFER), ("START", Number), ("MOST", Number)],
        &[Word(0), Word(1), Word(2), Slot(0), Slot(1)],
    )
    .shows(&[Show::Bytes(0)]),
    form(
        "buffer_status",
        Host("get_buffer_status"),
        &[("BUFFER", BUFFER)],
        &[Word(0), Slot(0), Slot(1)],
    )
    .shows(&[Show::Number(0), Show::Number(1)]),
    form(
        "set_buffer",
        Host("set_buffer_bytes"),
        &[("BUFFER", BUFFER), ("START", Number), ("LENGTH", Number), ("BYTES", Bytes)],
        &[Word(0), Word(1), Word(2), Word(3)],
    ),
    property("property").shows(&[Show::Bytes(0)]),
    property("property_number").shows(&[Show::Little(0)]),
    property("property_pairs").shows(&[Show::Pairs(0)]),
    form(
        "set_property",
        Host("set_property"),
        &[("NAME", Bytes), ("VALUE", Bytes)],
        &[Word(0), Word(1)],
    ),
    form(
        "respond",
        Host("send_local_response"),
        &[("STATUS", Number), ("DETAILS", Bytes), ("BODY", Bytes), ("GRPC", Number), PAIRS],
        &[Word(0), Word(1), Word(2), Word(4), Word(3)],
    ),
    form("continue", Host("continue_stream"), &[("STREAM", STREAM)], &[Word(0)]),
    form("close", Host("close_stream"), &[("STREAM", STREAM)], &[Word(0)]),
    form(
        "define",
        Host("define_metric"),
        &[("TYPE", METRIC_TYPE), ("NAME", Bytes)],
        &[Word(0), Word(1), Slot(0)],
    )
    .shows(&[Show::Number(0)])
    .keeps(Keeps::Metric(1), 0),
    form(
        "increment",
        Host("increment_metric"),
        &[("NAME", Metric), ("N", Long)],
        &[Word(0), Word(1)],
    ),
    form("record", Host("record_metric"), &[("NAME", Metric), ("N", Long)], &[Word(0), Word(1)]),
    form("metric", Host("get_metric"), &[("NAME", Metric)], &[Word(0), Slot(0)])
        .shows(&[Show::Long(0)]),
    form(
        "shared",
        Host("get_shared_data"),
        &[("KEY", Bytes)],
        &[Word(0), Slot(0), Slot(1), Slot(2)],
    )
    .shows(&[Show::Bytes(0), Show::Number(2)])
    .keeps(Keeps::Cas, 2),
    form(
        "set_shared",
        Host("set_shared_data"),
        &[("KEY", Bytes), ("VALUE", Bytes), ("CAS", Cas)],
        &[Word(0), Word(1), Word(2)],
    ),
    form("register_queue", Host("register_shared_queue"), &[("NAME", Bytes)], &[Word(0), Slot(0)])
        .shows(&[Show::Number(0)])
        .keeps(Keeps::Queue(0), 0),
    form(
        "resolve_queue",
        Host("resolve_shared_queue"),
        &[("VM", Bytes), ("NAME", Bytes)],
        &[Word(0), Word(1), Slot(0)],
    )
    .shows(&[Show::Number(0)])
    .keeps(Keeps::Queue(1), 0),
    form(
        "enqueue",
        Host("enqueue_shared_queue"),
        &[("NAME", Queue), ("VALUE", Bytes)],
        &[Word(0), Word(1)],
    ),
    form("dequeue", Host("dequeue_shared_queue"), &[("NAME", Queue)], &[Word(0), Slot(0), Slot(1)])
        .shows(&[Show::Bytes(0)]),
    form(
        "http_call",
        Host("http_call"),
        &[
            ("CLUSTER", Bytes),
            ("TIMEOUT_MS", Number),
            ("BODY", Bytes),
            PAIRS,
            ("[-- NAME=VALUE ...]", Trailers),
        ],
        &[Word(0), Word(3), Word(2), Word(4), Word(1), Slot(0)],
    )
    .makes_token(),
    form(
        "grpc_call",
        Host("grpc_call"),
        &[
            ("CLUSTER", Bytes),
            ("SERVICE", Bytes),
            ("METHOD", Bytes),
            ("MESSAGE", Bytes),
            ("TIMEOUT_MS", Number),
            PAIRS,
        ],
        &[Word(0), Word(1), Word(2), Word(5), Word(3), Word(4), Slot(0)],
    )
    .makes_token(),
    form(
        "grpc_stream",
        Host("grpc_stream"),
        &[("CLUSTER", Bytes), ("SERVICE", Bytes), ("METHOD", Bytes), PAIRS],
        &[Word(0), Word(1), Word(2), Word(3), Slot(0)],
    )
    .makes_token(),
    form(
        "grpc_send",
        Host("grpc_send"),
        &[("MESSAGE", Bytes), ("END", Number), TOKEN],
        &[Word(2), Word(0), Word(1)],
    ),
    form("grpc_close", Host("grpc_close"), &[TOKEN], &[Word(0)]),
    form("grpc_cancel", Host("grpc_cancel"), &[TOKEN], &[Word(0)]),
    form("status", Host("get_status"), &[], &[Slot(0), Slot(1), Slot(2)])
        .shows(&[Show::Number(0), Show::Bytes(1)]),
    form("tick", Host("set_tick_period_milliseconds"), &[("MS", Number)], &[Word(0)]),
    form("now", Host("get_current_time_nanoseconds"), &[], &[Slot(0)]),
    form("effective", Host("set_effective_context"), &[("CONTEXT", Context)], &[Word(0)]),
    form("save_context", Helper("save_context"), &[], &[Own])
        .shows(&[Show::Number(0)])
        .keeps(Keeps::Saved, 0),
    form("done", Host("done"), &[], &[]),
    form(
        "foreign",
        Host("call_foreign_function"),
        &[("NAME", Bytes), ("ARGUMENT", Bytes)],
        &[Word(0), Word(1), Slot(0), Slot(1)],
    )
    .shows(&[Show::Bytes(0)]),
    form("clock", Wasi("clock_time_get"), &[("N", Number)], &[Word(0), Constant64(0), Slot(0)]),
    form("random", Wasi("random_get"), &[("N", Number)], &[Room(0)]).shows(&[Show::Word(0)]),
    form("environ", Helper("environ"), &[], &[]).shows(&[Show::Bytes(0)]),
    print("print", &[Constant(1), Word(0), Constant(1), Slot(0)]),
    print("eprint", &[Constant(2), Word(0), Constant(1), Slot(0)]),
    form("exit", Helper("exit"), &[("N", Number)], &[Word(0)]),
    form("grow", Helper("grow"), &[("PAGES", Number)], &[Word(0)]).shows(&[Show::Signed(0)]),
    form("trap", Helper("trap"), &[], &[]),
    form("loop", Helper("loop"), &[], &[]),
    form("recurse", Helper("recurse"), &[], &[]),
    form("return", Return, &[("[N]", Outcome)], &[Word(0)]),
    form("pause", Return, &[], &[Constant(1)]),
    form("refuse", Return, &[], &[Constant(0)]),
];

impl Form {
    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FORMS.iter().find(|form| form.name == name)
    }

    /// How it is written.
    pub(super) fn usage(&self) -> String {
        let labels = self.words.iter().map(|(label, _)| *label);
        std::iter::once(self.name).chain(labels).collect::<Vec<_>>().join(" ")
    }

    const fn shows(mut self, shows: &'static [Show]) -> Self {
        self.shows = shows;
        self
    }

    const fn keeps(mut self, keeps: Keeps, slot: u32) -> Self {
        self.keeps = Some((keeps, slot));
        self
    }

    const fn makes_token(self) -> Self {
        self.shows(&[Show::Number(0)]).keeps(Keeps::Token, 0)
    }
}

const fn form(
    name: &'static str,
    does: Does,
    words: &'static [(&'static str, Kind)],
    arguments: &'static [Argument],
) -> Form {
    Form { name, words, does, arguments, shows: &[], keeps: None }
}

const fn header(name: &'static str, hostcall: &'static str) -> Form {
    const WORDS: &[(&str, Kind)] = &[("MAP", MAP), ("NAME", Bytes), ("VALUE", Bytes)];
    form(name, Host(hostcall), WORDS, &[Word(0), Word(1), Word(2)])
}

const fn property(name: &'static str) -> Form {
    form(name, Host("get_property"), &[("ELEMENT ...", Path)], &[Word(0), Slot(0), Slot(1)])
}

const fn print(name: &'static str, arguments: &'static [Argument]) -> Form {
    form(name, Wasi("fd_write"), &[("TEXT", Vector)], arguments).shows(&[Show::Number(0)])
}
