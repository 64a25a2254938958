// SPDX-License-Identifier: MIT
// Why nothing moves, or not faster, with the next step as a button.
import { change } from '../actions';
import { t } from '../i18n/index';
import { connected, may, stale } from '../link';
import { openTorrent } from '../router';
import { sentence } from '../sentence';
import { openSheet } from '../sheets';
import type { Row } from '../store';

type Step = 'force' | 'top' | 'trackers' | 'lift' | 'limits' | 'retry' | 'recheck' | 'peers' | 'files';

const STEPS: Record<string, Step[]> = {
  queue_wait: ['force', 'top'], no_sources: ['trackers'], tracker_error: ['trackers'], no_answer: ['peers', 'trackers'], all_choked: ['peers'], peers_slow: ['peers'],
  pieces_missing: ['peers', 'files'], metadata_wait: ['peers', 'trackers'], limit_torrent: ['lift'], limit_global: ['limits'], disk_full: ['retry'], volume_missing: ['retry'],
  io_error: ['retry', 'recheck'],
};

function run(step: Step, row: Row): void {
  const go = (action: string, args: Record<string, unknown>, text: string) => void change(row, action, args, text);
  const steps: Record<Step, () => void> = {
    force: () => go('force', {}, t.value.started(row.name)),
    top: () => go('queue', { to: 'top' }, t.value.moved),
    trackers: () => openTorrent(row.hash, 'trackers'),
    peers: () => openTorrent(row.hash, 'peers'),
    files: () => openTorrent(row.hash, 'files'),
    lift: () => go('limits', { down: 0 }, t.value.limitSet(t.value.unlimited)),
    limits: () => openSheet({ kind: 'now' }),
    retry: () => go('start', {}, t.value.started(row.name)),
    recheck: () => go('recheck', {}, t.value.rechecking),
  };
  steps[step]();
}

const LOOKS = new Set<Step>(['trackers', 'peers', 'files', 'limits']);

export function Why({ row }: { row: Row }) {
  const steps = STEPS[row.why] ?? (row.state === 'error' ? STEPS.io_error! : []);
  const usable = steps.filter(step => LOOKS.has(step) || may('manage'));
  if (usable.length === 0) return null;
  const text = t.value.whys[row.why] ?? sentence(row, !stale.value);
  return (
    <section class={`why ${row.state === 'error' ? 'why-bad' : ''}`} aria-labelledby="why">
      <h2 id="why">{t.value.why}</h2>
      <p><bdi>{text}</bdi></p>
      <p class="why-steps">{usable.map(step => (
        <button key={step} type="button" class="button small" disabled={!LOOKS.has(step) && !connected.value} onClick={() => run(step, row)}>{t.value.steps[step]}</button>
      ))}</p>
    </section>
  );
}
