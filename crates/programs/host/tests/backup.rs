//! Copies of the database while the host works, and the way back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Host, words};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_copy_is_of_one_moment_while_the_host_is_busy_and_leads_back() {
    let mut host = Host::start();
    host.set_up();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let busy = AtomicBool::new(true);
    std::thread::scope(|threads| {
        let adding = threads.spawn(|| {
            for number in 0.. {
                if !busy.load(Ordering::Relaxed) {
                    return number;
                }
                host.admin(&["user", "add", &format!("Person {number}")]);
            }
            0
        });
        for number in 0..5 {
            assert!(host.sign_in("Ada", "correct horse").status == 204);
            host.admin(&["backup", &at(&format!("{number}.db"))]);
        }
        busy.store(false, Ordering::Relaxed);
        assert!(adding.join().unwrap() > 5, "somebody wrote meanwhile");
    });
    let mode = std::fs::metadata(at("4.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds secrets");
    let again = host.command(&["backup", &at("4.db")]).output().unwrap();
    assert!(!again.status.success() && words(&again).contains("exists already"));

    host.admin(&["user", "add", "Late"]);
    let running = host.command(&["restore", &at("4.db")]).output().unwrap();
    assert!(!running.status.success() && words(&running).contains("stop it first"));
    let second = host.command(&["run"]).output().unwrap();
    assert!(!second.status.success() && words(&second).contains("stop it first"));
    host.stop();
    for number in 0..5 {
        let said = host.admin(&["restore", &at(&format!("{number}.db"))]);
        assert!(said.contains("host.db.before-restore"), "{said}");
        let users = host.admin(&["user", "list"]);
        assert!(users.contains("Ada") && !users.contains("Late"), "{users}");
    }
    let kept = std::fs::read_dir(host.directory.path()).unwrap();
    let kept = kept.filter(|entry| {
        entry.as_ref().unwrap().file_name().to_str().unwrap().contains("before-restore")
    });
    assert_eq!(kept.count(), 5, "nothing is lost");
    host.launch();
    assert_eq!(host.sign_in("Ada", "correct horse").status, 204);
}

#[test]
fn what_is_no_copy_changes_nothing_and_is_named() {
    let mut host = Host::start();
    host.set_up();
    host.stop();
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "no database at all, but long enough to be looked at".repeat(50))
        .unwrap();
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "").unwrap();
    let missing = folder.path().join("missing");
    for (path, why) in [(&text, "no copy"), (&empty, "no copy"), (&missing, "no database at")] {
        let output = host.command(&["restore", path.to_str().unwrap()]).output().unwrap();
        let said = words(&output);
        assert!(!output.status.success() && said.contains(why), "{said}");
        assert!(said.contains(path.file_name().unwrap().to_str().unwrap()), "{said}");
    }
    host.launch();
    assert_eq!(host.sign_in("Ada", "correct horse").status, 204);
}
