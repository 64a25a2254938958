// SPDX-License-Identifier: MIT
// The card on top of the list that says what has finished meanwhile.
import { date } from '../format';
import { t } from '../i18n/index';
import { filter } from '../order';
import { dismiss, finished, seenAt } from '../since';
import { Icon } from './icon';

export function Since() {
  const n = finished.value.length;
  if (n === 0) return null;
  const look = () => {
    filter.value = 'done';
    dismiss();
  };
  return (
    <div class="since">
      <button type="button" class="since-text" onClick={look}>{t.value.since(date(seenAt.value), n)}</button>
      <button type="button" class="icon-button" aria-label={t.value.close} onClick={dismiss}><Icon name="close" /></button>
    </div>
  );
}
