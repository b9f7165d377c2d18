//! Who gets a slot, who does not, and who makes room.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::{NoSlot, Slot, Slots};
use crate::server::gate::Guest;

fn stranger(number: u8) -> Guest {
    Guest::Stranger(IpAddr::V4(Ipv4Addr::new(203, 0, 113, number)))
}

fn entered(slots: &Arc<Slots>, guest: Guest) -> Slot {
    slots
        .enter(guest)
        .unwrap_or_else(|why| panic!("{guest:?}: {why:?}"))
}

fn refusal(slots: &Arc<Slots>, guest: Guest) -> NoSlot {
    slots.enter(guest).err().unwrap()
}

/// Whether the guest was asked to leave, as its connection would learn it.
fn was_asked_to_leave(slot: &Slot) -> bool {
    slot.must_leave().now_or_never().is_some()
}

#[test]
fn one_stranger_holds_few_and_known_senders_many() {
    let slots = Slots::new(16, 2);
    let _held = [entered(&slots, stranger(1)), entered(&slots, stranger(1))];
    assert_eq!(refusal(&slots, stranger(1)), NoSlot::TooManyOfOne);
    let another = entered(&slots, stranger(2));
    let _known: Vec<Slot> = (0..13).map(|_| entered(&slots, Guest::Known)).collect();
    drop(another);
    let _again = entered(&slots, stranger(2));
}

#[test]
fn strangers_never_take_the_share_of_known_senders() {
    let slots = Slots::new(16, 100);
    let strangers: Vec<Slot> = (0..14).map(|n| entered(&slots, stranger(n))).collect();
    assert_eq!(refusal(&slots, stranger(99)), NoSlot::Yet);
    let _known = [entered(&slots, Guest::Known), entered(&slots, Guest::Known)];
    assert!(
        was_asked_to_leave(&strangers[0]),
        "it was silent for longest"
    );
    assert!(!strangers[1..].iter().any(was_asked_to_leave));
}

#[test]
fn the_stranger_that_was_silent_for_longest_makes_room() {
    let slots = Slots::new(8, 100);
    let mut strangers: Vec<Slot> = (0..7).map(|n| entered(&slots, stranger(n))).collect();
    strangers[0].asked();
    strangers[1].asked();
    assert_eq!(refusal(&slots, stranger(99)), NoSlot::Yet);
    assert_eq!(
        refusal(&slots, stranger(99)),
        NoSlot::Yet,
        "one leaves at a time"
    );
    assert!(was_asked_to_leave(&strangers[2]));
    assert!(!was_asked_to_leave(&strangers[3]));
    strangers[2].asked();
    drop(strangers.remove(2));
    let _in_its_place = entered(&slots, stranger(99));
    assert_eq!(refusal(&slots, stranger(100)), NoSlot::Yet);
    assert!(
        was_asked_to_leave(&strangers[2]),
        "number 3, which never asked"
    );
}

#[test]
fn a_known_sender_comes_in_for_a_stranger_and_waits_for_its_like() {
    let slots = Slots::new(2, 100);
    let first = entered(&slots, stranger(1));
    let second = entered(&slots, stranger(2));
    assert_eq!(refusal(&slots, Guest::Known), NoSlot::Yet);
    assert!(was_asked_to_leave(&first));
    drop(first);
    let known = entered(&slots, Guest::Known);
    assert_eq!(refusal(&slots, Guest::Known), NoSlot::Yet);
    drop(second);
    let _other = entered(&slots, Guest::Known);
    assert_eq!(refusal(&slots, Guest::Known), NoSlot::Yet);
    assert!(
        slots.freed().now_or_never().is_some(),
        "slots were given back"
    );
    drop(known);
    assert!(slots.freed().now_or_never().is_some());
}

#[test]
fn whom_a_proxy_names_takes_the_slot_over() {
    let slots = Slots::new(16, 1);
    let proxy = entered(&slots, Guest::Known);
    let named = proxy.pass_to(stranger(1)).unwrap();
    assert_eq!(refusal(&slots, stranger(1)), NoSlot::TooManyOfOne);
    let proxy = entered(&slots, Guest::Known);
    assert_eq!(proxy.pass_to(stranger(1)).err(), Some(NoSlot::TooManyOfOne));
    assert_eq!(slots.held().all, 1);
    let proxy = entered(&slots, Guest::Known);
    let known = proxy.pass_to(Guest::Known).unwrap();
    assert_eq!(slots.held().all, 2);
    drop((named, known));
    assert_eq!(slots.held().all, 0);
    assert!(slots.held().by_address.is_empty());
}

proptest! {
    #[test]
    fn the_counts_are_those_of_the_slots(steps in proptest::collection::vec((0_u8..6, 0_u8..4), 1..200)) {
        let slots = Slots::new(8, 3);
        let mut held: Vec<Slot> = Vec::new();
        for (what, whose) in steps {
            let guest = if whose == 0 { Guest::Known } else { stranger(whose) };
            match what {
                0..3 => held.extend(slots.enter(guest)),
                3 if !held.is_empty() => held[usize::from(whose) % held.len()].asked(),
                4 if !held.is_empty() => {
                    let slot = held.swap_remove(usize::from(whose) % held.len());
                    if slot.guest == Guest::Known {
                        held.extend(slot.pass_to(guest));
                    }
                }
                _ => {
                    // Whoever was asked to leave does.
                    held.retain(|slot| !was_asked_to_leave(slot));
                }
            }
            let counted = slots.held();
            let strangers = held.iter().filter(|slot| slot.guest != Guest::Known).count();
            prop_assert_eq!(counted.all as usize, held.len());
            prop_assert_eq!(counted.strangers as usize, strangers);
            prop_assert_eq!(counted.silent.len() + counted.leaving as usize, strangers);
            prop_assert!(counted.by_address.values().all(|count| (1..=3).contains(count)));
            prop_assert!(counted.all <= 8);
        }
    }
}
