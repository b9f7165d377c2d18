//! Certificates of senders and authorities, PEM files, keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ponte::secret::{SealKey, Secret};
use ponte::server::Facts;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(facts) = Facts::of(bytes) {
        let _ = (facts.subject.len(), facts.key.len());
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = ponte::server::fuzzing::pem_sections(text);
    let _ = Secret::signing_key(text.to_owned());
    if let Ok(file) = Secret::key_file(text.to_owned()) {
        let _ = SealKey::parse(&file);
    }
});
