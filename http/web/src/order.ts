// SPDX-License-Identifier: MIT
// Which torrents are shown, and in which order: filter, search, sort.
import { computed, effect, signal } from '@preact/signals';
import { prefs } from './prefs';
import { fold, type Row, rows, shape, tick, watchKeys } from './store';

export type Filter = 'all' | 'active' | 'downloading' | 'done' | 'stopped' | 'problems';
export const FILTERS: Filter[] = ['all', 'active', 'downloading', 'done', 'stopped', 'problems'];
export type Sort = 'added' | 'name' | 'progress' | 'down' | 'up' | 'eta' | 'ratio' | 'size' | 'queue';
export const SORTS: Sort[] = ['added', 'name', 'progress', 'down', 'up', 'eta', 'ratio', 'size', 'queue'];

export const filter = signal<Filter>('all');
export const query = signal('');

const PROBLEMS = new Set(['tracker_error', 'disk_full', 'volume_missing', 'io_error']);
export const isDone = (r: Row): boolean => r.state === 'seeding' || (r.left === 0 && r.wanted > 0);
export const isProblem = (r: Row): boolean => r.state === 'error' || PROBLEMS.has(r.why);
const TESTS: Record<Filter, (r: Row) => boolean> = {
  all: () => true,
  active: r => r.down > 0 || r.up > 0 || r.state === 'checking' || r.state === 'moving',
  downloading: r => r.state === 'downloading' || r.state === 'metadata' || (r.state === 'queued' && !isDone(r)),
  done: isDone,
  stopped: r => r.state === 'stopped',
  problems: isProblem,
};

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const byName = (a: Row, b: Row): number => collator.compare(a.name, b.name) || a.n - b.n;

const byEta = (r: Row): number => (r.eta < 0 ? Infinity : r.eta);
const byQueue = (r: Row): number => (r.queue > 0 ? r.queue : Infinity);
const VALUES: Record<Exclude<Sort, 'name'>, (r: Row) => number> = {
  added: r => r.added, progress: r => r.progress, down: r => r.down, up: r => r.up, eta: byEta, ratio: r => r.ratio,
  size: r => r.size, queue: byQueue,
};

function compare(sort: Sort, descending: boolean): (a: Row, b: Row) => number {
  const sign = descending ? -1 : 1;
  if (sort === 'name') return (a, b) => sign * byName(a, b);
  const value = VALUES[sort];
  return (a, b) => {
    const x = value(a), y = value(b);
    return x === y ? byName(a, b) : x < y ? -sign : sign;
  };
}

// Words are joined by "and"; "-word" must not be there, quotes keep blanks.
export function matcher(text: string): (find: string) => boolean {
  const words = [...fold(text).matchAll(/(-?)"([^"]+)"|(-?)(\S+)/g)].map(m => ({
    not: (m[1] ?? m[3]) === '-',
    word: m[2] ?? m[4] ?? '',
  })).filter(w => w.word !== '-'); // somebody is about to exclude a word
  return find => words.every(w => find.includes(w.word) !== w.not);
}

effect(() => {
  const keys = new Set(['name', 'path', prefs.value.sort, 'state', 'error', 'why', 'left', 'wanted']);
  if (filter.value === 'active') ['down', 'up'].forEach(k => keys.add(k));
  watchKeys(keys);
});

// By number: the rows themselves are replaced as they change.
export const shown = computed<number[]>(() => {
  void shape.value;
  const test = TESTS[filter.value], match = matcher(query.value);
  const found: Row[] = [];
  for (const row of rows.values()) if (test(row) && match(row.find)) found.push(row);
  return found.sort(compare(prefs.value.sort, prefs.value.descending)).map(r => r.n);
});

// How many each filter would show: one walk, at most once a second (a tick).
export const counts = computed<Record<Filter, number>>(() => {
  void tick.value;
  const n: Record<Filter, number> = { all: 0, active: 0, downloading: 0, done: 0, stopped: 0, problems: 0 };
  for (const row of rows.values()) for (const f of FILTERS) if (TESTS[f](row)) n[f]++;
  return n;
});
