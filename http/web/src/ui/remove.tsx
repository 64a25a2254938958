// SPDX-License-Identifier: MIT
// Removing: without the data at once, with it only by the button that says how much.
import { removeTorrents } from '../actions';
import { bytes } from '../format';
import { t } from '../i18n/index';
import { connected } from '../link';
import { leave, openHash } from '../router';
import { selection, selectNone } from '../select';
import { closeSheet } from '../sheets';
import type { Row } from '../store';
import { SheetFrame } from './sheet';

export function RemoveSheet({ rows }: { rows: Row[] }) {
  const size = rows.reduce((n, row) => n + Math.max(0, row.wanted - row.left), 0);
  const remove = (data: boolean) => closeSheet(() => {
    if (rows.some(row => row.hash === openHash.value)) leave();
    if (selection.value) selectNone();
    void removeTorrents(rows, data);
  });
  const title = rows.length === 1 ? t.value.removeTitle(rows[0]!.name) : t.value.removeTitleN(rows.length);
  return (
    <SheetFrame title={<bdi>{title}</bdi>}>
      <div class="stack">
        <button type="button" class="button wide" disabled={!connected.value} onClick={() => remove(false)}>{t.value.removeKeep}</button>
        <button type="button" class="button danger wide" disabled={!connected.value} onClick={() => remove(true)}>{t.value.removeData(bytes(size))}</button>
        <button type="button" class="button wide" data-autofocus onClick={() => closeSheet()}>{t.value.cancel}</button>
        <p class="hint">{t.value.removeHint}</p>
      </div>
    </SheetFrame>
  );
}
