//! What the compiler says about the five classic mistakes. The texts belong to the toolchain of the repository;
//! `TRYBUILD=overwrite cargo test -p encord-runner --test ui` writes them anew.

#[test]
fn mistakes_are_named() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
