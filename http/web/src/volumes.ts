// SPDX-License-Identifier: MIT
// How much room there is where downloads go; looked at once a minute while the page is.
import { signal } from '@preact/signals';
import { get } from './api';
import { connected } from './link';

export interface Volume { id: string; paths: string[]; free: number; total: number; error: string | null }

const EVERY = 60_000; // ms

export const volumes = signal<Volume[]>([]);

export async function lookAtVolumes(): Promise<void> {
  if (document.hidden || !connected.value) return;
  try {
    volumes.value = (await get<{ volumes: Volume[] }>('api/v1/volumes')).volumes;
  } catch {
    volumes.value = []; // who asks may not know, or the daemon is older
  }
}

// The volume that a directory is on: that of the longest path which it lies beneath; none named: the first.
export function volumeOf(path: string): Volume | undefined {
  const beneath = (root: string) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
  const fit = (v: Volume) => Math.max(-1, ...v.paths.filter(beneath).map(p => p.length));
  if (!path.startsWith('/')) return volumes.value[0];
  return [...volumes.value].sort((a, b) => fit(b) - fit(a)).find(v => fit(v) >= 0);
}

export function startVolumes(): void {
  connected.subscribe(on => { if (on) void lookAtVolumes(); });
  setInterval(() => void lookAtVolumes(), EVERY);
}
