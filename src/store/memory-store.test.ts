/** The memory store does what every store must. */
import { testStore } from './conformance.ts';
import { MemoryStore } from './memory-store.ts';

const stores = new Map<string, MemoryStore>();

testStore('memory store', async ({ path }) => {
  const store = stores.get(path) ?? new MemoryStore();
  store.reopen();
  stores.set(path, store);
  return store;
});
