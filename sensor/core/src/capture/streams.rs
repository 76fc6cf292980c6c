//! Streams of xz and of bzip2, one after another, with zero padding between and behind them passed over.
//!
//! Where damage lies, the two engines give the same bytes because they ask the same of the library: a stream is given
//! byte by byte, what it holds is taken in quanta, and the call that fails gives nothing. Each call is bounded.

use std::io::{self, BufRead, Read};

use liblzma::stream::{Action, Status};

/// At most so much is taken in one call, and so much may be lost before damage.
const QUANTUM_BYTES: usize = 1 << 12;
/// What a stream of xz may ask for: a dictionary of 128 MiB, the largest window of Zstandard, and what goes with it.
const XZ_MEMORY_BYTES: u64 = 144 << 20;

/// What one call did. `written` is without meaning where it failed.
pub struct Step {
    consumed: usize,
    written: usize,
    ended: bool,
}

/// One stream. `None`: it is damaged.
pub trait Stream: Sized {
    fn start() -> Option<Self>;
    /// Take the next of `input`, if any is needed, and write what it holds. `draining`: the call before filled its
    /// output, so there may be more.
    fn step(&mut self, input: &[u8], draining: bool, output: &mut [u8]) -> Option<Step>;
}

/// .xz format 1.2.1.
pub struct Xz {
    inner: liblzma::stream::Stream,
    waiting: bool, // the byte given last was not consumed
}

impl Stream for Xz {
    fn start() -> Option<Xz> {
        let inner = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, 0).ok()?;
        Some(Xz { inner, waiting: false })
    }

    fn step(&mut self, input: &[u8], draining: bool, output: &mut [u8]) -> Option<Step> {
        let byte = if draining && !self.waiting { &[] } else { &input[..input.len().min(1)] };
        let (read_before, written_before) = (self.inner.total_in(), self.inner.total_out());
        let status = self.inner.process(byte, output, Action::Run).ok()?;
        let consumed = (self.inner.total_in() - read_before) as usize;
        self.waiting = consumed < byte.len();
        let written = (self.inner.total_out() - written_before) as usize;
        Some(Step { consumed, written, ended: matches!(status, Status::StreamEnd) })
    }
}

/// A block is read without room for what it holds: so it never shares a call with the block behind it.
pub struct Bzip2 {
    inner: bzip2::Decompress,
}

impl Stream for Bzip2 {
    fn start() -> Option<Bzip2> {
        Some(Bzip2 { inner: bzip2::Decompress::new(false) })
    }

    fn step(&mut self, input: &[u8], draining: bool, output: &mut [u8]) -> Option<Step> {
        let (read_before, written_before) = (self.inner.total_in(), self.inner.total_out());
        let mut ended = false;
        if !draining {
            ended = self.inner.decompress(input, &mut []).ok()? == bzip2::Status::StreamEnd;
        }
        if !ended {
            self.inner.decompress(&[], output).ok()?;
        }
        let consumed = (self.inner.total_in() - read_before) as usize;
        let written = (self.inner.total_out() - written_before) as usize;
        Some(Step { consumed, written, ended })
    }
}

/// The streams of a file.
pub struct Streams<S, R> {
    raw: R,
    stream: Option<S>, // none between streams
    held: Vec<u8>,
    at: usize,
    length: usize,
    draining: bool,
    damaged: bool,
}

impl<S: Stream, R: BufRead> Streams<S, R> {
    pub fn new(raw: R) -> Streams<S, R> {
        Streams { raw, stream: None, held: vec![0; QUANTUM_BYTES], at: 0, length: 0, draining: false, damaged: false }
    }

    /// One call, or the way to the next stream; false at the clean end.
    fn advance(&mut self) -> io::Result<bool> {
        let input = self.raw.fill_buf()?;
        let Some(stream) = self.stream.as_mut() else {
            let zeros = input.iter().take_while(|byte| **byte == 0).count();
            if input.is_empty() {
                return Ok(false);
            }
            if zeros < input.len() {
                self.stream = S::start();
                self.damaged = self.stream.is_none();
            }
            self.raw.consume(zeros);
            return Ok(true);
        };
        let ended = input.is_empty();
        match stream.step(input, self.draining, &mut self.held) {
            Some(step) => {
                self.raw.consume(step.consumed);
                (self.at, self.length) = (0, step.written);
                self.draining = step.written == QUANTUM_BYTES;
                if step.ended {
                    (self.stream, self.draining) = (None, false);
                } else {
                    self.damaged = ended && step.written == 0;
                }
            }
            None => self.damaged = true,
        }
        Ok(true)
    }
}

impl<S: Stream, R: BufRead> Read for Streams<S, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.length {
            if self.damaged {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
            if !self.advance()? {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.length - self.at);
        buffer[..count].copy_from_slice(&self.held[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
