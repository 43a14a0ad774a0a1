//! The queue between two stages: bounded in items and in bytes, with its depth read at scrape.
//!
//! Any number of producers, one consumer. The queue never drops items: when it is full, the producer decides.

use std::collections::VecDeque;
use std::iter::Sum;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::Notify;

/// A queue of `T` bounded in items and bytes.
#[derive(Debug)]
pub struct Queue<T> {
    inner: Mutex<Inner<T>>,
    readable: Notify,
    writable: Notify,
    capacity: usize,
    capacity_bytes: usize,
}

#[derive(Debug)]
struct Inner<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

/// How full one or more queues are.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Level {
    /// Items queued.
    pub depth: usize,
    /// Bound in items.
    pub capacity: usize,
}

impl Level {
    /// That of several queues together.
    pub fn of<'a, T: 'a>(queues: impl IntoIterator<Item = &'a Arc<Queue<T>>>) -> Self {
        let level = |queue: &'a Arc<Queue<T>>| Self {
            depth: queue.len(),
            capacity: queue.capacity(),
        };
        queues.into_iter().map(level).sum()
    }
}

impl Sum for Level {
    fn sum<I: Iterator<Item = Self>>(levels: I) -> Self {
        levels.fold(Self::default(), |sum, level| Self {
            depth: sum.depth + level.depth,
            capacity: sum.capacity + level.capacity,
        })
    }
}

/// The queue was full or closed; returns the item.
#[derive(Debug)]
pub struct Rejected<T>(pub T);

