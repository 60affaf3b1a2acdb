//! Modules that call anything with anything, anywhere: the host answers or tells, and never panics.

mod guest;

use std::fmt::Write as _;
use std::time::Duration;

use guest::{HOSTCALLS, OF_STREAMS, guest, on};
use sightline_host::{
    Cluster, Fault, Host, Plugin, Policy, Protocol, Request, Response, Route, World,
};

/// Those that are not for streams.
const OTHERS: [&str; 9] = [
    "vm_start",
    "configure",
    "tick",
    "queue_ready",
    "http_call_response",
    "grpc_receive_initial_metadata",
    "grpc_receive",
    "grpc_receive_trailing_metadata",
    "grpc_close",
];

/// Numbers at which something changes: map and buffer types, the first ids, the ends of memory.
const NUMBERS: [i64; 16] =
    [0, 1, 2, 3, 4, 5, 7, 8, 200, 503, 1_024, 65_535, 65_536, 0x7fff_ffff, -1, -2_147_483_648];

/// A choice that follows from a seed.
struct Dice(u64);

impl Dice {
    fn roll<T: Clone>(&mut self, faces: &[T]) -> T {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        faces[usize::try_from(self.0 >> 33).unwrap() % faces.len()].clone()
    }

    /// A few hostcalls, some with a text that means something.
    fn code(&mut self) -> String {
        let mut code = String::new();
        for _ in 0..self.roll(&[0, 1, 3]) {
            let (name, _, params) = self.roll(HOSTCALLS);
            let params: Vec<_> = params.split_whitespace().collect();
            let mut args = String::new();
            for param in &params {
                write!(args, "({param}.const {})", self.roll(&NUMBERS)).unwrap();
            }
            let texts = ["'a'", "'auth'", "':path'", "'request\\00headers'", "''"];
            if params.starts_with(&["i32", "i32"]) && self.roll(&[true, false]) {
                args = args.splitn(3, ')').last().unwrap_or_default().to_owned();
                args = format!("{}{args}", self.roll(&texts));
            }
            write!(code, "(drop (call ${name} {args}))").unwrap();
        }
        code
    }

    fn module(&mut self) -> String {
        let bodies = OF_STREAMS.iter().chain(&OTHERS).map(|callback| {
            let returns = ["", "", "(return (i32.const 1))", "(return (i32.const 3))"];
            let may_return = ["request", "response"].iter().any(|way| callback.starts_with(way));
            let end = if may_return { self.roll(&returns) } else { "" };
            on(callback, &format!("{} {end}", self.code()))
        });
        bodies.collect()
    }

    fn request(&mut self) -> Request {
        let answers = [
            Response::new(200),
            Response::new(200).body("body").trailer("x", "y"),
            Response::new(101).chunk("a").then_reset(),
            Response::grpc(5),
            Response::reset(),
            Response::silence(),
            Response::new(200).chunk("a").every(Duration::from_millis(1)).then_silence(),
        ];
        let routes =
            [Route::Upstream, Route::Upstream, Route::Missing, Route::Refused, Route::NoHost];
        let protocols = [Protocol::Http10, Protocol::Http11, Protocol::Http2, Protocol::Http3];
        let request = Request::new(self.roll(&["GET", "HEAD", "POST"]), "/a?b")
            .answered(self.roll(&answers))
            .route(self.roll(&routes))
            .protocol(self.roll(&protocols))
            .abandoned_after(Duration::from_secs(self.roll(&[0, 1, 400])));
        match self.roll(&[0, 1, 2]) {
            0 => request.chunk("one").chunk("two").trailer("t", "v"),
            1 => request.answered_before_us(Response::new(403).body("no")),
            _ => request,
        }
    }
}

/// One module, its host, and everything that a test can do to it. Returns whether there was a host.
fn torment(seed: u64) -> bool {
    let mut dice = Dice(seed);
    let module = guest(&dice.module());
    let clusters = [
        Cluster::answering(Response::grpc_message(0, b"m")),
        Cluster::refusing(),
        Cluster::empty(),
    ];
    let world = World::seeded(seed)
        .most_buffered(dice.roll(&[2, 1 << 20]))
        .drain(Duration::from_secs(dice.roll(&[0, 1])))
        .cluster("auth", dice.roll(&clusters));
    let policies = [Policy::FailClosed, Policy::FailOpen, Policy::FailReload];
    let plugin = Plugin::new(&module).configuration("c").policy(dice.roll(&policies));
    let Ok(mut host) = Host::new(world, plugin.clone()) else { return false };
    let first = host.plugin();
    for round in 0..4 {
        let waiting = host.begin(dice.request());
        let _ = host.request(dice.request());
        let _ = host.advance(Duration::from_millis(700));
        let _ = match round {
            0 => host.replace(first, plugin.clone().configuration("d")),
            1 => host.lose_worker(0),
            2 => host.remove(first),
            _ => host.stop(),
        };
        host.fault(Fault::trap(dice.roll(&["proxy_on_log", "proxy_on_tick"])).nth(2));
        if let Ok(waiting) = waiting {
            let _ = host.finish(waiting);
        }
    }
    true
}

#[test]
fn nothing_that_a_module_does_makes_the_host_panic() {
    let started = (0..100).filter(|seed| torment(*seed)).count();
    assert!(started > 60, "only {started} modules got as far as to be started");
}
