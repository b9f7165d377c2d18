//! The command line of Ponte.
fn main() {}
