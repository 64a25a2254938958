// SPDX-License-Identifier: MIT
// What was removed within a day, and the way back.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { change, get, post } from '../api';
import { ago, bytes, duration } from '../format';
import { t } from '../i18n/index';
import { hasten, may } from '../link';
import { say } from '../snack';
import { serverNow } from '../store';
import { SheetFrame } from './sheet';

interface Removed { hash: string; name: string; size: number; removed: number; until: number }

export function RemovedSheet() {
  const list = useSignal<Removed[] | null>(null), w = t.value;
  const fail = (error: Error) => say(error.message, { bad: true });
  const look = () => get<{ removed: Removed[] }>('api/v1/removed').then(v => { list.value = v.removed; }, fail);
  useEffect(() => void look(), []);
  const done = (text: string) => {
    say(text);
    hasten();
    return look();
  };
  const restore = (r: Removed) => void post(`api/v1/removed/${r.hash}/restore`).then(() => done(w.restored(r.name)), fail);
  const forget = (r: Removed) => void change('DELETE', `api/v1/removed/${r.hash}`).then(() => done(w.forgotten(r.name)), fail);
  return (
    <SheetFrame title={w.removedTitle} tall>
      {list.value?.length === 0 && <p class="hint">{w.removedNone}</p>}
      <ul class="tokens" aria-label={w.removedTitle}>{list.value?.map(r => (
        <li key={r.hash} class="token token-wide">
          <span class="card-text"><bdi class="card-name">{r.name}</bdi>
            <span class="card-kind">{[bytes(r.size), ago(serverNow() - r.removed), w.left(duration(Math.max(0, r.until - serverNow())))].join(' · ')}</span></span>
          {may('manage') && <span class="token-acts">
            <button type="button" class="button small" aria-label={w.restoreName(r.name)} onClick={() => restore(r)}>{w.restore}</button>
            <button type="button" class="button small danger-text" aria-label={w.forgetName(r.name)} onClick={() => forget(r)}>{w.forget}</button>
          </span>}
        </li>
      ))}</ul>
    </SheetFrame>
  );
}
