//! The file of the calibration, written by a thread of its own: a slow disk must not stop the loop.

use rccar_causes::causes;
use rccar_daemon::files;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// What is to become of the file.
#[derive(Debug)]
pub(super) enum Job {
    Write(String),
    Remove,
}

/// Takes one job at a time.
#[derive(Debug)]
pub(super) struct Store {
    jobs: Option<SyncSender<Job>>,
    outcomes: Receiver<Result<(), String>>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    pub(super) fn start(path: &Path) -> io::Result<Self> {
        let (jobs, received) = sync_channel::<Job>(1);
        let (done, outcomes) = sync_channel(1);
        let path = path.to_owned();
        let work = move || {
            for job in received {
                let outcome = carry_out(&path, &job);
                if done.send(outcome).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("calibration".into()).spawn(work)?;
        Ok(Self { jobs: Some(jobs), outcomes, thread: Some(thread) })
    }

    /// Begins a job. False: the thread has ended, which it does after a panic only.
    pub(super) fn begin(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    /// What became of the job, once it is done.
    pub(super) fn outcome(&self) -> Option<Result<(), String>> {
        self.outcomes.try_recv().ok()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // First, because the thread ends when there are no more jobs.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn carry_out(path: &PathBuf, job: &Job) -> Result<(), String> {
    match job {
        Job::Write(text) => {
            files::write(path, text.as_bytes()).map_err(|error| causes(&error).to_string())
        }
        Job::Remove => match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(format!("cannot remove {}: {error}", path.display()))
            }
            _ => Ok(()),
        },
    }
}
