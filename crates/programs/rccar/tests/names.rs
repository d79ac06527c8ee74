//! One file, several programs.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

fn call_as(name: &str, argument: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join(name);
    symlink(env!("CARGO_BIN_EXE_rccar"), &link).unwrap();
    Command::new(link).arg(argument).output().unwrap()
}

#[test]
fn it_is_the_program_whose_name_it_is_called_with() {
    for name in ["rccar-car", "rccar-modem", "rccar-provision", "rccar-update"] {
        let answer = call_as(name, "--version");
        assert!(answer.status.success());
        assert_eq!(
            String::from_utf8(answer.stdout).unwrap(),
            format!("{name} {}\n", env!("CARGO_PKG_VERSION"))
        );
    }
}

#[test]
fn another_name_is_refused_with_those_that_it_knows() {
    let answer = call_as("rccar-toaster", "--version");
    assert_eq!(answer.status.code(), Some(2));
    let said = String::from_utf8(answer.stderr).unwrap();
    assert!(
        said.starts_with("rccar-toaster is no program") && said.contains("rccar-update"),
        "{said}"
    );
}
