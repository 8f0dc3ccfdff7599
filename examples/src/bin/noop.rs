//! Moves every task of a stage along its first pathway, without looking at it.
fn main() {}
