// SPDX-License-Identifier: MIT
// Which torrents are selected, and which has the keyboard's attention.
import { signal } from '@preact/signals';
import { shown } from './order';
import { popLayer, pushLayer } from './router';
import { type Row, rows } from './store';

export const selection = signal<ReadonlySet<number> | null>(null); // null: nothing is being selected
export const cursor = signal(0); // n of the row that j and k move from; 0: none

export const selectedRows = (): Row[] => [...(selection.value ?? [])].flatMap(n => rows.get(n) ?? []);

function set(ns: Iterable<number>): void {
  if (selection.value === null) pushLayer(() => { selection.value = null; });
  selection.value = new Set(ns);
}

export function toggleSelected(n: number): void {
  const next = new Set(selection.value ?? []);
  if (!next.delete(n)) next.add(n);
  set(next);
}

export const selectNothingYet = (): void => set([]);
export const selectAll = (): void => set(shown.value);
export const selectRest = (): void => set(shown.value.filter(n => !selection.value?.has(n)));
export const selectNone = (then?: () => void): void => (selection.value ? popLayer(then) : then?.());

// From the cursor to n, as shift does.
export function selectTo(n: number): void {
  const at = shown.value.indexOf(n), from = shown.value.indexOf(cursor.value);
  if (at < 0 || from < 0) return toggleSelected(n);
  set([...(selection.value ?? []), ...shown.value.slice(Math.min(at, from), Math.max(at, from) + 1)]);
}

// Selects what is passed on the way, as shift with an arrow does.
export function extendCursor(by: number): void {
  const from = cursor.value;
  moveCursor(by);
  set([...(selection.value ?? []), ...(from ? [from] : []), cursor.value]);
}

export function moveCursor(by: number): void {
  const list = shown.value;
  if (list.length === 0) return;
  const at = list.indexOf(cursor.value);
  cursor.value = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + by))]!;
}
