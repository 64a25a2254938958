// SPDX-License-Identifier: MIT
// The keyboard: one key for what is done often; none while something is typed or a sheet is open.
import { change, toggle } from './actions';
import { addText, openAdd } from './adding';
import { t } from './i18n/index';
import { may } from './link';
import { prefs } from './prefs';
import { leave, openHash, openTab, openTorrent, TABS } from './router';
import { cursor, extendCursor, moveCursor, selectAll, selectedRows, selection, selectNone, toggleSelected } from './select';
import { openSheet, sheet } from './sheets';
import { isSource } from './source';
import { frozen, type Row, rowOf, rows } from './store';
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

// The torrent before or after the one whose details are open.
function beside(by: number): void {
  moveCursor(by);
  const row = rows.get(cursor.value);
  if (row && openHash.value) openTorrent(row.hash, openTab.value);
}

const SINGLE: Record<string, () => void> = {
  '/': openSearch,
  n: () => { if (may('add')) openAdd(); },
  j: () => moveCursor(1),
  k: () => moveCursor(-1),
  p: () => withRow(row => { if (may('manage')) toggle(row); }),
  f: () => withRow(row => { if (may('manage')) void change(row, 'force', {}, t.value.started(row.name)); }),
  '[': () => beside(-1),
  ']': () => beside(1),
  '.': () => { frozen.value = !frozen.value; },
  ' ': () => withRow(row => toggleSelected(row.n)),
  '?': () => openSheet({ kind: 'keys' }),
};
TABS.forEach((tab, i) => { SINGLE[String(i + 1)] = () => { if (openHash.value) openTorrent(openHash.value, tab); }; });

const ALWAYS: Record<string, () => void> = {
  ArrowDown: () => moveCursor(1),
  ArrowUp: () => moveCursor(-1),
  Home: () => moveCursor(-Infinity),
  End: () => moveCursor(Infinity),
  PageDown: () => moveCursor(10),
  PageUp: () => moveCursor(-10),
  Enter: () => withRow(row => openTorrent(row.hash)),
  Delete: remove,
  Escape: () => (selection.value ? selectNone() : leave()),
};

const SHIFTED: Record<string, () => void> = { ArrowDown: () => extendCursor(1), ArrowUp: () => extendCursor(-1) };

// Two keys, one after the other.
const AFTER_G: Record<string, () => void> = { s: () => openSheet({ kind: 'settings' }), n: () => openSheet({ kind: 'now' }), l: leave };
const SOON = 1500; // ms
let gAt = 0;

const types = (el: EventTarget | null): boolean => el instanceof HTMLElement && el.matches('input, textarea, select');

// What a button, a link or a list does with the key itself comes first.
function isTaken(e: KeyboardEvent): boolean {
  const el = e.target as HTMLElement;
  if (types(el)) return true;
  if ((e.key === ' ' || e.key === 'Enter') && el.matches('button, summary')) return true;
  if (e.key === 'Enter' && el.matches('a')) return true;
  return /^(Arrow|Home|End|Page)/.test(e.key) && el.closest('[role=tablist], .detail') !== null;
}

function meaning(e: KeyboardEvent): (() => void) | undefined {
  if (e.shiftKey && SHIFTED[e.key]) return SHIFTED[e.key];
  if (ALWAYS[e.key] || !prefs.value.keys) return ALWAYS[e.key];
  return gAt > 0 && e.timeStamp - gAt < SOON ? AFTER_G[e.key] : SINGLE[e.key];
}

function onKey(e: KeyboardEvent): void {
  if (sheet.value || e.defaultPrevented || e.altKey || isTaken(e)) return;
  if (e.ctrlKey || e.metaKey) {
    if (e.key !== 'a' || !may('manage')) return;
    e.preventDefault();
    selectAll();
    return;
  }
  const run = meaning(e);
  gAt = e.key === 'g' ? e.timeStamp : 0;
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
