//! The harness behaves as this Envoy does: each scenario is run on both, and what was seen is the
//! same, line by line.

use sightline_tests::Proxy;
use sightline_tests::scenario::suite;

macro_rules! topics {
    ($($topic:ident),* $(,)?) => {
        $(
            #[test]
            fn $topic() {
                suite::compare_with_envoy(stringify!($topic), &Proxy::binary());
            }
        )*

        #[test]
        fn every_topic_is_compared() {
            assert_eq!(suite::topics(), [$(stringify!($topic)),*]);
        }
    };
}

topics! {
    bodies,
    callouts,
    failures,
    foreign,
    grpc,
    headers,
    http3,
    lifecycle,
    metrics,
    properties,
    replacing,
    replies,
    roots,
    shared,
    sightline,
    wasi,
}
