//! Any bytes as the specification of a task on a queue: an error, or one that is written back with everything in it.
#![no_main]

use encord_runner::queue::TaskSpec;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(spec) = text.parse::<TaskSpec>() else { return };
    let again: TaskSpec = spec.to_string().parse().expect("what was written can be read");
    assert_eq!(again, spec);
    let Ok(Value::Object(given)) = serde_json::from_str(text) else { panic!("a specification is an object") };
    assert_eq!(&given, spec.fields(), "every field is kept");
});
