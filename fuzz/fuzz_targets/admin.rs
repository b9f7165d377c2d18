//! What the owner's programs send to the admin address. The first byte says which of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ponte::admin::wire;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, body)) = bytes.split_first() else {
        return;
    };
    match kind % 6 {
        0 => drop(serde_json::from_slice::<wire::HaltRequest>(body)),
        1 => drop(serde_json::from_slice::<wire::ScopeRequest>(body)),
        2 => drop(serde_json::from_slice::<wire::SourceRequest>(body)),
        3 => drop(serde_json::from_slice::<wire::ReloadRequest>(body)),
        4 => drop(serde_json::from_slice::<wire::RecordRequest>(body)),
        _ => {
            if let Ok(text) = std::str::from_utf8(body) {
                let _ =
                    ponte::admin::moment(text, ponte_core::time::Timestamp(1_800_000_000_000_000));
            }
        }
    }
});
