// SPDX-License-Identifier: MIT
// The bar under the thumb: more, search and add; the search field; or what to do with a selection.
import { signal } from '@preact/signals';
import { setRunning } from '../actions';
import { openAdd } from '../adding';
import { bytes } from '../format';
import { t } from '../i18n/index';
import type { IconName } from '../icons';
import { connected, may } from '../link';
import { panes } from '../media';
import { query, shown } from '../order';
import { popLayer, pushLayer } from '../router';
import { selectAll, selectedRows, selection, selectNone, selectNothingYet, selectRest } from '../select';
import { openSheet } from '../sheets';
import { Icon } from './icon';
import { Strip } from './strip';

const searching = signal(false);

export function openSearch(): void {
  if (panes.value < 3 && !searching.value) {
    searching.value = true;
    pushLayer(() => { searching.value = false; });
  }
  requestAnimationFrame(() => document.querySelector<HTMLElement>('.search-field')?.focus());
}

function endSearch(): void {
  query.value = '';
  popLayer();
}

function Search() {
  return (
    <form class="dock-bar search" role="search" onSubmit={e => { e.preventDefault(); (document.activeElement as HTMLElement | null)?.blur(); }}>
      <Icon name="search" />
      <input type="search" class="search-field" value={query.value} placeholder={t.value.searchHint} aria-label={t.value.search} autocomplete="off"
        autocapitalize="none" spellcheck={false} enterkeyhint="search" onInput={e => { query.value = e.currentTarget.value; }} />
      <span class="search-count" role="status">{t.value.found(shown.value.length)}</span>
      <button type="button" class="icon-button" aria-label={t.value.close} onClick={endSearch}><Icon name="close" /></button>
    </form>
  );
}

interface DockButtonProps { icon: IconName; label: string; run: () => void; off?: boolean; class?: string }

const DockButton = ({ icon, label, run, off = false, class: more = '' }: DockButtonProps) => (
  <button type="button" class={`dock-button ${more}`} disabled={off} onClick={run}><Icon name={icon} /><span>{label}</span></button>
);

// What is done ends the selection.
function Bulk() {
  const list = selectedRows(), off = list.length === 0 || !connected.value;
  const run = (on: boolean) => selectNone(() => void setRunning(list, on));
  return (
    <div class="dock-bar bulk">
      <DockButton icon="play" label={t.value.start} off={off} run={() => run(true)} />
      <DockButton icon="pause" label={t.value.stop} off={off} run={() => run(false)} />
      <DockButton icon="trash" label={t.value.remove} off={off} class="danger-text" run={() => openSheet({ kind: 'remove', rows: list })} />
    </div>
  );
}

export function SelectionHead() {
  const list = selectedRows();
  return (
    <div class="selection-head">
      <span role="status">{t.value.selected(list.length, shown.value.length)} · {bytes(list.reduce((n, row) => n + row.size, 0))}</span>
      <button type="button" class="button small" onClick={selectAll}>{t.value.all}</button>
      <button type="button" class="button small" onClick={selectRest}>{t.value.invert}</button>
      <button type="button" class="icon-button" aria-label={t.value.close} onClick={() => selectNone()}><Icon name="close" /></button>
    </div>
  );
}

const Bar = () => (
  <div class="dock-bar">
    <DockButton icon="settings" label={t.value.settings} run={() => openSheet({ kind: 'settings' })} />
    <DockButton icon="search" label={t.value.search} run={openSearch} />
    {may('manage') && <DockButton icon="tick" label={t.value.select} run={selectNothingYet} />}
    {may('add') && <button type="button" class="add-button" aria-label={t.value.add} onClick={openAdd}><Icon name="add" /></button>}
  </div>
);

// A wide window has the bar on top, with words (toolbar.tsx).
export const Dock = () => (
  <footer class="dock">
    <Strip />
    {panes.value === 3 ? <button type="button" class="icon-button dock-settings" aria-label={t.value.settings} onClick={() => openSheet({ kind: 'settings' })}><Icon name="settings" /></button>
      : searching.value ? <Search /> : selection.value ? <Bulk /> : <Bar />}
  </footer>
);
