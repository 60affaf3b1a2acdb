//! Sheets against a model that keeps every count in one place.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::route::Alone;

const NOW: Wall = Wall(1_800_000_000_000_000_000);

/// What all workers share, which refuses every so many writes because another worker was faster.
struct Contended {
    shared: Alone,
    refuses: bool,
}

impl Ledger for Contended {
    fn agree(&mut self, change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>) -> bool {
        if self.refuses {
            change(&self.shared.state.clone());
            return false;
        }
        self.shared.agree(change)
    }

    fn hour(&self) -> u32 {
        0
    }
}

fn heading(name: u8) -> Heading {
    Heading { key: row::key(1, true, None, &[&name.to_string()]), words: 2 }
}

fn sums(state: &[u8]) -> BTreeMap<Vec<u8>, Vec<u64>> {
    let rows = Rows::from(state, HEADER);
    rows.map(|row| (row.key.to_vec(), row::numbers(row.words).collect())).collect()
}

#[test]
fn what_one_adds_the_other_finds() {
    let (mut one, mut two, mut shared) = (Sheet::default(), Sheet::default(), Alone::default());
    let row = one.limited_row(&heading(1), 10, NOW, &mut shared).unwrap();
    let same = two.limited_row(&heading(1), 10, Wall(9), &mut shared).unwrap();
    one.add(row, 1, 40);
    two.add(same, 1, 2);
    assert!(one.agree(NOW, &mut shared) && two.agree(NOW, &mut shared));
    assert_eq!(sums(&shared.state).into_values().collect::<Vec<_>>(), [vec![0, 42]]);
    assert_eq!(row::began(&shared.state), Some(NOW), "the first to write began it");
    let before = shared.state.clone();
    assert!(one.agree(NOW, &mut shared) && two.agree(NOW, &mut shared));
    assert_eq!(shared.state, before, "nothing is added twice");
}

#[test]
fn the_limit_is_that_of_all_workers_together() {
    let mut shared = Alone::default();
    let mut workers = [Sheet::default(), Sheet::default(), Sheet::default()];
    let mut admitted = 0;
    for name in 0..30 {
        let worker = &mut workers[usize::from(name % 3)];
        admitted += usize::from(worker.limited_row(&heading(name), 10, NOW, &mut shared).is_some());
    }
    assert_eq!((admitted, sums(&shared.state).len()), (10, 10));
    for worker in &mut workers {
        assert!(worker.limited_row(&heading(4), 10, NOW, &mut shared).is_some(), "it is there");
        assert!(worker.limited_row(&heading(99), 10, NOW, &mut shared).is_none());
        worker.row(&heading(200));
    }
}

#[test]
fn a_sheet_that_is_gone_is_begun_again_with_what_is_new() {
    let (mut worker, mut shared) = (Sheet::default(), Alone::default());
    let row = worker.limited_row(&heading(1), 10, NOW, &mut shared).unwrap();
    worker.add(row, 0, 5);
    worker.agree(NOW, &mut shared);
    for other in [b"".to_vec(), b"somebody else's".to_vec()] {
        shared.state = other;
        worker.add(row, 0, 7);
        assert!(worker.agree(Wall(3), &mut shared));
        assert_eq!(sums(&shared.state).into_values().collect::<Vec<_>>(), [vec![7, 0]]);
        assert!(!worker.room.has_for(&heading(2).key, 1));
    }
}

#[test]
fn an_amount_is_exact_however_much_it_adds_up_to() {
    let (mut worker, mut shared) = (Sheet::default(), Alone::default());
    let row = worker.row(&heading(1));
    for _ in 0..3 {
        worker.add_amount(row, Decimal::parse(b"0.7").unwrap());
    }
    worker.agree(NOW, &mut shared);
    assert_eq!(sums(&shared.state).into_values().collect::<Vec<_>>(), [vec![0, 2_100_000_000]]);
}

/// What a worker still held is added once nothing of it is touched any more.
fn add_agreed(
    worker: &Sheet,
    pending: &mut BTreeMap<Vec<u8>, u64>,
    model: &mut BTreeMap<Vec<u8>, Vec<u64>>,
) {
    if worker.touched.is_empty() {
        for (key, number) in std::mem::take(pending) {
            model.entry(key).or_insert_with(|| vec![0, 0])[1] += number;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever workers do, whoever is lost and whichever writes fail: the shared sums are those that were added
    /// by workers which have agreed since.
    #[test]
    fn sums_are_those_of_a_model(
        steps in proptest::collection::vec((0..3_usize, 0..6_u8, 0..50_u64, 0..20_u8), 1..120),
    ) {
        const LIMIT: usize = 4;
        let mut ledger = Contended { shared: Alone::default(), refuses: false };
        let mut workers = [Sheet::default(), Sheet::default(), Sheet::default()];
        let mut pending = [const { BTreeMap::new() }; 3];
        let mut model: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
        for (worker, name, number, what) in steps {
            ledger.refuses = what % 5 == 0;
            match what {
                0..14 => {
                    let row = workers[worker].limited_row(&heading(name), LIMIT, NOW, &mut ledger);
                    add_agreed(&workers[worker], &mut pending[worker], &mut model);
                    if let Some(row) = row {
                        workers[worker].add(row, 1, number);
                        *pending[worker].entry(heading(name).key).or_insert(0) += number;
                    }
                }
                14..19 => {
                    workers[worker].agree(NOW, &mut ledger);
                }
                _ => {
                    workers[worker] = Sheet::default();
                    pending[worker].clear();
                }
            }
            add_agreed(&workers[worker], &mut pending[worker], &mut model);
        }
        let mut sums = sums(&ledger.shared.state);
        sums.retain(|_, numbers| numbers.iter().any(|number| *number > 0));
        model.retain(|_, numbers| numbers[1] > 0);
        prop_assert_eq!(sums, model);
        prop_assert!(Rows::from(&ledger.shared.state, HEADER).count() <= LIMIT);
    }
}

#[test]
fn what_is_added_behind_bytes_that_nobody_can_read_is_found() {
    for odd in [&b"\xff"[..], b"\xff\xff\x01\x00", &[0xff; 40]] {
        let (mut one, mut two, mut shared) = (Sheet::default(), Sheet::default(), Alone::default());
        let row = one.limited_row(&heading(1), 10, NOW, &mut shared).unwrap();
        shared.state.extend_from_slice(odd);
        one.add(row, 0, 40);
        let other = two.limited_row(&heading(2), 10, NOW, &mut shared).unwrap();
        two.add(other, 0, 2);
        assert!(one.agree(NOW, &mut shared) && two.agree(NOW, &mut shared));
        let counted: Vec<_> = sums(&shared.state).into_values().collect();
        assert_eq!(counted, [vec![40, 0], vec![2, 0]], "{odd:?}");
    }
}

#[test]
fn a_row_of_another_size_under_the_same_key_is_left_alone() {
    let (mut worker, mut shared) = (Sheet::default(), Alone::default());
    let Heading { key, words } = heading(1);
    worker.limited_row(&Heading { key: key.clone(), words: 0 }, 10, NOW, &mut shared).unwrap();
    let (mut worker, next) = (Sheet::default(), heading(2));
    let row = worker.limited_row(&Heading { key, words }, 10, NOW, &mut shared).unwrap();
    let next = worker.limited_row(&next, 10, NOW, &mut shared).unwrap();
    worker.add(row, 1, 40);
    worker.add(next, 1, 2);
    assert!(worker.agree(NOW, &mut shared));
    let counted: Vec<_> = sums(&shared.state).into_values().collect();
    assert_eq!(counted, [vec![0, 40], vec![0, 2]]);
}
