//! Twins that were looked up lately, within a number and a lifetime.
//!
//! The reference keeps every row for ever; here both memory and staleness have a limit. A lookup that was under way
//! while a twin was changed may bring back what was there before the change, so it remembers when it began.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use encord_labels::id::DataHash;

/// Values by data hash; the oldest give way first.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    entries: HashMap<DataHash, Entry<T>>,
    /// Every entry by age.
    ages: BTreeMap<u64, DataHash>,
    /// Counts everything that is put or forgotten.
    now: u64,
    /// What was forgotten when. It is cleared when there is too much of it, see `settled`.
    forgotten: HashMap<DataHash, u64>,
    /// Nothing is known about what was forgotten before.
    settled: u64,
    capacity: usize,
    lifetime: Duration,
}

#[derive(Debug)]
struct Entry<T> {
    age: u64,
    made: Instant,
    value: T,
}

/// When a lookup began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begun(u64);

impl<T: Clone> Cache<T> {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        // A cache that may keep nothing needs no case of its own.
        let capacity = if lifetime.is_zero() { 0 } else { capacity };
        Self {
            entries: HashMap::new(),
            ages: BTreeMap::new(),
            now: 0,
            forgotten: HashMap::new(),
            settled: 0,
            capacity,
            lifetime,
        }
    }

    pub(crate) fn get(&self, data: DataHash, now: Instant) -> Option<T> {
        let entry = self.entries.get(&data)?;
        (now.duration_since(entry.made) < self.lifetime).then(|| entry.value.clone())
    }

    /// To be asked before values are fetched that will be put.
    pub(crate) fn begin(&self) -> Begun {
        Begun(self.now)
    }

    /// Keeps a value, unless what it was made from may have been forgotten since.
    pub(crate) fn put(&mut self, data: DataHash, value: T, begun: Begun, now: Instant) {
        let outdated = self.forgotten.get(&data).is_some_and(|forgotten| *forgotten > begun.0);
        if self.capacity == 0 || outdated || begun.0 < self.settled {
            return;
        }
        self.now += 1;
        let entry = Entry { age: self.now, made: now, value };
        if let Some(before) = self.entries.insert(data, entry) {
            self.ages.remove(&before.age);
        }
        self.ages.insert(self.now, data);
        while let Some((_, oldest)) = self.ages.first_key_value() {
            let expired =
                self.entries.get(oldest).is_none_or(|entry| now.duration_since(entry.made) >= self.lifetime);
            if !expired && self.entries.len() <= self.capacity {
                break;
            }
            self.entries.remove(oldest);
            self.ages.pop_first();
        }
    }

    pub(crate) fn forget(&mut self, data: DataHash) {
        if let Some(entry) = self.entries.remove(&data) {
            self.ages.remove(&entry.age);
        }
        self.now += 1;
        if self.forgotten.len() >= self.capacity {
            self.forgotten.clear();
            self.settled = self.now;
        }
        self.forgotten.insert(data, self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes() -> Vec<DataHash> {
        (0..4).map(|_| DataHash::random()).collect()
    }

    #[test]
    fn number_and_lifetime_are_limited() {
        let data = hashes();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut cache = Cache::new(2, Duration::from_secs(10));
        let begun = cache.begin();
        cache.put(data[0], 0, begun, at(0));
        cache.put(data[1], 1, begun, at(1));
        cache.put(data[0], 10, begun, at(2));
        cache.put(data[2], 2, begun, at(3));
        assert_eq!(cache.get(data[0], at(3)), Some(10), "it was put again lately");
        assert_eq!(cache.get(data[1], at(3)), None);
        assert_eq!(cache.get(data[2], at(12)), Some(2));
        assert_eq!(cache.get(data[2], at(13)), None);
        cache.forget(data[0]);
        assert_eq!(cache.get(data[0], at(3)), None);
        cache.put(data[3], 3, begun, at(30));
        assert!(cache.entries.len() == 1 && cache.ages.len() == 1);
    }

    #[test]
    fn what_was_fetched_before_a_change_is_not_kept_after_it() {
        let data = hashes();
        let now = Instant::now();
        let mut cache = Cache::new(2, Duration::from_secs(10));
        let before = cache.begin();
        cache.forget(data[0]);
        cache.put(data[0], 0, before, now);
        cache.put(data[1], 1, before, now);
        assert_eq!((cache.get(data[0], now), cache.get(data[1], now)), (None, Some(1)));
        cache.put(data[0], 2, cache.begin(), now);
        assert_eq!(cache.get(data[0], now), Some(2));
        // More changes than are remembered: everything fetched before them counts as outdated.
        let before = cache.begin();
        data[1..].iter().for_each(|data| cache.forget(*data));
        cache.put(data[1], 3, before, now);
        assert_eq!(cache.get(data[1], now), None);
    }

    #[test]
    fn twins_that_are_saved_again_and_again_take_no_more_memory() {
        let data = hashes();
        let now = Instant::now();
        let mut cache = Cache::new(100, Duration::from_secs(10));
        cache.put(data[0], 0, cache.begin(), now);
        for _ in 0..1000 {
            cache.put(data[1], 1, cache.begin(), now);
            cache.forget(data[1]);
            cache.forget(DataHash::random());
        }
        assert_eq!((cache.entries.len(), cache.ages.len()), (1, 1));
        assert!(cache.forgotten.len() <= 100);
    }

    #[test]
    fn nothing_is_kept_where_nothing_may_be() {
        let data = DataHash::random();
        let now = Instant::now();
        for (capacity, lifetime) in [(0, 10), (10, 0)] {
            let mut cache = Cache::new(capacity, Duration::from_secs(lifetime));
            cache.forget(data);
            cache.put(data, 0, cache.begin(), now);
            assert_eq!(cache.get(data, now), None);
        }
    }
}
