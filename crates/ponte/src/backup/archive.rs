//! The archive: how members are written, and how they are read by somebody who believes nothing.

use std::io::{self, Read, Write};

use ponte_core::time::Timestamp;
use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, EntryType, Header};

/// Longest name of a member that every tar keeps in the header, in bytes.
const MEMBER_BYTES_MAX: usize = 100;
/// A buffer of this size is copied at once, in bytes.
const CHUNK: usize = 128 * 1024;

/// The member of a part: its own name, or a number where that is too long.
pub(super) fn member_of(name: &str, number: usize) -> String {
    if name.len() <= MEMBER_BYTES_MAX {
        return name.to_owned();
    }
    format!("part-{number}")
}

/// Writes members one after the other.
pub(super) struct MemberWriter<W: Write> {
    builder: Builder<W>,
    at: Timestamp,
}

impl<W: Write> MemberWriter<W> {
    pub(super) fn new(output: W, at: Timestamp) -> Self {
        let builder = Builder::new(output);
        Self { builder, at }
    }

    pub(super) fn add(&mut self, member: &str, bytes: u64, content: impl Read) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_path(member)?;
        header.set_size(bytes);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(self.at.0 / 1_000_000).unwrap_or(0));
        header.set_cksum();
        self.builder.append(&header, content)
    }

    /// Writes the end, and gives the output back.
    pub(super) fn finish(self) -> io::Result<W> {
        self.builder.into_inner()
    }
}

/// What is wrong with an archive, or that it can't be read.
#[derive(Debug)]
pub(super) enum ReadError {
    Wrong(String),
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        let kind = error.kind();
        if kind == UnexpectedEof {
            return Self::Wrong("it is cut off".to_owned());
        }
        // What the reader of archives says of a broken one.
        if [Other, InvalidData, InvalidInput].contains(&kind) {
            return Self::Wrong(error.to_string());
        }
        Self::Io(error)
    }
}

/// Reads the members one after the other and hands each to `take`, with its name and its size.
pub(super) fn read_members<R: Read>(
    input: R,
    mut take: impl FnMut(&str, u64, &mut dyn Read) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut archive = Archive::new(input);
    // Raw: extensions, which may claim any size, are no members of a backup.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let path = entry.path_bytes().into_owned();
        let Ok(member) = String::from_utf8(path) else {
            return Err(ReadError::Wrong("a member's name is not text".to_owned()));
        };
        if entry.header().entry_type() != EntryType::Regular {
            return Err(ReadError::Wrong(format!("{member:?} is no plain file")));
        }
        let size = entry.size();
        take(&member, size, &mut entry)?;
    }
    let mut rest = archive.into_inner();
    // Only at its end a sealed file shows that it is whole.
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = rest.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        if chunk[..read].iter().any(|byte| *byte != 0) {
            let problem = "there is something after its end";
            return Err(ReadError::Wrong(problem.to_owned()));
        }
    }
}

/// Copies and counts the digest; says how many bytes there were.
pub(super) fn copy_hashed(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<(u64, String)> {
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok((bytes, hexadecimal(&digest.finalize())));
        }
        digest.update(&chunk[..read]);
        to.write_all(&chunk[..read])?;
        bytes += read as u64;
    }
}

/// The digest of bytes.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