impl<T> Queue<T> {
    /// A queue of at most `capacity` items that together hold at most `capacity_bytes`; one item
    /// larger than that is taken when the queue is empty.
    pub fn new(capacity: usize, capacity_bytes: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                items: VecDeque::new(),
                bytes: 0,
                closed: false,
            }),
            readable: Notify::new(),
            writable: Notify::new(),
            capacity: capacity.max(1),
            capacity_bytes,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // No method panics while it holds the lock, so a poisoned queue is still consistent.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, inner: &Inner<T>, size: usize) -> bool {
        inner.items.is_empty()
            || (inner.items.len() < self.capacity && inner.bytes + size <= self.capacity_bytes)
    }

    /// Appends an item of `size` bytes if there is room.
    ///
    /// # Errors
    /// Returns the item when the queue is full or closed.
    pub fn try_push(&self, item: T, size: usize) -> Result<(), Rejected<T>> {
        let mut inner = self.lock();
        if inner.closed || !self.has_room(&inner, size) {
            return Err(Rejected(item));
        }
        inner.items.push_back((item, size));
        inner.bytes += size;
        drop(inner);
        self.readable.notify_one();
        Ok(())
    }

    /// Appends an item, after removing as many from the front as necessary; returns the removed ones.
    ///
    /// # Errors
    /// Returns the item when the queue is closed.
    pub fn push_dropping_oldest(&self, item: T, size: usize) -> Result<Vec<T>, Rejected<T>> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(Rejected(item));
        }
        let mut dropped = Vec::new();
        while !self.has_room(&inner, size) {
            if let Some((oldest, bytes)) = inner.items.pop_front() {
                inner.bytes -= bytes;
                dropped.push(oldest);
            }
        }
        inner.items.push_back((item, size));
        inner.bytes += size;
        drop(inner);
        self.readable.notify_one();
        Ok(dropped)
    }

    /// Waits for room and appends the item.
    ///
    /// # Errors
    /// Returns the item when the queue is closed.
    pub async fn push(&self, item: T, size: usize) -> Result<(), Rejected<T>> {
        let mut item = item;
        loop {
            match self.try_push(item, size) {
                Ok(()) => return Ok(()),
                Err(Rejected(back)) => item = back,
            }
            if self.is_closed() {
                return Err(Rejected(item));
            }
            self.writable(size).await;
        }
    }

    /// Waits until an item of `size` bytes would fit, or the queue is closed.
    pub async fn writable(&self, size: usize) {
        loop {
            let notified = self.writable.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            {
                let inner = self.lock();
                if inner.closed || self.has_room(&inner, size) {
                    return;
                }
            }
            notified.await;
        }
    }

    /// Takes items from the front while they are at most `items` and `bytes` together, but one in any
    /// case; appends them to `batch`.
    pub fn pop_into(&self, batch: &mut VecDeque<T>, items: usize, bytes: usize) -> usize {
        let mut inner = self.lock();
        let mut count = 0;
        let mut total = 0;
        while count < items {
            let Some(&(_, size)) = inner.items.front() else {
                break;
            };
            if count > 0 && total + size > bytes {
                break;
            }
            if let Some((item, _)) = inner.items.pop_front() {
                batch.push_back(item);
            }
            inner.bytes -= size;
            total += size;
            count += 1;
        }
        drop(inner);
        if count > 0 {
            self.writable.notify_waiters();
        }
        count
    }

    /// Waits until there is something to take (`true`), or the queue is closed and empty (`false`).
    pub async fn readable(&self) -> bool {
        loop {
            let notified = self.readable.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            {
                let inner = self.lock();
                if !inner.items.is_empty() {
                    return true;
                }
                if inner.closed {
                    return false;
                }
            }
            notified.await;
        }
    }

    /// Waits until `items` or `bytes` are queued, or as many as there is room for, or the queue is closed.
    pub async fn gathered(&self, items: usize, bytes: usize) {
        let (items, bytes) = (items.min(self.capacity), bytes.min(self.capacity_bytes));
        loop {
            let notified = self.readable.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            {
                let inner = self.lock();
                if inner.closed || inner.items.len() >= items || inner.bytes >= bytes {
                    return;
                }
            }
            notified.await;
        }
    }

    /// What `look` finds in the oldest item, if there is one.
    pub fn front<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock().items.front().map(|(item, _)| look(item))
    }

    /// Closes the queue to further items; queued ones can still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.readable.notify_waiters();
        self.readable.notify_one();
        self.writable.notify_waiters();
    }

    /// Whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Items queued.
    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bound in items.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn full_queue_gives_the_item_back() {
        let queue = Queue::new(2, 100);
        queue.try_push('a', 1).unwrap();
        queue.try_push('b', 1).unwrap();
        assert_eq!(queue.try_push('c', 1).unwrap_err().0, 'c');
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn bytes_bound_the_queue_but_one_large_item_fits_alone() {
        let queue = Queue::new(10, 100);
        queue.try_push('a', 1000).unwrap();
        assert!(queue.try_push('b', 1).is_err());
        let mut batch = VecDeque::new();
        queue.pop_into(&mut batch, 10, 1);
        queue.try_push('b', 60).unwrap();
        assert!(queue.try_push('c', 60).is_err());
    }

    #[test]
    fn dropping_oldest_returns_what_it_dropped() {
        let queue = Queue::new(2, 100);
        for item in ['a', 'b'] {
            queue.try_push(item, 1).unwrap();
        }
        assert_eq!(queue.push_dropping_oldest('c', 1).unwrap(), ['a']);
        let mut batch = VecDeque::new();
        queue.pop_into(&mut batch, 10, 100);
        assert_eq!(batch, ['b', 'c']);
    }

    #[tokio::test]
    async fn a_waiting_producer_goes_on_when_there_is_room() {
        let queue = Arc::new(Queue::new(1, 100));
        queue.try_push(1, 1).unwrap();
        let producer = tokio::spawn({
            let queue = queue.clone();
            async move { queue.push(2, 1).await.is_ok() }
        });
        tokio::task::yield_now().await;
        let mut batch = VecDeque::new();
        queue.pop_into(&mut batch, 1, 100);
        assert!(producer.await.unwrap());
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn as_many_as_are_asked_for_are_gathered_or_as_there_is_room_for() {
        let queue = Queue::new(4, 100);
        let gathered = |items, bytes| {
            let mut context = Context::from_waker(Waker::noop());
            pin!(queue.gathered(items, bytes))
                .poll(&mut context)
                .is_ready()
        };
        assert!(!gathered(1, 1));
        queue.try_push('a', 10).unwrap();
        assert_eq!(queue.front(|item| *item), Some('a'));
        assert!(gathered(1, 100));
        assert!(!gathered(2, 100));
        assert!(gathered(2, 10));
        for item in ['b', 'c', 'd'] {
            assert!(!gathered(20, 100));
            queue.try_push(item, 10).unwrap();
        }
        assert!(gathered(20, 100), "more can't come");
        queue.pop_into(&mut VecDeque::new(), 3, 100);
        assert!(!gathered(2, 100));
        queue.close();
        assert!(gathered(2, 100));
    }

    #[tokio::test]
    async fn closed_queue_drains_and_then_ends() {
        let queue = Queue::new(2, 100);
        queue.try_push(1, 1).unwrap();
        queue.close();
        assert!(queue.try_push(2, 1).is_err());
        assert!(queue.readable().await);
        queue.pop_into(&mut VecDeque::new(), 1, 1);
        assert!(!queue.readable().await);
    }
}
