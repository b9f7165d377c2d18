//! What a person types and nobody may see: the terminal's echo is off before the question is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};

use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::{Zeroize as _, Zeroizing};

use crate::secret::SIGNING_KEY_BYTES_MAX;

/// The terminal of the process, wherever its output goes.
const TERMINAL: &str = "/dev/tty";
const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];
const CLEAR_LINE: u8 = 0x15;

/// Asks on the terminal and reads one line of up to [`SIGNING_KEY_BYTES_MAX`] bytes, of which nothing
/// is shown.
///
/// # Errors
/// When there is no terminal, the line is no text or too long, or the person gives up.
pub(super) fn hidden(question: &str) -> io::Result<Zeroizing<String>> {
    let terminal = OpenOptions::new().read(true).write(true).open(TERMINAL)?;
    let quiet = Quiet::make(&terminal)?;
    (&terminal).write_all(format!("{question}: ").as_bytes())?;
    let read = line(&terminal);
    // The line break was not shown either.
    (&terminal).write_all(b"\n")?;
    drop(quiet);
    match read? {
        Typed::Line(text) => Ok(text),
        Typed::Interrupted => {
            // As if the terminal had seen the key: by now it shows again what is typed.
            kill_process(getpid(), Signal::INT)?;
            Err(io::Error::from(io::ErrorKind::Interrupted))
        }
    }
}

enum Typed {
    Line(Zeroizing<String>),
    Interrupted,
}

fn line(mut terminal: &File) -> io::Result<Typed> {
    // Enough room from the start, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(SIGNING_KEY_BYTES_MAX));
    let mut key = [0];
    loop {
        let read = terminal.read(&mut key)?;
        let letter = std::mem::take(&mut key[0]);
        match letter {
            INTERRUPT => return Ok(Typed::Interrupted),
            END if bytes.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            b'\n' | b'\r' | END => break,
            _ if read == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            CLEAR_LINE => bytes.zeroize(),
            letter if BACKSPACE.contains(&letter) => take_back(&mut bytes),
            _ if bytes.len() == SIGNING_KEY_BYTES_MAX => {
                return Err(io::Error::other(format!(
                    "it has more than {SIGNING_KEY_BYTES_MAX} bytes"
                )));
            }
            letter => bytes.push(letter),
        }
    }
    let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|bad| {
        drop(Zeroizing::new(bad.into_bytes()));
        io::Error::other("it is not text")
    })?;
    Ok(Typed::Line(Zeroizing::new(text)))
}

/// Takes the last letter back, whose UTF-8 may have several bytes.
fn take_back(bytes: &mut Vec<u8>) {
    while bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
}

/// A terminal that shows nothing of what is typed and hands over each key. Dropped, it is as it was.
struct Quiet<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Quiet<'t> {
    fn make(terminal: &'t File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_taken_back_whole() {
        let mut bytes = "a\u{e7}\u{1f511}".as_bytes().to_vec();
        take_back(&mut bytes);
        assert_eq!(bytes, "a\u{e7}".as_bytes());
        take_back(&mut bytes);
        take_back(&mut bytes);
        assert_eq!(bytes, b"");
        take_back(&mut bytes);
        assert_eq!(bytes, b"");
    }
}
