// SPDX-License-Identifier: MIT
// What has finished since this device last looked: told once on top of the list, and by the icon of the installed page.
import { computed, effect, signal } from '@preact/signals';
import { loaded, type Row, rows, serverNow, shape } from './store';

const KEY = 'torrentd.seen';
const AWAY = 60; // s that one must have been away, or it is no news

function load(): number {
  try {
    return Number(localStorage.getItem(KEY) ?? 0);
  } catch {
    return 0;
  }
}

export const seenAt = signal(load()); // seconds since 1970, of the server's clock; 0: never

function seen(): void {
  if (!loaded.value) return;
  try {
    localStorage.setItem(KEY, String(Math.floor(serverNow())));
  } catch {
    // it holds until the page is closed
  }
}

let cameAt = Infinity; // when the list was first there: what finishes later does so before one's eyes

export const finished = computed<Row[]>(() => {
  void shape.value;
  if (seenAt.value === 0 || !loaded.value) return [];
  if (cameAt === Infinity) cameAt = serverNow();
  return [...rows.values()].filter(row => row.completed > seenAt.value && row.completed <= cameAt);
});

export function dismiss(): void {
  seenAt.value = Math.floor(serverNow());
  seen();
}

function onVisibility(): void {
  if (document.hidden) seen();
  else if (serverNow() - load() > AWAY) {
    cameAt = Infinity;
    seenAt.value = load();
  }
}

type Badged = Navigator & { setAppBadge?: (n: number) => Promise<void>; clearAppBadge?: () => Promise<void> };

export function startSince(): void {
  document.addEventListener('visibilitychange', onVisibility);
  addEventListener('pagehide', seen);
  effect(() => {
    if (loaded.value && seenAt.value === 0) dismiss();
  });
  effect(() => {
    const n = finished.value.length, badge = navigator as Badged;
    if (n > 0) void badge.setAppBadge?.(n).catch(() => undefined);
    else void badge.clearAppBadge?.().catch(() => undefined);
  });
}
