// SPDX-License-Identifier: MIT
// What a wide window has on top: add, what to do with the selection or the row one is at, and the search.
import { isStopped, setRunning } from '../actions';
import { openAdd } from '../adding';
import { bytes } from '../format';
import { t } from '../i18n/index';
import { connected, may } from '../link';
import { query, shown } from '../order';
import { openHash } from '../router';
import { cursor, selectAll, selectedRows, selection, selectNone } from '../select';
import { openSheet } from '../sheets';
import { type Row, rowOf, rows } from '../store';
import { Icon } from './icon';

function targets(): Row[] {
  if (selection.value) return selectedRows();
  const row = rowOf(openHash.value) ?? rows.get(cursor.value);
  return row ? [row] : [];
}

function Selected({ list }: { list: Row[] }) {
  return (
    <span class="toolbar-selected">
      <span role="status">{t.value.selected(list.length, shown.value.length)} · {bytes(list.reduce((n, row) => n + row.size, 0))}</span>
      <button type="button" class="button small" onClick={selectAll}>{t.value.all}</button>
      <button type="button" class="icon-button" aria-label={t.value.close} onClick={() => selectNone()}><Icon name="close" /></button>
    </span>
  );
}

export function Toolbar() {
  const list = targets(), off = list.length === 0 || !connected.value;
  const act = (icon: 'play' | 'pause' | 'trash', label: string, disabled: boolean, run: () => void) => (
    <button type="button" class="button small" disabled={off || disabled} onClick={run}><Icon name={icon} />{label}</button>
  );
  return (
    <div class="toolbar" role="toolbar" aria-label={t.value.torrents}>
      {may('add') && <button type="button" class="button small primary" onClick={openAdd}><Icon name="add" />{t.value.add}</button>}
      {may('manage') && <>
        {act('play', t.value.start, !list.some(isStopped), () => void setRunning(list.filter(isStopped), true))}
        {act('pause', t.value.stop, list.every(isStopped), () => void setRunning(list.filter(row => !isStopped(row)), false))}
        {act('trash', t.value.remove, false, () => openSheet({ kind: 'remove', rows: list }))}
      </>}
      {selection.value && <Selected list={list} />}
      <input type="search" class="search-field toolbar-search" value={query.value} placeholder={t.value.searchHint} aria-label={t.value.search} autocomplete="off"
        spellcheck={false} onInput={e => { query.value = e.currentTarget.value; }} onKeyDown={e => { if (e.key === 'Escape') { query.value = ''; e.currentTarget.blur(); } }} />
    </div>
  );
}
