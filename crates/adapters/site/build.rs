//! Checks that the web page was built: it becomes part of the binary.

#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=../../../web/dist");
    if !std::path::Path::new("../../../web/dist/index.html").is_file() {
        println!("cargo::error=web/dist is missing: run `make web`");
    }
}
