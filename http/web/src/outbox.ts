// SPDX-License-Identifier: MIT
// What is to be added once there is a connection: kept on this device, over reloads, and sent under one key, so that it is
// added once however often it is sent.
import { signal } from '@preact/signals';
import { ApiError } from './api';
import { t } from './i18n/index';
import { forget, keep, keptValues } from './kept';
import { connected, hasten } from './link';
import { say } from './snack';
import { keyOf, type Options, send, type Source } from './source';

export interface Waiting { key: string; source: Source; options: Options; wrong: string }

export const waiting = signal<Waiting[]>([]);
let sending = false;

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// Whether it may go another time: nobody has said no to it.
export const isAway = (error: unknown): boolean =>
  error instanceof ApiError && ['offline', 'noanswer', 'proxy', 'proxylogin', 'login'].includes(error.cause);

export async function sendLater(source: Source, options: Options): Promise<void> {
  const entry = { key: keyOf(), source, options, wrong: '' };
  waiting.value = [...waiting.value, entry];
  await keep(entry.key, entry).catch(() => undefined); // where nothing is kept it waits as long as the page is open
}

export async function dropWaiting(entry: Waiting): Promise<void> {
  waiting.value = waiting.value.filter(w => w.key !== entry.key);
  await forget(entry.key).catch(() => undefined);
}

async function sendOne(entry: Waiting): Promise<void> {
  try {
    await send(entry.source, entry.options, entry.key);
    say(t.value.added(entry.source.name));
  } catch (error) {
    if (isAway(error)) throw error;
    if (!(error instanceof ApiError && error.status === 409)) {
      waiting.value = waiting.value.map(w => (w.key === entry.key ? { ...w, wrong: message(error) } : w));
      return;
    }
  }
  await dropWaiting(entry);
}

async function sendAll(): Promise<void> {
  if (sending || !connected.value) return;
  sending = true;
  try {
    for (const entry of waiting.value.filter(w => !w.wrong)) await sendOne(entry);
    hasten();
  } catch {
    // the line went down again: what is left goes when it is back
  }
  sending = false;
}

export function startOutbox(): void {
  keptValues<Waiting>().then(kept => {
    waiting.value = kept.filter(w => w?.source && w.key);
    void sendAll();
  }, () => undefined);
  connected.subscribe(on => { if (on) void sendAll(); });
}
