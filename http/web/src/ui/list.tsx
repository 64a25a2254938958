// SPDX-License-Identifier: MIT
// The list of torrents, and what stands in its place when there is nothing to show.
import { useEffect } from 'preact/hooks';
import { openAdd } from '../adding';
import { t } from '../i18n/index';
import { cause, may } from '../link';
import { panes, scale } from '../media';
import { filter, query, shown, type Sort } from '../order';
import { prefs, setPrefs } from '../prefs';
import { cursor } from '../select';
import { loaded, rows, tick } from '../store';
import { Ghosts } from './ghosts';
import { Icon } from './icon';
import { TorrentRow } from './row';
import { Virtual } from './virtual';

const HEIGHTS = { usual: 76, compact: 56, table: 44 };

function Nothing() {
  return (
    <div class="empty">
      <Icon name="down" class="empty-icon" />
      <h2>{t.value.noTorrents}</h2>
      {may('add') && <p>{t.value.noTorrentsHint}</p>}
      {may('add') && <button type="button" class="button primary" onClick={openAdd}><Icon name="add" />{t.value.add}</button>}
    </div>
  );
}

function NoMatch() {
  const what = [filter.value === 'all' ? '' : t.value.filters[filter.value], query.value && `“${query.value}”`].filter(Boolean).join(', ');
  const clear = () => {
    filter.value = 'all';
    query.value = '';
  };
  return (
    <div class="empty">
      <Icon name="search" class="empty-icon" />
      <h2>{t.value.noMatch}</h2>
      <p>{t.value.noMatchHint(what)}</p>
      <button type="button" class="button" onClick={clear}>{t.value.clear}</button>
    </div>
  );
}

const COLUMNS = ['name', 'size', 'progress', 'down', 'up', 'eta', 'ratio'] as const;

function Head() {
  const sortBy = (sort: Sort) => setPrefs(prefs.value.sort === sort ? { descending: !prefs.value.descending } : { sort, descending: sort !== 'name' });
  return (
    <div class="table-head" role="group" aria-label={t.value.sort}>
      {COLUMNS.map(column => (
        <button key={column} type="button" class={`column column-${column} ${prefs.value.sort === column ? 'column-on' : ''}`}
          aria-pressed={prefs.value.sort === column} onClick={() => sortBy(column)} title={t.value.sortBy(t.value.sorts[column])}>
          {t.value.columns[column]}{prefs.value.sort === column && <span aria-hidden="true">{prefs.value.descending ? ' ↓' : ' ↑'}</span>}
        </button>
      ))}
    </div>
  );
}

// The row that the keys have moved to gets the focus, when it is in the document.
function useCursorFocus() {
  const n = cursor.value;
  useEffect(() => {
    if (n === 0 || document.querySelector('dialog[open]')) return;
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`.row[data-n="${n}"] .row-open`)?.focus({ preventScroll: true }));
  }, [n]);
}

export function List() {
  void tick.value;
  useCursorFocus();
  const list = shown.value, table = panes.value === 3;
  const height = Math.round(scale.value * (table ? HEIGHTS.table : prefs.value.compact ? HEIGHTS.compact : HEIGHTS.usual));
  const item = (i: number) => {
    const row = rows.get(list[i]!);
    return row && <TorrentRow key={row.n} row={row} at={i} of={list.length} height={height} table={table} />;
  };
  if (!loaded.value) return <><Ghosts /><div class="empty" aria-busy="true"><p>{cause.value ? t.value.causes[cause.value] : t.value.loading}</p></div></>;
  if (rows.size === 0) return <><Ghosts /><Nothing /></>;
  if (list.length === 0) return <NoMatch />;
  return (
    <>
      <Ghosts />
      {table && <Head />}
      <Virtual count={list.length} height={height} label={t.value.torrents} item={item} class={prefs.value.compact ? 'rows compact' : 'rows'}
        {...(cursor.value ? { reveal: list.indexOf(cursor.value) } : {})} />
    </>
  );
}
