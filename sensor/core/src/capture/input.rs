//! Where capture bytes come from: a file or standard input, plain, gzip or Zstandard (told by magic), with the compressed bytes counted.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

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
        let mut head = [0; 4];
        let length = read_full(&mut raw, &mut head)?;
        let magic = head[..length].to_vec();
        let whole = io::Cursor::new(magic.clone()).chain(raw);
        if magic.starts_with(&GZIP) {
            return Ok(Input { inner: Box::new(MultiGzDecoder::new(whole)), compressed: true });
        }
        if magic.starts_with(&ZSTANDARD) {
            return Ok(Input { inner: Box::new(zstd::stream::read::Decoder::new(whole)?), compressed: true });
        }
        Ok(Input { inner: Box::new(whole), compressed: false })
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
