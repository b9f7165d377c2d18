//! Slots for connections: how many there are, how many one stranger may hold, which are kept for
//! known senders, and which stranger makes room.
//!
//! A stranger can take neither the last slots nor many, and holds what it has only while there is
//! room: when another one comes, the stranger that has asked for nothing for longest goes. Nobody
//! queues behind strangers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::gate::Guest;

/// One slot in so many is kept for known senders.
const RESERVED_PART: u32 = 8;

/// All slots of a listener.
pub(super) struct Slots {
    all_max: u32,
    /// Most that strangers may hold together.
    strangers_max: u32,
    per_address_max: u32,
    held: Mutex<Held>,
    /// Told whenever a slot is given back; the listener is the only one that waits for it.
    freed: Notify,
}

#[derive(Default)]
struct Held {
    all: u32,
    strangers: u32,
    /// Strangers that were asked to leave and have not left yet.
    leaving: u32,
    by_address: BTreeMap<IpAddr, u32>,
    /// The strangers that may be asked to leave; the one that was silent for longest stands first.
    silent: BTreeMap<u64, Arc<Notify>>,
    turn: u64,
}

/// Why there is no slot for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSlot {
    /// Not now: one will be given back.
    Yet,
    /// The stranger's address holds as many as it may.
    TooManyOfOne,
}

/// One connection's slot, given back when it is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    guest: Guest,
    /// Its place in `silent`.
    turn: AtomicU64,
    leave: Arc<Notify>,
}

impl Slots {
    pub(super) fn new(all_max: u32, per_address_max: u32) -> Arc<Self> {
        Arc::new(Self {
            all_max,
            strangers_max: all_max - all_max / RESERVED_PART,
            per_address_max,
            held: Mutex::default(),
            freed: Notify::new(),
        })
    }

    /// Takes a slot; where strangers are in the way, one of them is asked to leave.
    ///
    /// # Errors
    /// When there is none now, or never for this guest.
    pub(super) fn enter(self: &Arc<Self>, guest: Guest) -> Result<Slot, NoSlot> {
        let mut held = self.held();
        self.admit(&mut held, guest)?;
        held.all += 1;
        Ok(self.slot(&mut held, guest))
    }

    /// Waits until a slot is given back, if [`Self::enter`] has just found none.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    /// Asks the stranger that was silent for longest to leave, for the sake of the system's handles.
    pub(super) fn make_room(&self) {
        make_room(&mut self.held());
    }

    fn admit(&self, held: &mut Held, guest: Guest) -> Result<(), NoSlot> {
        let crowded = match guest {
            Guest::Known => held.all >= self.all_max,
            Guest::Stranger(address) => {
                let its_own = held.by_address.get(&address).copied().unwrap_or(0);
                if its_own >= self.per_address_max {
                    return Err(NoSlot::TooManyOfOne);
                }
                held.all >= self.all_max || held.strangers >= self.strangers_max
            }
        };
        if crowded {
            make_room(held);
            return Err(NoSlot::Yet);
        }
        Ok(())
    }

    /// The slot of a guest who is in.
    fn slot(self: &Arc<Self>, held: &mut Held, guest: Guest) -> Slot {
        let leave = Arc::new(Notify::new());
        held.turn += 1;
        if let Guest::Stranger(address) = guest {
            held.strangers += 1;
            *held.by_address.entry(address).or_insert(0) += 1;
            held.silent.insert(held.turn, leave.clone());
        }
        Slot {
            slots: self.clone(),
            guest,
            turn: AtomicU64::new(held.turn),
            leave,
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // The counts are whole after every step, whoever panicked while holding them.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks one stranger to leave, unless one is on its way out already.
fn make_room(held: &mut Held) {
    if held.leaving > 0 {
        return;
    }
    if let Some((_, leave)) = held.silent.pop_first() {
        held.leaving += 1;
        leave.notify_one();
    }
}

impl Slot {
    /// The slot of the guest that a proxy has named, in place of the proxy's.
    ///
    /// # Errors
    /// When the guest's address holds as many as it may.
    pub(super) fn pass_to(mut self, guest: Guest) -> Result<Self, NoSlot> {
        let Guest::Stranger(_) = guest else {
            return Ok(self);
        };
        let slots = self.slots.clone();
        let mut held = slots.held();
        match slots.admit(&mut held, guest) {
            // It has a slot already: whoever was asked to leave makes up for it.
            Ok(()) | Err(NoSlot::Yet) => {}
            Err(NoSlot::TooManyOfOne) => {
                drop(held);
                return Err(NoSlot::TooManyOfOne);
            }
        }
        let named = slots.slot(&mut held, guest);
        // The count of all goes over to the new slot.
        held.all += 1;
        drop(held);
        self.guest = Guest::Known;
        drop(self);
        Ok(named)
    }

    /// The guest has asked for something: others are longer silent.
    pub(super) fn asked(&self) {
        let Guest::Stranger(_) = self.guest else {
            return;
        };
        let mut held = self.slots.held();
        held.turn += 1;
        let next = held.turn;
        let turn = self.turn.load(Ordering::Relaxed);
        // One that was asked to leave can't come back.
        if let Some(leave) = held.silent.remove(&turn) {
            held.silent.insert(next, leave);
            self.turn.store(next, Ordering::Relaxed);
        }
    }

    /// Waits until the guest must leave.
    pub(super) async fn must_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.slots.held();
        held.all -= 1;
        if let Guest::Stranger(address) = self.guest {
            held.strangers -= 1;
            let turn = self.turn.load(Ordering::Relaxed);
            if held.silent.remove(&turn).is_none() {
                held.leaving = held.leaving.saturating_sub(1);
            }
            let of_address = held.by_address.get_mut(&address);
            let left = of_address.map_or(0, |count| {
                *count -= 1;
                *count
            });
            if left == 0 {
                held.by_address.remove(&address);
            }
        }
        drop(held);
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
