//! One kind of entity, by key, that remembers what changed.
//!
//! Every mutation of the platform's state goes through a table, so a table is
//! the one place where persistence can learn what to write.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Entities of one kind.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    entries: HashMap<K, V>,
    /// Keys touched since the last [`Table::take_changes`]; `None` when nobody
    /// asks for changes, which saves the memory.
    changed: Option<HashSet<K>>,
}

impl<K: Hash + Eq + Clone, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), changed: None }
    }
}

impl<K: Hash + Eq + Clone, V> Table<K, V> {
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    /// The entity, to change it. It counts as changed from now on.
    pub(crate) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if let Some(changed) = &mut self.changed
            && let Some((key, _)) = self.entries.get_key_value(key)
        {
            changed.insert(key.clone());
        }
        self.entries.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if let Some(changed) = &mut self.changed {
            changed.insert(key.clone());
        }
        self.entries.insert(key, value);
    }

    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, value) = self.entries.remove_entry(key)?;
        if let Some(changed) = &mut self.changed {
            changed.insert(key);
        }
        Some(value)
    }

    pub(crate) fn contains<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.contains_key(key)
    }

    /// In no particular order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        self.entries.reserve(additional);
    }
}
