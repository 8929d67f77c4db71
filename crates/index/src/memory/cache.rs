//! Values that are made on first use.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

/// Values by key, each made on first use.
pub(crate) struct Cache<K, V>(Mutex<Cells<K, V>>);

/// A value is made outside the lock: others can be asked for meanwhile.
type Cells<K, V> = FxHashMap<K, Arc<OnceLock<Arc<V>>>>;

impl<K: Clone + Eq + Hash, V> Cache<K, V> {
    /// The value of a key, made now if it is not there yet.
    pub(crate) fn of(&self, key: K, make: impl FnOnce(K) -> V) -> Arc<V> {
        let cell = self.cells().entry(key.clone()).or_default().clone();
        cell.get_or_init(|| Arc::new(make(key))).clone()
    }

    /// Drops the values that do not hold.
    pub(crate) fn retain(&self, holds: impl Fn(&V) -> bool) {
        self.cells().retain(|_, cell| cell.get().is_none_or(|value| holds(value)));
    }

    /// Drops all values: what they were made of is about to change.
    pub(crate) fn forget(&mut self) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<K, V> Cache<K, V> {
    fn cells(&self) -> MutexGuard<'_, Cells<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Cache<K, V> {
        Cache(Mutex::default())
    }
}

impl<K: Clone, V> Clone for Cache<K, V> {
    fn clone(&self) -> Cache<K, V> {
        Cache(Mutex::new(self.cells().clone()))
    }
}
