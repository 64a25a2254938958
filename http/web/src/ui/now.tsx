// SPDX-License-Identifier: MIT
// What happens now: rates, the limits on all of it, and a stop for everything that can be taken back.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { running, setRunning } from '../actions';
import { get, post } from '../api';
import { bytes, rate } from '../format';
import { t } from '../i18n/index';
import { connected, may, type Stats, stats } from '../link';
import { counts } from '../order';
import { parseRate } from '../rate';
import { say } from '../snack';
import { rates, type Row, rows } from '../store';
import { closeSheet } from '../sheets';
import { volumes } from '../volumes';
import { SheetFrame } from './sheet';

// Those that "stop all" has stopped, so that starting brings back exactly them.
const KEY = 'torrentd.stopped';

function remembered(): Row[] {
  const hashes = new Set((localStorage.getItem(KEY) ?? '').split(' '));
  return [...rows.values()].filter(row => hashes.has(row.hash) && row.state === 'stopped');
}

function stopAll(): void {
  const list = running();
  localStorage.setItem(KEY, list.map(row => row.hash).join(' '));
  closeSheet(() => void setRunning(list, false));
}

function startAgain(): void {
  const list = remembered();
  localStorage.removeItem(KEY);
  closeSheet(() => void setRunning(list, true));
}

interface LimitProps { label: string; path: string; now: number | null }

function Limit({ label, path, now }: LimitProps) {
  const text = useSignal<string | null>(null);
  const shown = text.value ?? (now ? rate(now) : '');
  const value = parseRate(shown);
  const set = async (e: Event) => {
    e.preventDefault();
    if (value === null) return;
    try {
      await post(path, { rate: value / 1024 });
      say(t.value.limitSet(value > 0 ? rate(value) : t.value.unlimited));
    } catch (error) {
      say(t.value.failed(label, (error as Error).message), { bad: true });
    }
  };
  return (
    <form class="limit" onSubmit={set}>
      <label class="field"><span>{label}</span>
        <input type="text" value={shown} placeholder={t.value.unlimited} autocomplete="off" aria-invalid={value === null} onInput={e => { text.value = e.currentTarget.value; }} />
      </label>
      <button type="submit" class="button" disabled={value === null || !connected.value || !may('manage')}>{t.value.apply}</button>
    </form>
  );
}

// Bytes a second; the stream tells them, and where there is none the list does.
async function askLimits(): Promise<Limits> {
  const { maxdown, maxup } = await get<{ maxdown: number; maxup: number }>('alldata', { fields: 'error' });
  return { down_limit: maxdown * 1024, up_limit: maxup * 1024 };
}

type Limits = Pick<Stats, 'down_limit' | 'up_limit'>;

export function NowSheet() {
  const asked = useSignal<Limits | null>(null), told = stats.value;
  const known = told.down_limit !== undefined && told.up_limit !== undefined;
  useEffect(() => { if (!known) void askLimits().then(v => { asked.value = v; }, () => undefined); }, []);
  const limits = known ? (told as Limits) : asked.value;
  const back = remembered().length;
  return (
    <SheetFrame title={t.value.nowTitle}>
      <p class="big-rates"><span class="tone-down">↓ {rate(rates.value.down)}</span> <span class="tone-up">↑ {rate(rates.value.up)}</span></p>
      <p class="hint">{t.value.activeOf(counts.value.active, counts.value.all)}</p>
      {volumes.value.length > 0 && <section class="block">
        <h3>{t.value.volumes}</h3>
        <ul class="volumes">{volumes.value.map(v => <li key={v.id}><bdi>{v.paths.join(', ')}</bdi><span>{v.error ?? t.value.freeOf(bytes(v.free), bytes(v.total))}</span></li>)}</ul>
      </section>}
      {limits && <>
        <Limit label={t.value.limitDown} path="setglobaldownrate" now={limits.down_limit} />
        <Limit label={t.value.limitUp} path="setglobaluprate" now={limits.up_limit} />
        <p class="hint">{t.value.limitHint}</p>
      </>}
      {may('manage') && <div class="stack">
        <button type="button" class="button wide" disabled={running().length === 0 || !connected.value} onClick={stopAll}>{t.value.pauseAll}</button>
        {back > 0 && <button type="button" class="button wide" disabled={!connected.value} onClick={startAgain}>{t.value.resumeAll} ({back})</button>}
      </div>}
    </SheetFrame>
  );
}
