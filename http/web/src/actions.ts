// SPDX-License-Identifier: MIT
// What a person does to torrents: drawn at once, told to the daemon, taken back in words when it refuses.
import { signal } from '@preact/signals';
import { post } from './api';
import { t } from './i18n/index';
import { hasten } from './link';
import { say } from './snack';
import { type Row, rows } from './store';

// By number: the state that is on its way.
export const pending = signal<ReadonlyMap<number, string>>(new Map());

function mark(ns: number[], state: string | null): void {
  const next = new Map(pending.value);
  for (const n of ns) state === null ? next.delete(n) : next.set(n, state);
  pending.value = next;
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// Does it for each; those that fail are named.  Returns those that did not.
async function each(list: Row[], run: (row: Row) => Promise<unknown>, again: (rest: Row[]) => void): Promise<Row[]> {
  const done: Row[] = [], failed: Row[] = [];
  let why = '';
  for (let at = 0; at < list.length; at += 4) {
    await Promise.all(list.slice(at, at + 4).map(row => run(row).then(
      () => done.push(row),
      error => {
        failed.push(row);
        why = message(error);
      },
    )));
  }
  hasten();
  const first = failed[0];
  if (first) {
    const name = failed.length === 1 ? first.name : t.value.torrentsN(failed.length);
    say(t.value.failed(name, why), { bad: true, action: { label: t.value.tryAgain, run: () => again(failed) } });
  }
  return done;
}

const named = (list: Row[], one: (n: string) => string, other: (n: number) => string): string =>
  list.length === 1 ? one(list[0]!.name) : other(list.length);

export async function setRunning(list: Row[], on: boolean, undoable = true): Promise<void> {
  const ns = list.map(row => row.n);
  mark(ns, on ? 'start' : 'stop');
  const done = await each(list, row => post(on ? 'starttorrent' : 'stoptorrent', { infohash: row.hash }), rest => void setRunning(rest, on));
  // The next news brings the truth; what is drawn until then is what was asked for.
  setTimeout(() => mark(ns, null), 1500);
  if (done.length === 0 || done.length < list.length) return;
  const text = on ? named(done, t.value.started, t.value.startedN) : named(done, t.value.stopped, t.value.stoppedN);
  say(text, undoable ? { action: { label: t.value.undo, run: () => void setRunning(done, !on, false) } } : {});
}

export const isStopped = (row: Row): boolean => row.state === 'stopped' || row.state === 'error';

export const toggle = (row: Row): void => void setRunning([row], isStopped(row));

export async function removeTorrents(list: Row[], data: boolean): Promise<void> {
  mark(list.map(row => row.n), 'remove');
  const done = await each(list, row => post('removetorrent', { infohash: row.hash, delete: data }), rest => void removeTorrents(rest, data));
  mark(list.filter(row => !done.includes(row)).map(row => row.n), null);
  if (done.length > 0 && done.length === list.length) say(named(done, t.value.removed, t.value.removedN));
}

// A change of one torrent by its endpoint; true: it is done.
export async function change(row: Row, path: string, params: Record<string, string | number | boolean>, text = ''): Promise<boolean> {
  const done = await each([row], () => post(path, { infohash: row.hash, ...params }), () => void change(row, path, params, text));
  if (done.length > 0 && text) say(text);
  return done.length > 0;
}

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(t.value.copied);
  } catch (error) {
    say(message(error), { bad: true });
  }
}

export const running = (): Row[] => [...rows.values()].filter(row => !isStopped(row));
