//! Where the bytes of a download go: gathered, and written by another thread while more arrive.
//!
//! Handing every small piece to a thread of its own costs more than writing it, so pieces are collected first. One
//! batch is written while the next is collected; that bounds the memory.

use std::fs::File;
use std::io::{self, IoSlice, Seek, SeekFrom, Write};
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;

/// Bytes collected before they are written.
const BATCH: usize = 1 << 20;

/// Pieces that one call of the operating system takes.
const PIECES: usize = 512;

/// A file that is written behind the back of the one who fills it.
pub(super) struct Sink {
    file: Arc<File>,
    collected: Vec<Bytes>,
    bytes: usize,
    writing: Option<JoinHandle<io::Result<()>>>,
}

impl Sink {
    pub(super) fn new(file: File) -> Self {
        Self { file: Arc::new(file), collected: Vec::new(), bytes: 0, writing: None }
    }

    /// Takes the next piece. An error may be about one that was taken before.
    pub(super) async fn write(&mut self, piece: Bytes) -> io::Result<()> {
        self.bytes += piece.len();
        self.collected.push(piece);
        if self.bytes >= BATCH || self.collected.len() >= PIECES { self.hand_over().await } else { Ok(()) }
    }

    /// Waits until everything is in the file.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        self.hand_over().await?;
        self.settle().await
    }

    /// Shortens the file to its first bytes and goes on from there.
    pub(super) async fn restart(&mut self, position: u64) -> io::Result<()> {
        self.finish().await?;
        self.on_thread(move |mut file| {
            file.set_len(position)?;
            file.seek(SeekFrom::Start(position)).map(drop)
        });
        self.settle().await
    }

    async fn hand_over(&mut self) -> io::Result<()> {
        self.settle().await?;
        self.bytes = 0;
        let pieces = mem::take(&mut self.collected);
        if !pieces.is_empty() {
            self.on_thread(move |file| write_all(file, &pieces));
        }
        Ok(())
    }

    fn on_thread(&mut self, work: impl FnOnce(&File) -> io::Result<()> + Send + 'static) {
        let file = Arc::clone(&self.file);
        self.writing = Some(tokio::task::spawn_blocking(move || work(&file)));
    }

    async fn settle(&mut self) -> io::Result<()> {
        match &mut self.writing {
            Some(writing) => {
                let written = writing.await.map_err(io::Error::other);
                self.writing = None;
                written?
            }
            None => Ok(()),
        }
    }
}

fn write_all(mut file: &File, pieces: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut rest = slices.as_mut_slice();
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
