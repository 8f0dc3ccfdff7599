//! The work of one lane: packets in, wanted frames out.

use av::codec::discard::Discard;
use av::codec::packet::Packet;
use av::util::frame;
use ffmpeg_next as av;

use super::File;
use super::convert::Converter;
use super::index::Index;
use super::input::{Decoder, Input, Mode, broken};
use super::plan::Run;
use crate::error::Result;
use crate::video::lanes::{Halt, Outlet};
use crate::video::{Frame, out_of_range};

/// Decodes planned runs and delivers what is wanted from them.
pub(super) fn runs(
    file: &File,
    index: &Index,
    runs: &[Run],
    threads: usize,
    outlet: &Outlet,
) -> Result<(), Halt> {
    let mut input = Input::open(&file.path)?;
    let mut decoder = input.decoder(&file.path, Mode::Fast(threads))?;
    let mut converter = Converter::new(file.turn, file.limits);
    let first = index.order.first().map_or(0, |packet| index.entries[*packet as usize].shown_at);
    let tick = input.tick();
    let independent = index.all_keys();
    for (number, run) in runs.iter().enumerate() {
        if number > 0 {
            decoder.video.flush();
        }
        input.skip_to(run.start, index, &file.path)?;
        let shown_at = |number: u64| index.entries[index.order[number as usize] as usize].shown_at;
        let mut wanted = run.wanted.iter().copied().peekable();
        let mut deliver = |decoded: &frame::Video| -> Result<(), Halt> {
            let at = decoded.pts().ok_or_else(|| unexpected(file))?;
            let mut pixels = None;
            while let Some(number) = wanted.next_if(|number| shown_at(*number) == at) {
                let pixels = match &pixels {
                    Some(pixels) => pixels,
                    None => pixels.insert(converter.convert(&file.name(), decoded)?),
                };
                outlet.send(Frame {
                    index: number,
                    time: (at - first) as f64 * tick,
                    pixels: pixels.clone(),
                })?;
            }
            // Frames come in the order they are shown, so one that was passed will not come any more.
            if wanted.peek().is_some_and(|number| shown_at(*number) < at) {
                Err(unexpected(file))
            } else {
                Ok(())
            }
        };
        while input.position() <= run.end {
            let entry = index.entries[input.position()];
            let packet = input.read().filter(|packet| entry.is(packet)).ok_or_else(|| unexpected(file))?;
            let needed = entry.shown
                && index
                    .number_at(entry.shown_at)
                    .is_some_and(|number| run.wanted.binary_search(&number).is_ok());
            if independent && !needed {
                continue;
            }
            decoder.video.skip_frame(if needed { Discard::Default } else { Discard::NonReference });
            send(&mut decoder, Some(&packet), file, &mut deliver)?;
        }
        send(&mut decoder, None, file, &mut deliver)?;
        if wanted.peek().is_some() {
            return Err(unexpected(file));
        }
    }
    Ok(())
}

/// Gives the decoder a packet, or the end, and takes the frames it has ready. Any damage stops it.
fn send(
    decoder: &mut Decoder,
    packet: Option<&Packet>,
    file: &File,
    deliver: &mut impl FnMut(&frame::Video) -> Result<(), Halt>,
) -> Result<(), Halt> {
    let sent = match packet {
        Some(packet) => decoder.video.send_packet(packet),
        None => decoder.video.send_eof(),
    };
    match sent {
        Ok(()) | Err(av::Error::Eof) => {}
        Err(error) => return Err(Halt::Damaged(broken(&file.path, error))),
    }
    loop {
        let mut decoded = frame::Video::empty();
        match decoder.video.receive_frame(&mut decoded) {
            Ok(()) if decoded.is_corrupt() || decoded.has_decode_errors() || decoder.damage.is_met() => {
                return Err(Halt::Damaged(broken(&file.path, "a frame is damaged")));
            }
            Ok(()) => deliver(&decoded)?,
            Err(av::Error::Eof) => return Ok(()),
            Err(av::Error::Other { errno: av::error::EAGAIN }) => return Ok(()),
            Err(error) => return Err(Halt::Damaged(broken(&file.path, error))),
        }
    }
}

/// Which frames a pass from the start delivers.
pub(super) enum Pick {
    /// All but so many that were delivered before.
    AllAfter(u64),
    /// These numbers, ascending.
    Numbers(Vec<u64>),
    /// None; the times are what is wanted.
    Nothing,
}

