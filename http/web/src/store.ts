// SPDX-License-Identifier: MIT
// The torrents as the daemon last told of them; snapshots and deltas come in by apply() alone.
import { batch, signal } from '@preact/signals';

export interface Row {
  n: number; hash: string; name: string; state: string; error: string | null; why: string;
  progress: number; size: number; wanted: number; left: number; down: number; up: number; eta: number; ratio: number;
  peers: number; seeds: number; swarm_seeds: number; swarm_peers: number;
  added: number; completed: number; queue: number; path: string; private: boolean; forced: boolean; sequential: boolean;
  down_limit: number; up_limit: number;
  find: string; // name, folder and hash, folded for the search
}

export interface Delta {
  epoch: string; rev: number; now: number; reset: boolean; fields: string[];
  add: unknown[][]; set: [number, Partial<Row>][]; gone: number[]; next?: number | string | null;
}

export const EMPTY_ROW: Row = {
  n: 0, hash: '', name: '', state: 'stopped', error: null, why: '', progress: 0, size: 0, wanted: 0, left: 0, down: 0, up: 0,
  eta: -1, ratio: 0, peers: 0, seeds: 0, swarm_seeds: 0, swarm_peers: 0, added: 0, completed: 0,
  queue: 0, path: '', private: false, forced: false, sequential: false, down_limit: 0, up_limit: 0, find: '',
};

export let rows = new Map<number, Row>();
let byHash = new Map<string, number>();

export const tick = signal(0); // anything was news
export const shape = signal(0); // what decides which rows are shown, or their order, was news
export const frozen = signal(false); // a person wants the numbers to stand still
export const revision = signal(0); // what the rows are true to
export const loaded = signal(false);
export const rates = signal({ down: 0, up: 0 }); // of all together
export const clock = signal(0); // seconds that the server's clock is ahead of ours

const MARKS = /[\u0300-\u036f]/g;
export const fold = (text: string): string => text.normalize('NFD').replace(MARKS, '').toLowerCase();

export const rowOf = (hash: string): Row | undefined => rows.get(byHash.get(hash) ?? -1);
export const serverNow = (): number => Date.now() / 1000 + clock.value;

function finish(row: Row): Row {
  row.find = fold(`${row.name}\n${row.path}\n${row.hash}`);
  return row;
}

function rowFrom(fields: string[], values: unknown[]): Row {
  const row: Record<string, unknown> = { ...EMPTY_ROW };
  fields.forEach((field, i) => {
    if (values[i] !== null && values[i] !== undefined) row[field] = values[i];
  });
  return finish(row as unknown as Row);
}

// What is null in a delta is what it was before anything was known of it.
function patched(row: Row, patch: Partial<Row>): Row {
  const next: Record<string, unknown> = { ...row };
  for (const [field, value] of Object.entries(patch)) next[field] = value ?? EMPTY_ROW[field as keyof Row];
  const done = next as unknown as Row;
  return patch.name !== undefined || patch.path !== undefined ? finish(done) : done;
}

function put(row: Row): void {
  rows.set(row.n, row);
  byHash.set(row.hash, row.n);
}

function drop(n: number): void {
  const row = rows.get(n);
  if (row && byHash.get(row.hash) === n) byHash.delete(row.hash);
  rows.delete(n);
}

// Which fields decide what is shown, and where; told by order.ts.
let keys: ReadonlySet<string> = new Set();
export const watchKeys = (fields: ReadonlySet<string>): void => { keys = fields; };

// Where no stream tells the rates of all together.
export function sumRates(): void {
  let down = 0, up = 0;
  for (const row of rows.values()) {
    down += row.down;
    up += row.up;
  }
  rates.value = { down, up };
}

// All pages of a list are one delta: `pages` has one entry otherwise.
export function apply(pages: Delta[]): void {
  const first = pages[0];
  if (!first) return;
  batch(() => {
    let shaped = first.reset;
    if (first.reset) {
      rows = new Map();
      byHash = new Map();
    }
    for (const delta of pages) {
      for (const n of delta.gone) drop(n);
      for (const values of delta.add) put(rowFrom(delta.fields, values));
      shaped ||= delta.gone.length > 0 || delta.add.length > 0;
      for (const [n, patch] of delta.set) {
        const row = rows.get(n);
        if (!row) continue;
        put(patched(row, patch));
        shaped ||= Object.keys(patch).some(field => keys.has(field));
      }
    }
    clock.value = first.now - Date.now() / 1000;
    loaded.value = true;
    revision.value = pages[pages.length - 1]!.rev;
    if (frozen.value && !shaped) return;
    tick.value++;
    if (shaped) shape.value++;
  });
}
