// SPDX-License-Identifier: MIT
// Filters: a row of chips on top of the list, or a pane beside it.
import { t } from '../i18n/index';
import { counts, type Filter, filter, FILTERS } from '../order';
import { openSheet } from '../sheets';
import { Icon } from './icon';

function Chip({ name }: { name: Filter }) {
  const on = filter.value === name, n = counts.value[name];
  return (
    <button type="button" class={`chip chip-${name} ${on ? 'chip-on' : ''}`} aria-pressed={on}
      onClick={() => { filter.value = on ? 'all' : name; }}>
      <span>{t.value.filters[name]}</span> <span class={`count ${name === 'problems' && n > 0 ? 'count-bad' : ''}`} style={{ minWidth: `${String(counts.value.all).length}ch` }}>{n}</span>
    </button>
  );
}

export const Chips = () => (
  <div class="chips">
    <div class="chips-scroll" role="group" aria-label={t.value.filtersName}>{FILTERS.map(name => <Chip key={name} name={name} />)}</div>
    <button type="button" class="icon-button" aria-label={t.value.sort} onClick={() => openSheet({ kind: 'sort' })}><Icon name="sort" /></button>
  </div>
);

export const FilterPane = () => (
  <div class="filters" role="group" aria-label={t.value.filtersName}>{FILTERS.map(name => <Chip key={name} name={name} />)}</div>
);
