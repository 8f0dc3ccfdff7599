//! Twins that were looked up lately, within a number and a lifetime.
//!
//! The reference keeps every row for ever; here both memory and staleness have a limit.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use encord_labels::id::DataHash;

/// Values by data hash; the oldest give way first.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    entries: HashMap<DataHash, (Instant, T)>,
    /// Data hashes by age; may mention entries that were replaced or forgotten.
    ages: VecDeque<(Instant, DataHash)>,
    capacity: usize,
    lifetime: Duration,
}

impl<T: Clone> Cache<T> {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        Self { entries: HashMap::new(), ages: VecDeque::new(), capacity, lifetime }
    }

    pub(crate) fn get(&self, data: DataHash, now: Instant) -> Option<T> {
        let (made, value) = self.entries.get(&data)?;
        (now.duration_since(*made) < self.lifetime).then(|| value.clone())
    }

    pub(crate) fn put(&mut self, data: DataHash, value: T, now: Instant) {
        if self.capacity == 0 || self.lifetime.is_zero() {
            return;
        }
        self.entries.insert(data, (now, value));
        self.ages.push_back((now, data));
        while let Some(&(made, oldest)) = self.ages.front() {
            let current = self.entries.get(&oldest).is_some_and(|(entry, _)| *entry == made);
            let expired = now.duration_since(made) >= self.lifetime;
            if current && !expired && self.entries.len() <= self.capacity {
                break;
            }
            self.ages.pop_front();
            if current {
                self.entries.remove(&oldest);
            }
        }
    }

    pub(crate) fn forget(&mut self, data: DataHash) {
        self.entries.remove(&data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_lifetime_are_limited() {
        let data: Vec<_> = (0..4).map(|_| DataHash::random()).collect();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut cache = Cache::new(2, Duration::from_secs(10));
        cache.put(data[0], 0, at(0));
        cache.put(data[1], 1, at(1));
        cache.put(data[0], 10, at(2));
        cache.put(data[2], 2, at(3));
        assert_eq!(cache.get(data[0], at(3)), Some(10), "it was put again lately");
        assert_eq!(cache.get(data[1], at(3)), None);
        assert_eq!(cache.get(data[2], at(12)), Some(2));
        assert_eq!(cache.get(data[2], at(13)), None);
        cache.forget(data[0]);
        assert_eq!(cache.get(data[0], at(3)), None);
        cache.put(data[3], 3, at(30));
        assert!(cache.entries.len() == 1 && cache.ages.len() == 1);
    }
}
