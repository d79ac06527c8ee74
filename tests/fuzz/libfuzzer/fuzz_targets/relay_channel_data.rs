#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rccar_fuzz::relay_channel_data::target(data));
