// SPDX-License-Identifier: MIT
// What this device keeps beyond a reload: a small store of things by name, in the browser's database.
const NAME = 'torrentd', STORE = 'kept';

function open(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const ask = indexedDB.open(NAME, 1);
    ask.onupgradeneeded = () => ask.result.createObjectStore(STORE);
    ask.onsuccess = () => done(ask.result);
    ask.onerror = () => fail(ask.error ?? new Error('indexedDB'));
  });
}

async function run<T>(mode: IDBTransactionMode, what: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const base = await open();
  try {
    return await new Promise<T>((done, fail) => {
      const ask = what(base.transaction(STORE, mode).objectStore(STORE));
      ask.onsuccess = () => done(ask.result);
      ask.onerror = () => fail(ask.error ?? new Error('indexedDB'));
    });
  } finally {
    base.close();
  }
}

export const keep = (key: string, value: unknown): Promise<unknown> => run('readwrite', store => store.put(value, key));
export const forget = (key: string): Promise<unknown> => run('readwrite', store => store.delete(key));
export const keptValues = <T>(): Promise<T[]> => run('readonly', store => store.getAll() as IDBRequest<T[]>);
