//! A bounded collection in order of creation, with look-up by id and the provider's cursor pagination.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most objects per kind and account. Beyond it the oldest are forgotten.
pub const CAPACITY: usize = 50_000;

/// An object with its own id.
pub trait Keyed {
    /// The id, unique within its kind.
    fn id(&self) -> &str;
}

/// The objects of one kind, stored oldest first and listed newest first.
#[derive(Debug)]
pub struct Store<T> {
    items: BTreeMap<u64, T>,
    index: HashMap<String, u64>,
    next: u64,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<'a, T> {
    /// The objects, newest first.
    pub items: Vec<&'a T>,
    /// Whether more objects follow in the direction of the page.
    pub has_more: bool,
}

/// The start of a page.
#[derive(Debug, Clone, Copy)]
pub enum Cursor {
    /// The newest objects.
    Newest,
    /// Objects older than this position.
    After(u64),
    /// The objects just newer than this position.
    Before(u64),
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Store { items: BTreeMap::new(), index: HashMap::new(), next: 0 }
    }
}

impl<T: Keyed> Store<T> {
    /// Adds an object as the newest one, and forgets the oldest when the store is full.
    pub fn insert(&mut self, item: T) {
        if self.items.len() >= CAPACITY
            && let Some((_, oldest)) = self.items.pop_first()
        {
            self.index.remove(oldest.id());
        }
        self.index.insert(item.id().to_owned(), self.next);
        self.items.insert(self.next, item);
        self.next += 1;
        debug_assert_eq!(self.items.len(), self.index.len(), "ids are unique");
    }

    /// The object with this id.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.items.get(self.index.get(id)?)
    }

    /// The object with this id, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.items.get_mut(self.index.get(id)?)
    }

    /// Removes the object with this id, and returns it.
    pub fn remove(&mut self, id: &str) -> Option<T> {
        self.items.remove(&self.index.remove(id)?)
    }

    /// The position of an id, for a cursor.
    pub fn position(&self, id: &str) -> Option<u64> {
        self.index.get(id).copied()
    }

    /// The position that the next object will get.
    pub fn mark(&self) -> u64 {
        self.next
    }

    /// The objects added since a mark, oldest first.
    pub fn since(&self, mark: u64) -> impl Iterator<Item = &T> {
        self.items.range(mark..).map(|(_, item)| item)
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether the store is empty.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All objects, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &T> {
        self.items.values().rev()
    }

    /// All objects, oldest first.
    pub fn oldest(&self) -> impl Iterator<Item = &T> {
        self.items.values()
    }

    /// Up to `limit` objects that pass `keep`, newest first, from the cursor on.
    pub fn page(&self, cursor: Cursor, limit: usize, keep: impl Fn(&T) -> bool) -> Page<'_, T> {
        let items: Box<dyn Iterator<Item = (&u64, &T)>> = match cursor {
            Cursor::Newest => Box::new(self.items.iter().rev()),
            Cursor::After(at) => Box::new(self.items.range(..at).rev()),
            Cursor::Before(at) => Box::new(self.items.range(at + 1..)),
        };
        let mut items: Vec<&T> = items.map(|(_, item)| item).filter(|item| keep(item)).take(limit + 1).collect();
        let has_more = items.len() > limit;
        items.truncate(limit);
        if matches!(cursor, Cursor::Before(_)) {
            items.reverse();
        }
        Page { items, has_more }
    }
}

impl<T: Serialize> Serialize for Store<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.values())
    }
}

impl<'de, T: Keyed + Deserialize<'de>> Deserialize<'de> for Store<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut store = Store::default();
        for item in Vec::<T>::deserialize(deserializer)? {
            store.insert(item);
        }
        Ok(store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Item(String);

    impl Keyed for Item {
        fn id(&self) -> &str {
            &self.0
        }
    }

    fn numbered(count: usize) -> Store<Item> {
        let mut store = Store::default();
        (0..count).for_each(|n| store.insert(Item(n.to_string())));
        store
    }

    fn ids(page: &Page<'_, Item>) -> Vec<String> {
        page.items.iter().map(|item| item.0.clone()).collect()
    }

    #[test]
    fn pages_run_from_newest_to_oldest_and_back() {
        let store = numbered(5);
        let first = store.page(Cursor::Newest, 2, |_| true);
        assert_eq!((ids(&first), first.has_more), (vec!["4".into(), "3".into()], true));
        let last = store.page(Cursor::After(store.position("1").unwrap()), 2, |_| true);
        assert_eq!((ids(&last), last.has_more), (vec!["0".into()], false));
        let back = store.page(Cursor::Before(store.position("1").unwrap()), 2, |_| true);
        assert_eq!((ids(&back), back.has_more), (vec!["3".into(), "2".into()], true));
    }

    #[test]
    fn a_full_store_forgets_the_oldest() {
        let store = numbered(CAPACITY + 1);
        assert_eq!(store.len(), CAPACITY);
        assert!(store.get("0").is_none() && store.get("1").is_some());
    }
}
