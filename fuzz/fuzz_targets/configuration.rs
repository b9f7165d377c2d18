//! The configuration: read, or refused with a sentence.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match ponte::config::parse(text, "ponte.toml") {
        Ok(_) => {}
        Err(errors) => assert!(!errors.errors.is_empty() && !errors.to_string().is_empty()),
    }
    let _ = ponte::config::secret_uses(text, "ponte.toml");
});
