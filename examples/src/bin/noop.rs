//! Moves every task of the agent stages on.
fn main() {}
