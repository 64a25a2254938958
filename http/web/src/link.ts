// SPDX-License-Identifier: MIT
// The tie to the daemon: a snapshot, then what has changed since; and what is the matter when there is no news.
import { computed, signal } from '@preact/signals';
import { ApiError, type Cause, get } from './api';
import { apply, type Delta, EMPTY_ROW, frozen, loaded, rates, sumRates } from './store';

export interface Session {
  version: string | null; scopes: string[]; authenticated: boolean; local: boolean; token?: { id: number; name: string; kind: string } | null;
}
export interface Stats { down: number; up: number; down_limit: number; up_limit: number }
interface Hello { epoch: string; rev: number }

const FIELDS = Object.keys(EMPTY_ROW).filter(f => f !== 'find').join(); // what of a row is of use here
const PAGE = 500; // rows of one answer
const EVERY = 1000; // ms between two questions, where there is no stream
const PATIENCE = 25_000; // ms a stream may be silent: it says something every 10 s
const STALE = 10_000; // ms without news, after which numbers are no longer live
const LINGER = 10_000; // ms that the stream of a hidden page lives on

export const session = signal<Session | null>(null);
export const stats = signal<Partial<Stats>>({}); // what the stream tells of all together
export const cause = signal<Cause | null>(null); // why there is no news; null: there is
export const words = signal(''); // what the daemon said with it
export const newsAt = signal(0); // our clock, ms
export const retryAt = signal(0);
export const beat = signal(Date.now()); // ticks while there is something to count

export const connected = computed(() => cause.value === null && loaded.value);
export const stale = computed(() => loaded.value && cause.value !== null && beat.value - newsAt.value > STALE);
export const may = (scope: string): boolean => {
  const scopes = session.value?.scopes;
  return !scopes || scopes.length === 0 || scopes.includes(scope) || scopes.includes('admin');
};

let since = ''; // <epoch>.<rev> of what the store has; empty: nothing
let stream: EventSource | null = null;
let streams: 'unknown' | 'yes' | 'no' = 'unknown';
let timer = 0, watchdog = 0, hiding = 0, pulse = 0;
let failures = 0, busy = false;

function news(): void {
  failures = 0;
  newsAt.value = Date.now();
  cause.value = null;
  clearInterval(pulse);
  pulse = 0;
}

function trouble(error: unknown): void {
  const known = error instanceof ApiError ? error : new ApiError('failed', 0, String(error));
  failures++;
  cause.value = known.cause;
  words.value = known.message;
  beat.value = Date.now();
  pulse ||= window.setInterval(() => { beat.value = Date.now(); }, 1000);
  const wait = Math.min(30_000, 1000 * 2 ** Math.min(failures - 1, 5)) * (0.8 + Math.random() * 0.4);
  retryAt.value = Date.now() + wait;
  schedule(wait);
}

function schedule(wait: number): void {
  clearTimeout(timer);
  if (!document.hidden) timer = window.setTimeout(() => void turn(), wait);
}

async function snapshot(): Promise<void> {
  const pages = [await get<Delta>('api/v1/torrents', { limit: PAGE, fields: FIELDS })];
  for (let next = pages[0]!.next; next !== null && next !== undefined; next = pages[pages.length - 1]!.next)
    pages.push(await get<Delta>('api/v1/torrents', { limit: PAGE, fields: FIELDS, cursor: next }));
  take(pages);
}

function take(pages: Delta[]): void {
  const first = pages[0]!;
  since = `${first.epoch}.${first.rev}`;
  apply(pages);
  news();
}

// Where the daemon is too old to have sessions, everybody who gets in may do everything.
async function greet(): Promise<void> {
  try {
    session.value = await get<Session>('api/v1/session');
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

async function catchUp(): Promise<void> {
  const delta = await get<Delta>('api/v1/torrents', { since, limit: PAGE, fields: FIELDS });
  if (delta.next !== null && delta.next !== undefined) await snapshot();
  else take([delta]);
}

// One question, or one stream, at a time.
async function turn(): Promise<void> {
  if (busy || document.hidden || stream) return;
  busy = true;
  try {
    if (!session.value) await greet();
    await (since ? catchUp() : snapshot());
    sumRates();
    if (streams !== 'no') openStream();
    else schedule(EVERY);
  } catch (error) {
    trouble(error);
  } finally {
    busy = false;
  }
}

function closeStream(): void {
  clearTimeout(watchdog);
  stream?.close();
  stream = null;
}

function feedWatchdog(): void {
  clearTimeout(watchdog);
  watchdog = window.setTimeout(() => {
    closeStream();
    void turn();
  }, PATIENCE);
}

function listen(source: EventSource, name: string, fn: (data: unknown) => void): void {
  source.addEventListener(name, event => {
    if (source !== stream) return;
    feedWatchdog();
    news();
    fn(JSON.parse((event as MessageEvent<string>).data || 'null'));
  });
}

function hearStats(news: Partial<Stats>): void {
  const now = { ...stats.value, ...news };
  stats.value = now;
  if (now.down !== undefined && now.up !== undefined && !frozen.value) rates.value = { down: now.down, up: now.up };
}

// A stream that ends before it has said anything is taken for none: then we ask.
function openStream(): void {
  const source = new EventSource(`api/v1/events?since=${encodeURIComponent(since)}&every=${EVERY}&fields=${FIELDS}`);
  stream = source;
  feedWatchdog();
  listen(source, 'hello', data => {
    streams = 'yes';
    if ((data as Hello).epoch !== since.split('.')[0]) again(true);
  });
  listen(source, 'torrents', data => take([data as Delta]));
  listen(source, 'stats', data => hearStats(data as Partial<Stats>));
  listen(source, 'tick', () => undefined);
  listen(source, 'reset', () => again(true));
  listen(source, 'bye', () => again(false));
  source.onerror = () => {
    if (source !== stream) return;
    if (streams === 'unknown') streams = 'no';
    again(false);
  };
}

function again(anew: boolean): void {
  closeStream();
  if (anew) since = '';
  schedule(streams === 'no' ? EVERY : 0);
}

// A person asks: at once, and a stream is tried anew.
export function retry(): void {
  failures = 0;
  if (streams === 'no') streams = 'unknown';
  void turn();
}

// Somebody else has let us in, or put us out.
export function reconnect(): void {
  closeStream();
  session.value = null;
  since = '';
  retry();
}

// A change was made: what it did is not waited for.
export function hasten(): void {
  if (!stream) schedule(50);
}

function onVisibility(): void {
  clearTimeout(hiding);
  if (document.hidden) {
    clearTimeout(timer);
    hiding = window.setTimeout(closeStream, LINGER);
  } else if (!stream || Date.now() - newsAt.value > 5000) {
    closeStream();
    void turn();
  }
}

export function startLink(): void {
  document.addEventListener('visibilitychange', onVisibility);
  window.addEventListener('pageshow', onVisibility);
  window.addEventListener('online', retry);
  window.addEventListener('offline', () => trouble(new ApiError('offline', 0, '')));
  void turn();
}
