// SPDX-License-Identifier: MIT
// What a row says of itself: rates while data moves, else why none does.
import { bytes, duration, percent, rate, ratio } from './format';
import { t } from './i18n/index';
import { isDone } from './order';
import type { Row } from './store';

export type Tone = 'down' | 'up' | 'done' | 'warn' | 'error' | 'check' | 'meta' | 'idle';

const TONES: Record<string, Tone> = {
  downloading: 'down', seeding: 'done', checking: 'check', moving: 'check', metadata: 'meta', error: 'error',
};

export function tone(row: Row): Tone {
  if (row.state === 'seeding') return row.up > 0 ? 'up' : 'done';
  if (row.state === 'stopped' && isDone(row)) return 'done';
  return TONES[row.state] ?? 'idle';
}

const WHY: Record<string, (row: Row) => string> = {
  no_sources: () => t.value.whyNobody,
  tracker_error: row => row.error || t.value.whyTracker,
  no_answer: row => t.value.whyNoAnswer(row.peers),
  all_choked: row => t.value.whyChoked(row.peers),
  pieces_missing: () => t.value.whyPieces,
  peers_slow: row => t.value.whyChoked(row.peers),
  disk_full: () => t.value.whyDisk,
  volume_missing: () => t.value.whyVolume,
  io_error: row => row.error || t.value.whyIo,
  stopped_limit: row => t.value.whyLimit(ratio(row.ratio)),
};

const part = (row: Row): string => t.value.of(bytes(row.wanted - row.left), bytes(row.wanted));

function moving(row: Row): string {
  const rates = [row.down > 0 ? `↓ ${rate(row.down)}` : '', row.up > 0 ? `↑ ${rate(row.up)}` : ''].filter(Boolean).join(' ');
  if (isDone(row)) return t.value.moving(rates, t.value.seedingAt(ratio(row.ratio)), '');
  return t.value.moving(rates, row.eta >= 0 ? duration(row.eta) : '', part(row));
}

const STATES: Record<string, (row: Row) => string> = {
  error: row => (row.error || t.value.states.error!).slice(0, 300),
  checking: row => t.value.whyChecking(percent(row.progress)),
  metadata: row => t.value.whyMetadata(row.peers),
  queued: () => t.value.whyQueued,
  stopped: row => (isDone(row) ? t.value.whyStoppedDone(ratio(row.ratio)) : t.value.whyStopped(part(row))),
  seeding: row => t.value.whySeeding(ratio(row.ratio)),
  downloading: row => (row.peers > 0 ? t.value.whyChoked(row.peers) : t.value.whyNobody),
};

// Where the numbers have columns of their own.
export const brief = (row: Row): string =>
  (row.state === 'seeding' || row.down > 0 || row.up > 0 ? t.value.states[row.state] ?? row.state : sentence(row, true));

// live: numbers that move are of now.
export function sentence(row: Row, live: boolean): string {
  if (row.state === 'error') return STATES.error!(row);
  if (row.down > 0 || row.up > 0) return live ? moving(row) : t.value.moving('–', '', part(row));
  const why = row.state === 'downloading' || row.why === 'stopped_limit' ? WHY[row.why] : undefined;
  return (why ?? STATES[row.state] ?? (() => t.value.states[row.state] ?? row.state))(row);
}
