//! People: set-up, sign-in, links, the command line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Host, token, words};

#[test]
fn the_set_up_link_of_the_first_start_makes_one_account() {
    let host = Host::start();
    assert_eq!(host.sign_in_state("")["setup_required"], true);
    let weak = format!(r#"{{"token":"{}","name":"Ada","password":"short"}}"#, host.setup_token());
    assert_eq!(host.post("/api/v1/setup", "", &weak).status, 422);
    let wrong = r#"{"token":"0000","name":"Eve","password":"correct horse"}"#;
    assert_eq!(host.post("/api/v1/setup", "", wrong).status, 401);
    let cookie = host.set_up();
    let state = host.sign_in_state(&cookie);
    assert_eq!((&state["user"], &state["setup_required"]), (&"Ada".into(), &false.into()));
    let again =
        format!(r#"{{"token":"{}","name":"Eve","password":"correct horse"}}"#, host.setup_token());
    assert_eq!(host.post("/api/v1/setup", "", &again).status, 409);
    assert_eq!(host.sign_in("Eve", "correct horse").status, 401);
}

#[test]
fn accounts_and_sign_ins_outlive_a_restart() {
    let mut host = Host::start();
    let cookie = host.set_up();
    host.stop();
    host.launch();
    assert!(!host.output().contains("#/setup"), "no more set-up links");
    assert_eq!(host.sign_in_state(&cookie)["user"], "Ada");
    assert_eq!(host.sign_in("ada", "correct horse").status, 204);
    assert_eq!(host.sign_in("Ada", "correct horsf").status, 401);
}

#[test]
fn each_start_without_accounts_prints_another_link() {
    let mut host = Host::start();
    let first = host.setup_token();
    host.stop();
    host.launch();
    assert_ne!(host.setup_token(), first);
    let body = format!(r#"{{"token":"{first}","name":"Eve","password":"correct horse"}}"#);
    assert_eq!(host.post("/api/v1/setup", "", &body).status, 401);
    host.set_up();
}

#[test]
fn the_set_up_link_is_printed_whatever_is_logged_and_is_not_logged() {
    let mut host = Host::start();
    assert!(host.log().contains("printed to the standard output"));
    assert!(!host.log().contains(&host.setup_token()));
    host.stop();
    host.log_level = "error";
    host.launch();
    assert_eq!(host.log(), "");
    let link = host.output().lines().last().unwrap().to_owned();
    assert!(link.starts_with("http://127.0.0.1:") && link.contains("/#/setup?token="), "{link}");
    host.set_up();
}

#[test]
fn a_sign_in_link_works_once() {
    let host = Host::start();
    host.admin(&["user", "add", "Bob"]);
    let token = token(&host.admin(&["sign-in-link", "--user", "bob"]), "/#/link?token=");
    let body = format!(r#"{{"token":"{token}"}}"#);
    let reply = host.post("/api/v1/link", "", &body);
    assert_eq!(host.sign_in_state(&reply.cookie.unwrap())["user"], "Bob");
    assert_eq!(host.post("/api/v1/link", "", &body).status, 401);
    let output = host.command(&["sign-in-link", "--user", "Eve"]).output().unwrap();
    assert!(!output.status.success());
    assert!(words(&output).contains("no user Eve"), "{}", words(&output));
}

#[test]
fn a_user_without_a_password_cannot_sign_in_with_one() {
    let host = Host::start();
    host.admin(&["user", "add", "Bob"]);
    assert_eq!(host.sign_in("Bob", "").status, 401);
    assert_eq!(host.sign_in_state("")["setup_required"], false);
}

#[test]
fn users_are_managed_while_the_host_runs() {
    use std::io::Write;
    let host = Host::start();
    host.set_up();
    let mut add = host.command(&["user", "add", "Bob", "--password-stdin"]);
    let mut child = add.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"battery staple\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(host.admin(&["user", "list"]), "Ada\tadmin\nBob\tmember\n");
    let cookie = host.sign_in("Bob", "battery staple").cookie.unwrap();
    host.admin(&["user", "remove", "Bob"]);
    assert_eq!(host.sign_in_state(&cookie)["signed_in"], false);
    assert_eq!(host.sign_in("Bob", "battery staple").status, 401);
    let output = host.command(&["user", "remove", "Bob"]).output().unwrap();
    assert!(words(&output).contains("no user Bob"));
}

/// The status of an attempt to change a password.
fn change(host: &Host, cookie: &str, present: &str, new: &str) -> u16 {
    let body = format!(r#"{{"present":"{present}","new":"{new}"}}"#);
    host.post("/api/v1/account/password", cookie, &body).status
}

fn account(host: &Host, cookie: &str) -> serde_json::Value {
    let reply = host.request("GET", "/api/v1/account", cookie, "");
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_str(&reply.body).unwrap()
}

#[test]
fn row_10_a_person_changes_the_own_password_and_all_other_sign_ins_end() {
    let host = Host::start();
    let here = host.set_up();
    let there = host.sign_in("Ada", "correct horse").cookie.unwrap();
    assert_eq!(change(&host, &here, "correct horsf", "battery staple"), 403);
    assert_eq!(change(&host, &here, "correct horse", "password1"), 422, "everybody tries it");
    assert_eq!(change(&host, "", "correct horse", "battery staple"), 401);
    assert_eq!(host.sign_in_state(&there)["user"], "Ada", "nothing has happened so far");
    assert_eq!(change(&host, &here, "correct horse", "battery staple"), 204);
    assert_eq!(host.sign_in_state(&here)["user"], "Ada");
    assert_eq!(host.sign_in_state(&there)["signed_in"], false);
    assert_eq!(host.sign_in("Ada", "correct horse").status, 401);
    assert_eq!(host.sign_in("Ada", "battery staple").status, 204);
}

#[test]
fn row_10_a_person_sees_the_own_sign_ins_and_ends_one() {
    let mut host = Host::start();
    let here = host.set_up();
    let there = host.sign_in("Ada", "correct horse").cookie.unwrap();
    let shown = account(&host, &here);
    let sign_ins = shown["sign_ins"].as_array().unwrap();
    assert_eq!((&shown["name"], &shown["has_password"]), (&"Ada".into(), &true.into()));
    let brief: Vec<_> = sign_ins.iter().map(|one| (&one["this"], &one["network"])).collect();
    let network = &"127.0.0.0/24".into();
    assert_eq!(brief, [(&false.into(), network), (&true.into(), network)]);
    let other = format!("/api/v1/sign-ins/{}", sign_ins[0]["id"].as_str().unwrap());
    assert_eq!(host.request("DELETE", &other, &here, "").status, 204);
    assert_eq!(host.sign_in_state(&there)["signed_in"], false);
    assert_eq!(host.request("DELETE", &other, &here, "").status, 404);
    assert_eq!(host.request("DELETE", "/api/v1/sign-ins/..%2f", &here, "").status, 404);
    host.stop();
    host.launch();
    assert_eq!(account(&host, &here)["sign_ins"].as_array().unwrap().len(), 1);
}

#[test]
fn row_10_who_forgot_the_password_gets_a_link_from_the_command_line() {
    let host = Host::start();
    let before = host.set_up();
    let link =
        |user: &str| token(&host.admin(&["password-link", "--user", user]), "/#/password?token=");
    let choose = |token: &str, password: &str| {
        let body = format!(r#"{{"token":"{token}","password":"{password}"}}"#);
        host.post("/api/v1/password-link", "", &body)
    };
    let (old, new) = (link("ada"), link("Ada"));
    assert_eq!(choose(&old, "battery staple").status, 401, "the newer one has withdrawn it");
    assert_eq!(choose(&new, "password").status, 422);
    assert_eq!(host.sign_in_state(&before)["user"], "Ada");
    let body = format!(r#"{{"token":"{new}"}}"#);
    assert_eq!(host.post("/api/v1/link", "", &body).status, 401, "it is no sign-in link");
    let cookie = choose(&new, "battery staple").cookie.unwrap();
    assert_eq!(host.sign_in_state(&cookie)["user"], "Ada");
    assert_eq!(host.sign_in_state(&before)["signed_in"], false);
    assert_eq!(choose(&new, "battery staple").status, 401, "it works once");
    assert_eq!(host.sign_in("Ada", "correct horse").status, 401);
    assert_eq!(host.sign_in("Ada", "battery staple").status, 204);
    let output = host.command(&["password-link", "--user", "Eve"]).output().unwrap();
    assert!(words(&output).contains("no user Eve"), "{}", words(&output));
}

#[test]
fn row_10_an_account_that_signs_in_by_links_gets_its_first_password_by_one() {
    let host = Host::start();
    host.admin(&["user", "add", "Bob"]);
    let enter = token(&host.admin(&["sign-in-link", "--user", "Bob"]), "/#/link?token=");
    let body = format!(r#"{{"token":"{enter}"}}"#);
    let cookie = host.post("/api/v1/link", "", &body).cookie.unwrap();
    assert_eq!(account(&host, &cookie)["has_password"], false);
    assert_eq!(change(&host, &cookie, "", "battery staple"), 409);
    let first = token(&host.admin(&["password-link", "--user", "Bob"]), "/#/password?token=");
    let body = format!(r#"{{"token":"{first}","password":"battery staple"}}"#);
    assert_eq!(host.post("/api/v1/password-link", "", &body).status, 204);
    assert_eq!(host.sign_in("Bob", "battery staple").status, 204);
}

#[test]
fn no_secret_is_stored_in_clear() {
    let mut host = Host::start();
    let setup = host.setup_token();
    let cookie = host.set_up();
    let enrolment = host.post("/api/v1/enrolments", &cookie, "{}").body;
    let enrolment = serde_json::from_str::<serde_json::Value>(&enrolment).unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    host.stop();
    let cookie = cookie.split_once('=').unwrap().1;
    for entry in std::fs::read_dir(host.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert!(path.ends_with("releases"), "{path:?} is not looked at");
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let holds =
            |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        let is_output = path.ends_with("output");
        assert!(is_output || !holds(&setup), "{path:?} holds the set-up token");
        for secret in [cookie, "correct horse", &enrolment] {
            assert!(!holds(secret), "{path:?} holds {secret}");
        }
    }
}

#[test]
fn a_wrong_configuration_names_file_line_and_key() {
    let host = Host::start();
    let path = host.directory.path().join("host.toml");
    assert!(host.admin(&["check-config"]).contains("no mistakes"));
    std::fs::write(&path, "[http]\nlisten = [\"here\"]\n").unwrap();
    let output = host.command(&["check-config"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let words = words(&output);
    assert!(words.contains("host.toml:2") && words.contains("http.listen"), "{words}");
}
