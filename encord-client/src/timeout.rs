//! Three clocks, because one cannot serve all: a limit that stops a dead connection early would also kill a
//! healthy large download.

use std::time::Duration;

/// How long to wait for what. There is no limit on the total time of a download that makes progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For making a connection, TLS included. Default 20 s.
    pub connect: Duration,
    /// Between sending a request and its answer, and between two pieces of an answer. Default 120 s, because
    /// creating a thousand label rows takes the platform a while.
    pub stall: Duration,
    /// For one call with all its retries and pauses. Default 10 minutes.
    pub budget: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(120),
            budget: Duration::from_secs(600),
        }
    }
}

impl Timeouts {
    /// Replaces the limit for making a connection.
    #[must_use]
    pub fn with_connect(mut self, connect: Duration) -> Self {
        self.connect = connect;
        self
    }

    /// Replaces the limit for silence of the server.
    #[must_use]
    pub fn with_stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    /// Replaces the limit for one call with all its retries.
    #[must_use]
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_attempt_never_uses_up_the_budget() {
        let timeouts = Timeouts::default();
        assert!(timeouts.connect + timeouts.stall < timeouts.budget / 2);
    }
}
