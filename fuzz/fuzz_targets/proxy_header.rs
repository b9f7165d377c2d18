//! The header of the PROXY protocol, in which a load balancer says who the client is.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = ponte::server::fuzzing::proxy_header(bytes);
});
