//! Placeholder crate root; see the description in Cargo.toml.
