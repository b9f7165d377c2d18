//! A few readers of the journal, shared by the requests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::ApiError;
use crate::journal::{JournalError, Reader};

/// Most queries that run at a time.
const READERS_MAX: usize = 4;

/// The readers that are not in use.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
    slots: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            idle: Mutex::new(Vec::new()),
            slots: Arc::new(Semaphore::new(READERS_MAX)),
        }
    }

    /// Runs a query where it may block.
    pub(super) async fn read<T: Send + 'static>(
        self: Arc<Self>,
        query: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let answer = tokio::task::spawn_blocking(move || {
            let reader = match self.idle().pop() {
                Some(reader) => reader,
                None => Reader::open(&self.path)?,
            };
            let answer = query(&reader);
            // One that failed is not used again: the file may be another one by now.
            if answer.is_ok() {
                self.idle().push(reader);
            }
            drop(slot);
            answer
        });
        Ok(answer.await??)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        // A list of readers is whole whoever panicked while holding it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
