//! Frames through a real pipe.
#![allow(clippy::unwrap_used, reason = "tests")]

use nix::sys::stat::Mode;
use rccar_media::camera::pipe::PipeCamera;
use rccar_media::camera::{Camera, CameraError};
use rccar_media::frame::{I420Frame, VideoFormat};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;

const FRAME_BYTES: usize = 64 * 48 * 3 / 2;

#[test]
fn frames_arrive_whole_and_with_rising_capture_times() {
    let fifo = Fifo::new();
    let (mut camera, mut writer) = (fifo.camera(), fifo.writer());
    let mut last = None;
    for value in 1..=20 {
        let (frame, captured_at) = deliver(&mut writer, value, &mut camera);
        assert!(frame.bytes().iter().all(|&byte| byte == value));
        assert!(last.is_none_or(|last| captured_at >= last));
        last = Some(captured_at);
    }
}

#[test]
fn a_reader_that_comes_late_skips_to_the_newest_frame() {
    let fifo = Fifo::new();
    let (mut camera, mut writer) = (fifo.camera(), fifo.writer());
    // Far more than the pipe holds: when the last write returns, the camera's thread has read most
    // of them.
    for value in 1..=250 {
        writer.write_all(&[value; FRAME_BYTES * 4]).unwrap();
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&251) {
        seen.push(deliver(&mut writer, 251, &mut camera).0.bytes()[0]);
    }
    assert!(seen.len() < 500, "{} frames were queued", seen.len());
    assert!(seen.is_sorted(), "{seen:?}");
}

#[test]
fn after_a_writer_that_left_in_the_middle_of_a_frame_the_next_begins_with_a_whole_one() {
    let fifo = Fifo::new();
    let mut camera = fifo.camera();
    let mut writer = fifo.writer();
    assert_eq!(deliver(&mut writer, 1, &mut camera).0.bytes()[0], 1);
    writer.write_all(&[2; FRAME_BYTES - 1]).unwrap();
    drop(writer);
    let error = next(&mut camera).unwrap_err();
    assert!(matches!(error, CameraError::Silent { .. }), "{error}");

    let mut writer = fifo.writer();
    for _ in 0..3 {
        let frame = deliver(&mut writer, 3, &mut camera).0;
        assert!(frame.bytes().iter().all(|&byte| byte == 3), "a frame is mixed from two writers");
    }
}

#[test]
fn without_a_writer_the_error_says_so_and_names_the_pipe() {
    let fifo = Fifo::new();
    let error = next(&mut fifo.camera()).unwrap_err().to_string();
    assert!(
        error.contains("nobody writes to the pipe")
            && error.contains(&fifo.path.display().to_string()),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_pipe_is_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("frames.yuv");
    File::create(&path).unwrap();
    let error = PipeCamera::open(&path, format()).unwrap_err().to_string();
    assert!(error.contains("it is no pipe (create one with mkfifo)"), "{error}");
}

#[test]
fn a_pipe_that_is_created_later_is_found() {
    let directory = TempDir::new().unwrap();
    let fifo = Fifo { path: directory.path().join("camera"), _directory: directory };
    let mut camera = fifo.camera();
    assert!(next(&mut camera).unwrap_err().to_string().contains("No such file"));
    nix::unistd::mkfifo(&fifo.path, Mode::S_IRWXU).unwrap();
    assert_eq!(deliver(&mut fifo.writer(), 9, &mut camera).0.bytes()[0], 9);
}

struct Fifo {
    path: PathBuf,
    _directory: TempDir,
}

impl Fifo {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("camera");
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
        Self { path, _directory: directory }
    }

    fn camera(&self) -> PipeCamera {
        PipeCamera::open(&self.path, format()).unwrap()
    }

    /// Waits until the camera has opened the pipe, as every open for writing does.
    fn writer(&self) -> File {
        OpenOptions::new().write(true).open(&self.path).unwrap()
    }
}

fn format() -> VideoFormat {
    VideoFormat::new(64, 48, 30).unwrap()
}

/// Writes frames of `value` until the camera hands one out: on a machine that stalls, a frame may
/// be too old by then.
fn deliver(
    writer: &mut File,
    value: u8,
    camera: &mut PipeCamera,
) -> (I420Frame, rccar_protocol::units::MonotonicMicros) {
    loop {
        writer.write_all(&[value; FRAME_BYTES]).unwrap();
        if let Ok(delivered) = next(camera) {
            return delivered;
        }
    }
}

fn next(
    camera: &mut PipeCamera,
) -> Result<(I420Frame, rccar_protocol::units::MonotonicMicros), CameraError> {
    let mut frame = I420Frame::new(format());
    camera.next_frame(&mut frame).map(|captured_at| (frame, captured_at))
}
