//! Where capture bytes come from: a file or standard input, plain or compressed (by its magic), with the compressed
//! bytes counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};

use crate::capture::lz4::Lz4;
use crate::capture::streams::{Bzip2, Streams, Xz};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const XZ: [u8; 6] = *b"\xfd7zXZ\0";
const BZIP2: [u8; 3] = *b"BZh";
const LZ4: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// A source's bytes.
pub struct Input {
    inner: Box<dyn Read + Send>,
    pub compressed: bool,
}

/// Counts what passes.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.count.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

/// The members of a gzip file one after another (RFC 1952 section 2.2); zero padding behind the last, as tapes leave
/// it, is passed over. Everything that can be decompressed before damage is given out first.
struct Gzip<R> {
    raw: R,
    member: Option<Decompress>,
    damaged: bool,
}

impl<R: BufRead> Gzip<R> {
    fn new(raw: R) -> Gzip<R> {
        Gzip { raw, member: Some(Decompress::new_gzip(15)), damaged: false }
    }

    /// Go to the next member; false at the end.
    fn next_member(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.raw.fill_buf()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            if bytes.is_empty() {
                self.member = None;
                return Ok(false);
            }
            let more = zeros < bytes.len();
            self.raw.consume(zeros);
            if more {
                self.member = Some(Decompress::new_gzip(15));
                return Ok(true);
            }
        }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(member) = self.member.as_mut().filter(|_| !self.damaged) {
            let bytes = self.raw.fill_buf()?;
            let (read_before, written_before, ended) = (member.total_in(), member.total_out(), bytes.is_empty());
            let outcome = member.decompress(bytes, buffer, FlushDecompress::None);
            let written = (member.total_out() - written_before) as usize;
            let consumed = (member.total_in() - read_before) as usize;
            self.raw.consume(consumed);
            let member_ended = matches!(outcome, Ok(Status::StreamEnd));
            self.damaged = outcome.is_err() || (ended && written == 0 && !member_ended);
            if member_ended {
                self.next_member()?;
            }
            if written > 0 {
                return Ok(written);
            }
        }
        if self.damaged {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        Ok(0)
    }
}

impl Input {
    /// Open a path, or standard input for "-". `count` follows the bytes read from the medium.
    pub fn open(path: &str, count: Arc<AtomicU64>) -> io::Result<Input> {
        let raw: Box<dyn Read + Send> = if path == "-" {
            Box::new(io::stdin())
        } else {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            Box::new(file)
        };
        let mut raw = Counted { inner: raw, count };
        let mut head = [0; XZ.len()];
        let length = read_full(&mut raw, &mut head)?;
        let magic = head[..length].to_vec();
        let whole = io::Cursor::new(magic.clone()).chain(raw);
        let inner: Box<dyn Read + Send> = if magic.starts_with(&GZIP) {
            Box::new(Gzip::new(BufReader::new(whole)))
        } else if magic.starts_with(&ZSTANDARD) {
            Box::new(zstd::stream::read::Decoder::new(whole)?)
        } else if magic.starts_with(&XZ) {
            Box::new(Streams::<Xz, _>::new(BufReader::new(whole)))
        } else if magic.starts_with(&BZIP2) {
            Box::new(Streams::<Bzip2, _>::new(BufReader::new(whole)))
        } else if magic.starts_with(&LZ4) {
            Box::new(Lz4::new(BufReader::new(whole)))
        } else {
            return Ok(Input { inner: Box::new(whole), compressed: false });
        };
        Ok(Input { inner, compressed: true })
    }

    /// Read until `buffer` is full or the end: the bytes read, and the error that stopped it before.
    pub fn fill(&mut self, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
        let mut done = 0;
        while done < buffer.len() {
            match self.inner.read(&mut buffer[done..]) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return (done, Some(error)),
            }
        }
        (done, None)
    }
}

fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match from.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
