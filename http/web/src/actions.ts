// SPDX-License-Identifier: MIT
// What a person does to torrents: drawn at once, told to the daemon, which can undo it; taken back in words when it refuses.
import { effect, signal } from '@preact/signals';
import { post } from './api';
import { t } from './i18n/index';
import { hasten } from './link';
import { say } from './snack';
import { revision, type Row, rows } from './store';

type Args = Record<string, unknown>;
interface Failed { hash: string; code: string; detail?: string }
interface Done { rev: number; done: number; failed: Failed[]; undo: string | null }
interface Asked { state: string; rev: number } // rev: with which it is there; 0: the daemon has not said

const LOST = 10_000; // ms after which what was asked for is no longer drawn

// By number: the state that is on its way.
export const pending = signal<ReadonlyMap<number, Asked>>(new Map());

function mark(ns: number[], state: string, rev = 0): void {
  pending.value = new Map([...pending.value, ...ns.map(n => [n, { state, rev }] as const)]);
}

function unmark(drop: (n: number, asked: Asked) => boolean): void {
  const left = [...pending.value].filter(([n, asked]) => !drop(n, asked));
  if (left.length < pending.value.size) pending.value = new Map(left);
}

// News that has it in it takes its place.
effect(() => {
  const rev = revision.value;
  unmark((_, asked) => asked.rev > 0 && asked.rev <= rev);
});

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function undo(id: string): Promise<void> {
  try {
    const { failed } = JSON.parse(await post(`api/v1/undo/${id}`)) as Done;
    say(failed.length > 0 ? t.value.undonePartly(failed.length) : t.value.undone, { bad: failed.length > 0 });
  } catch (error) {
    say(t.value.failed(t.value.undo, message(error)), { bad: true });
  }
  hasten();
}

interface What { action: string; args?: Args; state?: string; text: (list: Row[]) => string }

// One action on all of them, with one way back.
export async function act(list: Row[], what: What): Promise<void> {
  const ns = list.map(row => row.n), again = (rest: Row[]) => ({ label: t.value.tryAgain, run: () => void act(rest, what) });
  if (list.length === 0) return;
  if (what.state) mark(ns, what.state);
  const lost = setTimeout(() => unmark(n => ns.includes(n)), LOST);
  try {
    const reply = JSON.parse(await post('api/v1/torrents/actions', {}, { action: what.action, hashes: list.map(row => row.hash), args: what.args ?? {} })) as Done;
    const bad = list.filter(row => reply.failed.some(f => f.hash === row.hash));
    if (what.state) mark(ns, what.state, reply.rev);
    unmark((n, asked) => bad.some(row => row.n === n) || (asked.rev > 0 && asked.rev <= revision.value));
    if (bad.length > 0) say(t.value.failed(bad.length === 1 ? bad[0]!.name : t.value.torrentsN(bad.length), reply.failed[0]!.detail ?? reply.failed[0]!.code), { bad: true, action: again(bad) });
    else say(what.text(list), reply.undo ? { action: { label: t.value.undo, run: () => void undo(reply.undo!) } } : {});
  } catch (error) {
    unmark(n => ns.includes(n));
    clearTimeout(lost);
    say(t.value.failed(list.length === 1 ? list[0]!.name : t.value.torrentsN(list.length), message(error)), { bad: true, action: again(list) });
  }
  hasten();
}

const named = (one: (n: string) => string, other: (n: number) => string) => (list: Row[]): string =>
  list.length === 1 ? one(list[0]!.name) : other(list.length);

export const setRunning = (list: Row[], on: boolean): Promise<void> => on
  ? act(list, { action: 'start', state: 'start', text: named(t.value.started, t.value.startedN) })
  : act(list, { action: 'stop', state: 'stop', text: named(t.value.stopped, t.value.stoppedN) });

export const isStopped = (row: Row): boolean => row.state === 'stopped' || row.state === 'error';

export const toggle = (row: Row): void => void setRunning([row], isStopped(row));

export const removeTorrents = (list: Row[], data: boolean): Promise<void> =>
  act(list, { action: 'remove', args: { data: data ? 'delete' : 'keep' }, state: 'remove', text: named(t.value.removed, t.value.removedN) });

// A change of one torrent that has its own words.
export const change = (row: Row, action: string, args: Args, text: string): Promise<void> => act([row], { action, args, text: () => text });

export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(t.value.copied);
  } catch (error) {
    say(message(error), { bad: true });
  }
}

export const running = (): Row[] => [...rows.values()].filter(row => !isStopped(row));
