//! Any bytes as a seed file: an error that names the place, or a seed.
#![no_main]

use encord_sandbox::Seed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = Seed::from_json(bytes, ".") {
        assert!(!error.to_string().is_empty());
    }
});
