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
    /// Boxed, since a hash map keeps up to half of its places empty.
    entries: HashMap<K, Box<V>>,
    /// Keys touched since the last [`Table::take_changes`], in order and with
    /// repetitions; `None` when nobody asks for changes, which saves the memory.
    changed: Option<Vec<K>>,
}

impl<K: Hash + Eq + Clone, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), changed: None }
    }
}

impl<K: Hash + Eq + Clone, V> Table<K, V> {
    pub(crate) fn track(&mut self) {
        self.changed.get_or_insert_default();
    }

    /// Shows every entity that changed since the last call once, with its value
    /// or `None` if it was removed, in the order of the first change.
    pub(crate) fn take_changes(&mut self, mut show: impl FnMut(&K, Option<&V>)) {
        let Some(changed) = &mut self.changed else { return };
        let changed = std::mem::take(changed);
        let mut seen = HashSet::with_capacity(changed.len());
        for key in &changed {
            if seen.insert(key) {
                show(key, self.entries.get(key).map(|value| &**value));
            }
        }
    }

    fn touch(changed: &mut Option<Vec<K>>, key: &K) {
        if let Some(changed) = changed
            && changed.last() != Some(key)
        {
            changed.push(key.clone());
        }
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|value| &**value)
    }

    /// The entity, to change it. It counts as changed from now on.
    pub(crate) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if self.changed.is_some()
            && let Some((key, _)) = self.entries.get_key_value(key)
        {
            Self::touch(&mut self.changed, key);
        }
        self.entries.get_mut(key).map(|value| &mut **value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        Self::touch(&mut self.changed, &key);
        self.entries.insert(key, Box::new(value));
    }

    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (key, value) = self.entries.remove_entry(key)?;
        Self::touch(&mut self.changed, &key);
        Some(*value)
    }

    pub(crate) fn contains<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.contains_key(key)
    }

    /// In no particular order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|value| &**value)
    }

    /// In no particular order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, &**value))
    }

    pub(crate) fn reserve(&mut self, additional: usize) {
        self.entries.reserve(additional);
    }
}
