//! Captures, read in blocks: a file or standard input, in either format.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::Arc;

use crate::capture::input::Input;
use crate::capture::packet::{Block, Problem};
use crate::capture::{pcap, pcapng};

const BLOCK_BYTES: usize = 1 << 20;

enum Format {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

/// A capture being read.
pub struct Reader {
    pub name: String,
    input: Input,
    format: Format,
    rest: Vec<u8>,          // read, but not yet part of a whole record
    base: u64,              // offset of rest[0] in the decompressed capture
    ended: bool,            // the input has no more
    failed: Option<String>, // why the input stopped early
    need: usize,
}

impl Reader {
    /// Open a capture and read its first header.
    pub fn open(name: &str, count: Arc<AtomicU64>) -> Result<Reader, Problem> {
        let refuse = |reason: String| Problem { reason, offset: 0 };
        let mut input = Input::open(name, count).map_err(|error| refuse(open_error(&error)))?;
        let mut head = vec![0; 24];
        let (length, error) = input.fill(&mut head);
        head.truncate(length);
        if head.is_empty() && error.is_none() && !input.compressed {
            return Err(refuse("empty file".into()));
        }
        if let Some(error) = error.as_ref().filter(|_| !input.compressed) {
            return Err(refuse(open_error(error)));
        }
        let format = if pcapng::is_magic(&head) && head.len() == pcap::FILE_HEADER {
            Format::Pcapng(pcapng::Pcapng::default())
        } else {
            Format::Pcap(pcap::Pcap::from_header(&head).ok_or_else(|| refuse("not a capture".into()))?)
        };
        let skip = if matches!(format, Format::Pcap(_)) { pcap::FILE_HEADER } else { 0 };
        let failed = error.map(|_| "decompression".to_string());
        Ok(Reader {
            name: name.to_string(),
            ended: length < 24,
            rest: head.split_off(skip),
            base: skip as u64,
            input,
            format,
            failed,
            need: 0,
        })
    }

    /// Fill the block with the next packets. `Ok(true)`: there may be more; `Ok(false)`: the clean end (offset in
    /// `position`). On `Err` the block still holds the packets before the damage.
    pub fn next_block(&mut self, block: &mut Block) -> Result<bool, Problem> {
        block.packets.clear();
        let want = BLOCK_BYTES.max(self.need);
        if block.bytes.len() < want {
            block.bytes.resize(want, 0);
        }
        let carried = self.rest.len();
        block.bytes[..carried].copy_from_slice(&self.rest);
        let mut filled = carried;
        if !self.ended {
            let (length, error) = self.input.fill(&mut block.bytes[carried..want]);
            filled += length;
            self.ended = error.is_some() || filled < want;
            if let Some(error) = error {
                self.failed = Some(if self.input.compressed { "decompression".into() } else { error.to_string() });
            }
        }
        block.filled = filled;
        let parsed = match &mut self.format {
            Format::Pcap(pcap) => pcap.parse(&block.bytes[..filled], &mut block.packets),
            Format::Pcapng(pcapng) => pcapng.parse(&block.bytes[..filled], &mut block.packets),
        };
        self.rest.clear();
        self.rest.extend_from_slice(&block.bytes[parsed.used..filled]);
        let before = self.base;
        self.base += parsed.used as u64;
        self.need = parsed.need;
        if let Some((reason, at)) = parsed.damage {
            return Err(Problem { reason: reason.into(), offset: before + at as u64 });
        }
        if !self.ended {
            return Ok(true);
        }
        if let Some(reason) = self.failed.take() {
            return Err(Problem { reason, offset: before + filled as u64 });
        }
        if !self.rest.is_empty() {
            return Err(Problem { reason: "truncated".into(), offset: self.base });
        }
        Ok(false)
    }

    /// Offset up to which the capture has been used.
    pub fn position(&self) -> u64 {
        self.base
    }
}

fn open_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "is a directory".into(),
        _ => error.to_string(),
    }
}
