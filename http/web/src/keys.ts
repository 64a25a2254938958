// SPDX-License-Identifier: MIT
// The keyboard: one key for what is done often; none while something is typed or a sheet is open.
import { toggle } from './actions';
import { addText, openAdd } from './adding';
import { may } from './link';
import { prefs } from './prefs';
import { leave, openHash, openTorrent, TABS } from './router';
import { cursor, moveCursor, selectAll, selectedRows, selection, selectNone, toggleSelected } from './select';
import { openSheet, sheet } from './sheets';
import { isSource } from './source';
import { type Row, rowOf, rows } from './store';
import { openSearch } from './ui/dock';

const current = (): Row | undefined => rowOf(openHash.value) ?? rows.get(cursor.value);

function remove(): void {
  const one = current(), list = selection.value ? selectedRows() : one ? [one] : [];
  if (list.length > 0 && may('manage')) openSheet({ kind: 'remove', rows: list });
}

function withRow(run: (row: Row) => void): void {
  const row = current();
  if (row) run(row);
}

const SINGLE: Record<string, () => void> = {
  '/': openSearch,
  n: () => { if (may('add')) openAdd(); },
  j: () => moveCursor(1),
  k: () => moveCursor(-1),
  p: () => withRow(row => { if (may('manage')) toggle(row); }),
  ' ': () => withRow(row => toggleSelected(row.n)),
  '?': () => openSheet({ kind: 'keys' }),
};
TABS.forEach((tab, i) => { SINGLE[String(i + 1)] = () => { if (openHash.value) openTorrent(openHash.value, tab); }; });

const ALWAYS: Record<string, () => void> = {
  ArrowDown: () => moveCursor(1),
  ArrowUp: () => moveCursor(-1),
  Enter: () => withRow(row => openTorrent(row.hash)),
  Delete: remove,
  Escape: () => (selection.value ? selectNone() : leave()),
};

const types = (el: EventTarget | null): boolean => el instanceof HTMLElement && el.matches('input, textarea, select');

// What a button, a link or a list does with the key itself comes first.
function isTaken(e: KeyboardEvent): boolean {
  const el = e.target as HTMLElement;
  if (types(el)) return true;
  if ((e.key === ' ' || e.key === 'Enter') && el.matches('button, summary')) return true;
  if (e.key === 'Enter' && el.matches('a')) return true;
  return e.key.startsWith('Arrow') && el.closest('[role=tablist], .detail') !== null;
}

function onKey(e: KeyboardEvent): void {
  if (sheet.value || e.defaultPrevented || e.altKey || isTaken(e)) return;
  if (e.ctrlKey || e.metaKey) {
    if (e.key !== 'a' || !may('manage')) return;
    e.preventDefault();
    selectAll();
    return;
  }
  const run = ALWAYS[e.key] ?? (prefs.value.keys ? SINGLE[e.key] : undefined);
  if (!run) return;
  e.preventDefault();
  run();
}

function onPaste(e: ClipboardEvent): void {
  const text = e.clipboardData?.getData('text') ?? '';
  if (types(e.target) || !may('add') || !isSource(text)) return;
  e.preventDefault();
  addText(text);
}

export function startKeys(): void {
  document.addEventListener('keydown', onKey);
  document.addEventListener('paste', onPaste);
}
