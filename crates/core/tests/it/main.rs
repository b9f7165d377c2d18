#![allow(missing_docs)]

mod format;
