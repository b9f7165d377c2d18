//! Backups of a Ponte that runs and is under load; archives that somebody else has made.

mod foreign;
mod journal;
mod under_load;
mod units;
