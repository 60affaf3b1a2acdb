//! Encoding and decoding, also of bytes that nobody encoded.

use super::*;

fn rich() -> Learned {
    let mut paths: Vec<String> = (0..40).map(|n| format!("/blog/post-{n}/edit")).collect();
    paths.extend((0..40).map(|n| format!("/w{}/{{int}}/x{n}", n % 3)));
    paths.extend(["/".to_owned(), "/blog/{str}".to_owned(), "/users/{uuid}".to_owned()]);
    let mut learned = learned(paths.iter().map(String::as_str), LIMITS);
    learned.settle(480_000, LIMITS);
    learned.settle(480_001, LIMITS);
    learned
}

#[test]
fn what_was_encoded_is_decoded() {
    for (row, state) in [("empty", Learned::default()), ("rich", rich())] {
        let bytes = encoded(&state);
        let back = Learned::decode(&bytes).unwrap();
        check(&back);
        assert_eq!(encoded(&back), bytes, "{row}");
        assert_eq!(routes(&back), routes(&state), "{row}");
        assert_eq!(back.summary(), state.summary(), "{row}");
    }
}

#[test]
fn fresh_counts_are_not_in_the_bytes() {
    let mut state = rich();
    let before = encoded(&state);
    for path in ["/blog/post-1/edit", "/blog/{str}", "/users/{uuid}", "/unknown"] {
        state.count(&parts(path));
    }
    assert_eq!(encoded(&state), before);
}

#[test]
fn finding_and_explaining_change_nothing() {
    let state = rich();
    let before = format!("{state:?}");
    for n in 0..1_000 {
        let path = format!("/scan-{n}/.env");
        assert_eq!(state.find(&parts(&path)), None);
        state.explain(&parts(&path));
    }
    assert_eq!(format!("{state:?}"), before);
}

#[test]
fn a_cut_or_a_byte_too_many_is_no_state() {
    let bytes = encoded(&rich());
    for length in 0..bytes.len() {
        assert!(Learned::decode(&bytes[..length]).is_none(), "{length} bytes");
    }
    assert!(Learned::decode(&[&bytes[..], &[0]].concat()).is_none());
}

#[test]
fn another_version_is_no_state() {
    let mut bytes = encoded(&rich());
    bytes[0] += 1;
    assert!(Learned::decode(&bytes).is_none());
}

proptest! {
    #[test]
    fn hostile_bytes_are_none_or_a_sound_state(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encoded(&rich());
        for (at, byte) in flips {
            *at.get_mut(&mut bytes) = byte;
        }
        if let Some(mut state) = Learned::decode(&bytes) {
            let hour = state.hour.saturating_add(1);
            state.absorb(&rich(), LIMITS);
            (0..40).for_each(|n| answer(&mut state, &format!("/blog/new-{n}/edit"), LIMITS));
            state.settle(hour, LIMITS);
            prop_assert!(Learned::decode(&encoded(&state)).is_some());
        }
    }

    #[test]
    fn random_bytes_do_no_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        Learned::decode(&bytes);
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        Learned::decode(&bytes);
    }
}
