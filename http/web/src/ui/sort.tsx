// SPDX-License-Identifier: MIT
// The sheet that sorts the list.
import { t } from '../i18n/index';
import { type Sort, SORTS } from '../order';
import { prefs, setPrefs } from '../prefs';
import { Radios } from './radios';
import { SheetFrame } from './sheet';

export const SortSheet = () => (
  <SheetFrame title={t.value.sort}>
    <Radios name="sort" label={t.value.sort} value={prefs.value.sort} choices={SORTS.map(s => [s, t.value.sorts[s]])} onChoose={sort => setPrefs({ sort: sort as Sort })} />
    <Radios name="direction" label={t.value.sort} value={prefs.value.descending ? 'down' : 'up'}
      choices={[['up', t.value.ascending], ['down', t.value.descending]]} onChoose={v => setPrefs({ descending: v === 'down' })} row />
  </SheetFrame>
);
