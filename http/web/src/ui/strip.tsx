// SPDX-License-Identifier: MIT
// The strip above the dock: the rates of now, or what is the matter with the connection.
import { bytes, duration, rate } from '../format';
import { t } from '../i18n/index';
import { beat, cause, newsAt, retry, retryAt, words } from '../link';
import { panes } from '../media';
import { counts } from '../order';
import { openSheet } from '../sheets';
import { frozen, loaded, rates } from '../store';
import { volumeOf } from '../volumes';
import { Icon } from './icon';

function Trouble() {
  const w = t.value, now = beat.value, why = cause.value!;
  const parts = [w.causes[why]];
  if (why === 'failed' && words.value) parts.push(words.value);
  if (loaded.value) parts.push(w.lastNews(duration(Math.max(1, Math.round((now - newsAt.value) / 1000)))));
  if (retryAt.value > now) parts.push(w.againIn(duration(Math.ceil((retryAt.value - now) / 1000))));
  return (
    <div class="strip strip-bad">
      <Icon name="error" /><span class="strip-text">{parts.join(' · ')}</span>
      {why === 'proxylogin'
        ? <button type="button" class="button small" onClick={() => location.assign('?fresh')}>{w.signIn}</button>
        : <button type="button" class="button small" onClick={retry}>{w.now}</button>}
    </div>
  );
}

export function Strip() {
  if (cause.value && cause.value !== 'login') return <Trouble />;
  const volume = volumeOf('');
  return (
    <button type="button" class="strip" onClick={() => openSheet({ kind: 'now' })}>
      <span class="visually-hidden">{t.value.strip}: </span>
      <span class="strip-rate"><span class="tone-down">↓</span> {rate(rates.value.down)}</span>
      <span class="strip-rate"><span class="tone-up">↑</span> {rate(rates.value.up)}</span>
      {frozen.value && <span class="strip-fact tone-warn">{t.value.frozen}</span>}
      {panes.value > 1 && <span class="strip-fact">{t.value.activeOf(counts.value.active, counts.value.all)}</span>}
      {volume ? <span class="strip-fact strip-end">{t.value.free(bytes(volume.free))}</span>
        : panes.value === 1 && <span class="strip-fact strip-end">{t.value.activeOf(counts.value.active, counts.value.all)}</span>}
    </button>
  );
}
