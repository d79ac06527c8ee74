//! See the library.

fn main() -> std::process::ExitCode {
    rccar_drive::main()
}
