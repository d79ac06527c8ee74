#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rccar_fuzz::from_drive::target(data));
