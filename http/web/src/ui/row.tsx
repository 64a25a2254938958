// SPDX-License-Identifier: MIT
// One torrent in the list: of fixed height, with a sentence, and a button that shows what a tap does.
import { useRef } from 'preact/hooks';
import { isStopped, pending, removeTorrents, setRunning, toggle } from '../actions';
import { bytes, duration, percent, rate, ratio, splitName } from '../format';
import { t } from '../i18n/index';
import type { IconName } from '../icons';
import { connected, may, stale } from '../link';
import { prefs } from '../prefs';
import { openHash, openTorrent } from '../router';
import { cursor, selection, selectTo, toggleSelected } from '../select';
import { brief, sentence, type Tone, tone } from '../sentence';
import type { Row } from '../store';
import { Icon } from './icon';
import { useSwipe } from './swipe';

const ICONS: Record<Tone, IconName> = {
  down: 'down', up: 'up', done: 'done', warn: 'clock', error: 'error', check: 'check', meta: 'meta', idle: 'idle',
};

export const Name = ({ name }: { name: string }) => {
  const [head, tail] = splitName(name);
  return <bdi class="name"><span class="name-head">{head}</span><span class="name-tail">{tail}</span></bdi>;
};

export const Bar = ({ row }: { row: Row }) => (
  <span class={`bar bar-${tone(row)}`} aria-hidden="true"><i style={{ width: `${row.progress * 100}%` }} /></span>
);

function ActButton({ row }: { row: Row }) {
  const stopped = isStopped(row);
  if (!may('manage')) return null;
  return (
    <button type="button" class="icon-button row-act" disabled={!connected.value} onClick={() => toggle(row)}
      aria-label={stopped ? t.value.startName(row.name) : t.value.stopName(row.name)}>
      <Icon name={stopped ? 'play' : 'pause'} />
    </button>
  );
}

function SelectBox({ row, on }: { row: Row; on: boolean }) {
  return (
    <label class="row-box">
      <input type="checkbox" checked={on} onChange={() => toggleSelected(row.n)} aria-label={t.value.selectName(row.name)} />
    </label>
  );
}

// The facts of a wide row, each under its heading.
function Cells({ row, live }: { row: Row; live: boolean }) {
  const moving = (value: number) => (!live && value > 0 ? '–' : value > 0 ? rate(value) : '');
  return (
    <>
      <span class="cell">{bytes(row.size)}</span>
      <span class="cell cell-done"><Bar row={row} />{percent(row.progress, row.size)}</span>
      <span class="cell">{moving(row.down)}</span>
      <span class="cell">{moving(row.up)}</span>
      <span class="cell">{live && row.down > 0 ? duration(row.eta) : ''}</span>
      <span class="cell">{ratio(row.ratio)}</span>
    </>
  );
}

interface Props { row: Row; at: number; of: number; height: number; table: boolean }

export function TorrentRow({ row: told, at, of, height, table }: Props) {
  const asked = pending.value.get(told.n)?.state;
  const row = asked === 'start' && isStopped(told) ? { ...told, state: told.left > 0 ? 'downloading' : 'seeding', error: null }
    : asked === 'stop' ? { ...told, state: 'stopped', down: 0, up: 0 } : told;
  const live = !stale.value, selecting = selection.value, on = selecting?.has(row.n) ?? false;
  const link = useRef<HTMLAnchorElement>(null);
  const swipe = useSwipe({
    enabled: prefs.value.swipes && connected.value && may('manage') && !selecting,
    onHold: () => toggleSelected(row.n),
    onEnd: () => void setRunning([row], isStopped(row)),
    onStart: () => void removeTorrents([row], false),
  });
  const open = (event: MouseEvent) => {
    event.preventDefault();
    if (event.shiftKey) selectTo(row.n);
    else if (selecting || event.ctrlKey || event.metaKey) toggleSelected(row.n);
    else if (!swipe.moved()) openTorrent(row.hash);
    cursor.value = row.n;
  };
  const words = table ? brief(row) : sentence(row, live);
  return (
    <li class={`row tone-${tone(row)} ${on || row.hash === openHash.value ? 'row-on' : ''} ${asked === 'remove' ? 'row-going' : ''} ${table ? 'row-table' : ''}`}
      data-n={row.n} aria-setsize={of} aria-posinset={at + 1} style={{ transform: `translateY(${at * height}px)`, height: `${height}px` }}>
      <span class="swipe-hint swipe-end" aria-hidden="true"><Icon name={isStopped(row) ? 'play' : 'pause'} />{isStopped(row) ? t.value.start : t.value.stop}</span>
      <span class="swipe-hint swipe-start" aria-hidden="true">{t.value.remove}<Icon name="trash" /></span>
      <div class="row-body" {...swipe.handlers}>
        <a ref={link} class="row-open" href={`#/t/${row.hash}`} onClick={open} draggable={false} aria-current={row.hash === openHash.value ? 'true' : undefined}>
          <Icon name={row.state === 'queued' ? 'queued' : ICONS[tone(row)]} class="row-icon" />
          <Name name={row.name} />
          {!table && <span class="row-progress"><Bar row={row} /><span class="row-percent">{percent(row.progress, row.size)}</span></span>}
          <span class="row-words"><bdi>{words}</bdi></span>
          {table && <Cells row={row} live={live} />}
        </a>
        {selecting ? <SelectBox row={row} on={on} /> : <ActButton row={row} />}
      </div>
    </li>
  );
}