/// Decodes from the start and counts. Returns the time of every frame it saw, in ticks.
///
/// With an index of a regular file frames are numbered by their time stamps, so that a frame lost to damage
/// doesn't shift those after it.
pub(super) fn sequential(
    file: &File,
    index: Option<&Index>,
    mode: Mode,
    pick: &Pick,
    mut outlet: impl FnMut(Frame) -> Result<(), Halt>,
) -> Result<Vec<f64>, Halt> {
    let mut input = Input::open(&file.path)?;
    let mut decoder = input.decoder(&file.path, mode)?;
    let mut converter = Converter::new(file.turn, file.limits);
    let tick = input.tick();
    let pause = file.facts.frame_rate.map_or(0.04, |rate| 1.0 / rate);
    let ranks = index.filter(|index| index.irregular.is_none());
    let mut times: Vec<f64> = Vec::new();
    let mut first = None;
    let mut left = match pick {
        Pick::Numbers(numbers) => numbers.as_slice(),
        _ => &[],
    };
    let mut deliver = |decoded: &frame::Video| -> Result<bool, Halt> {
        let at = decoded.timestamp();
        let number = match ranks.zip(decoded.pts()) {
            Some((index, at)) => match index.number_at(at) {
                Some(number) => number,
                None => return Ok(true),
            },
            None => times.len() as u64,
        };
        let time = match (at, first) {
            (Some(_), None) => 0.0,
            (Some(at), Some(first)) => (at - first) as f64 * tick,
            // No stamp at all: as long after the last as the rate says.
            (None, _) => times.last().map_or(0.0, |last| last + pause),
        };
        first = first.or(at);
        times.push(time);
        file.limits.check_frames(&file.name(), times.len() as u64)?;
        match pick {
            Pick::AllAfter(delivered) if number >= *delivered => {
                outlet(Frame { index: number, time, pixels: converter.convert(&file.name(), decoded)? })?;
            }
            Pick::Numbers(_) if left.first() == Some(&number) => {
                let pixels = converter.convert(&file.name(), decoded)?;
                while let Some((_, rest)) = left.split_first().filter(|(next, _)| **next == number) {
                    outlet(Frame { index: number, time, pixels: pixels.clone() })?;
                    left = rest;
                }
            }
            _ => {}
        }
        Ok(!matches!(pick, Pick::Numbers(_)) || !left.is_empty())
    };
    let mut wanted = true;
    while wanted {
        let packet = input.read();
        if mode != Mode::Certain && input.broken {
            return Err(Halt::Damaged(broken(&file.path, "the container is damaged or truncated")));
        }
        let end = packet.is_none();
        let mut one = |decoded: &frame::Video| -> Result<(), Halt> {
            wanted = wanted && deliver(decoded)?;
            Ok(())
        };
        if mode == Mode::Certain {
            send_anyway(&mut decoder, packet.as_ref(), &mut one)?;
        } else {
            send(&mut decoder, packet.as_ref(), file, &mut one)?;
        }
        if end {
            break;
        }
    }
    match left.first() {
        Some(missing) if times.is_empty() => Err(Halt::Failed(broken(
            &file.path,
            format_args!("no frame could be decoded, so there is no frame {missing}"),
        ))),
        Some(missing) => Err(Halt::Failed(out_of_range(&file.path, *missing, times.len() as u64))),
        None => Ok(times),
    }
}

/// As [`send`], but what fails is left out.
fn send_anyway(
    decoder: &mut Decoder,
    packet: Option<&Packet>,
    deliver: &mut impl FnMut(&frame::Video) -> Result<(), Halt>,
) -> Result<(), Halt> {
    // An error means that nothing comes of this packet; the next may be fine.
    let _ = match packet {
        Some(packet) => decoder.video.send_packet(packet),
        None => decoder.video.send_eof(),
    };
    let mut failures = 0;
    loop {
        let mut decoded = frame::Video::empty();
        match decoder.video.receive_frame(&mut decoded) {
            Ok(()) => deliver(&decoded)?,
            Err(av::Error::Eof | av::Error::Other { errno: av::error::EAGAIN }) => return Ok(()),
            // While draining, other frames may follow a failed one.
            Err(_) if failures < 64 => failures += 1,
            Err(_) => return Ok(()),
        }
    }
}

fn unexpected(file: &File) -> Halt {
    Halt::Damaged(broken(&file.path, "decoding does not give the frames that its packets promise"))
}
