// SPDX-License-Identifier: MIT
// The frame: filters, list, dock and details, in as many panes as there is room for; one sheet above them.
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index';
import { cause, connected, stale } from '../link';
import { panes } from '../media';
import { filter, query } from '../order';
import { openHash, pairCode } from '../router';
import { selection } from '../select';
import { type Sheet, sheet } from '../sheets';
import { AddSheet } from './add';
import { Chips, FilterPane } from './chips';
import { Detail } from './detail';
import { Dock, SelectionHead } from './dock';
import { List } from './list';
import { MoreSheet } from './more';
import { NowSheet } from './now';
import { Pair } from './pair';
import { RemoveSheet } from './remove';
import { LazySheet } from './lazy';
import { KeysSheet, SettingsSheet } from './settings';
import { Since } from './since';
import { Snackbar } from './snackbar';
import { SortSheet } from './sort';
import { Toolbar } from './toolbar';

function OpenSheet({ sheet: s }: { sheet: Sheet }) {
  switch (s.kind) {
    case 'add': return <AddSheet />;
    case 'remove': return <RemoveSheet rows={s.rows} />;
    case 'sort': return <SortSheet />;
    case 'settings': return <SettingsSheet />;
    case 'keys': return <KeysSheet />;
    case 'now': return <NowSheet />;
    case 'devices': return <LazySheet load={() => import('./devices').then(m => m.DevicesSheet)} />;
    case 'removed': return <LazySheet load={() => import('./removed').then(m => m.RemovedSheet)} />;
    case 'options': return <LazySheet load={() => import('./options').then(m => m.OptionsSheet)} />;
    case 'more': return <MoreSheet row={s.row} />;
  }
}

// Another question begins at the top.
function useTop(): void {
  const key = `${filter.value}\n${query.value}`;
  useEffect(() => document.querySelector('.list')?.scrollTo(0, 0), [key]);
}

function Main({ covered }: { covered: boolean }) {
  useTop();
  return (
    <main class="main" inert={covered}>
      <h1 class="visually-hidden">{t.value.torrents}</h1>
      {panes.value === 3 ? <Toolbar /> : selection.value ? <SelectionHead /> : <Chips />}
      <div class="list scroll"><Since /><List /></div>
      <Dock />
    </main>
  );
}

export function App() {
  const open = openHash.value !== '';
  useEffect(() => { if (open) document.getElementById('detail-title')?.focus({ preventScroll: true }); }, [open]);
  if (cause.value === 'login' || pairCode.value) return <><Pair /><Snackbar /></>;
  const classes = ['app', `panes-${panes.value}`, open ? 'with-detail' : '', stale.value ? 'stale' : '', connected.value ? '' : 'cut-off'];
  return (
    <div class={classes.join(' ')}>
      {panes.value === 3 && <nav class="side" aria-label={t.value.filtersName}><FilterPane /></nav>}
      <Main covered={open && panes.value === 1} />
      {open && <Detail />}
      {!sheet.value && <Snackbar />}
      {sheet.value && <OpenSheet key={sheet.value.kind} sheet={sheet.value} />}
    </div>
  );
}
