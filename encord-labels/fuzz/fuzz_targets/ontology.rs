//! Any bytes as an ontology: an error or an ontology that writes back what it read.
#![no_main]

use encord_labels::ontology::Ontology;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(ontology) = Ontology::from_slice(bytes) else { return };
    let written = ontology.to_json();
    let again = Ontology::from_json(&written).expect("what was written can be read");
    assert_eq!(again.to_json(), written);
    for class in ontology.objects() {
        let _ = ontology.object(class.name());
        let _ = ontology.object_by_hash(class.feature_hash().as_str());
    }
});
