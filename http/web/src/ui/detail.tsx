// SPDX-License-Identifier: MIT
// One torrent: its state in words, what can be done with it, and four tabs.
import { isStopped, toggle } from '../actions';
import { duration, percent, rate } from '../format';
import { t, toLeft } from '../i18n/index';
import { connected, may, stale } from '../link';
import { panes } from '../media';
import { leave, openHash, openTab, openTorrent, type Tab, TABS } from '../router';
import { isProblem } from '../order';
import { sentence, tone } from '../sentence';
import { openSheet } from '../sheets';
import { loaded, type Row, rowOf, tick } from '../store';
import { Files } from './files';
import { Icon } from './icon';
import { Overview } from './overview';
import { Peers } from './peers';
import { Bar } from './row';
import { Trackers } from './trackers';

const PANELS: Record<Tab, (props: { row: Row }) => preact.JSX.Element> = { overview: Overview, files: Files, peers: Peers, trackers: Trackers };

function Actions({ row }: { row: Row }) {
  const off = !connected.value, stopped = isStopped(row);
  if (!may('manage')) return null;
  return (
    <div class="detail-actions">
      <button type="button" class="button primary" disabled={off} onClick={() => toggle(row)}><Icon name={stopped ? 'play' : 'pause'} />{stopped ? t.value.start : t.value.stop}</button>
      <button type="button" class="button" disabled={off} onClick={() => openSheet({ kind: 'more', row })}><Icon name="more" />{t.value.more}</button>
      <button type="button" class="button danger-text" disabled={off} onClick={() => openSheet({ kind: 'remove', rows: [row] })}><Icon name="trash" />{t.value.remove}</button>
    </div>
  );
}

// Arrow keys go from tab to tab, as a tab list does.
function Tabs({ row }: { row: Row }) {
  const keys = (e: KeyboardEvent) => {
    const to = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0, by = toLeft.value ? -to : to;
    if (by === 0) return;
    e.preventDefault();
    const next = TABS[(TABS.indexOf(openTab.value) + by + TABS.length) % TABS.length]!;
    openTorrent(row.hash, next);
    requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
  };
  const n: Partial<Record<Tab, number>> = { peers: row.peers };
  return (
    <div class="tabs" role="tablist" onKeyDown={keys}>
      {TABS.map(tab => (
        <button key={tab} type="button" role="tab" id={`tab-${tab}`} aria-selected={openTab.value === tab} aria-controls="panel"
          tabIndex={openTab.value === tab ? 0 : -1} onClick={() => openTorrent(row.hash, tab)}>
          {t.value.tabs[tab]}{n[tab] ? <span class="count">{n[tab]}</span> : null}
        </button>
      ))}
    </div>
  );
}

function Head({ row }: { row: Row }) {
  const live = !stale.value;
  return (
    <div class={`detail-state tone-${tone(row)}`}>
      <p class="state-line"><strong>{t.value.states[row.state] ?? row.state}</strong>
        <span>{percent(row.progress, row.size)}</span>
        {live && row.down > 0 && <span>↓ {rate(row.down)}</span>}
        {live && row.up > 0 && <span>↑ {rate(row.up)}</span>}
        {live && row.down > 0 && row.eta >= 0 && <span>{t.value.left(duration(row.eta))}</span>}
      </p>
      <Bar row={row} />
      {(isProblem(row) || (row.down === 0 && row.up === 0)) && <p class="state-why"><bdi>{sentence(row, live)}</bdi></p>}
    </div>
  );
}

export function Detail() {
  void tick.value;
  const row = rowOf(openHash.value);
  const Panel = PANELS[openTab.value];
  return (
    <section class="detail" role={panes.value === 1 ? 'main' : 'region'} aria-labelledby="detail-title">
      <header class="detail-head">
        <button type="button" class="icon-button" aria-label={t.value.back} onClick={leave}><Icon name="back" /></button>
        <h1 id="detail-title" tabIndex={-1}><bdi>{row ? row.name : t.value.torrents}</bdi></h1>
      </header>
      {row ? (
        <div class="detail-body scroll" tabIndex={-1}>
          <Head row={row} />
          <Actions row={row} />
          <Tabs row={row} />
          <div id="panel" class="panel" role="tabpanel" aria-labelledby={`tab-${openTab.value}`}><Panel key={row.hash} row={row} /></div>
        </div>
      ) : <div class="empty"><p>{loaded.value ? t.value.gone : t.value.loading}</p><button type="button" class="button" onClick={leave}>{t.value.back}</button></div>}
    </section>
  );
}
