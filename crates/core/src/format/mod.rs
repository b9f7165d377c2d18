//! Message formats: from an alert's bytes to a [`Signal`](crate::signal::Signal).
