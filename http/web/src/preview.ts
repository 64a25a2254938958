// SPDX-License-Identifier: MIT
// A look at what a magnet link leads to, before anything of it is added: its files come from peers, if they come.
import { signal } from '@preact/signals';
import { change, get, post } from './api';
import type { TorrentFile } from './bencode';
import { connected, may } from './link';
import type { Source } from './source';
import { rowOf } from './store';

export interface Look {
  id: string; state: 'resolving' | 'ready' | 'failed'; detail?: string; asked: number; answered: number; size: number; files: TorrentFile[]; skip: number[]; began: number;
}
interface Told { id: string; state: Look['state']; detail?: string; peers?: { asked: number; answered: number }; size?: number; files?: { i: number; path: string; size: number }[] }

const MOST = 4; // at once, of the eight that the daemon has
const EVERY = 1000; // ms

export const looks = signal<ReadonlyMap<string, Look>>(new Map()); // by key of the source
let timer = 0;

function put(key: string, look: Look | null): void {
  const next = new Map(looks.value);
  look ? next.set(key, look) : next.delete(key);
  looks.value = next;
}

function merged(old: Look, told: Told): Look {
  const files = told.files?.map(f => ({ index: f.i, path: f.path, length: f.size })) ?? old.files;
  return {
    ...old, id: told.id ?? old.id, state: told.state, asked: told.peers?.asked ?? old.asked, answered: told.peers?.answered ?? old.answered, size: told.size ?? old.size, files,
    ...(told.detail ? { detail: told.detail } : {}),
  };
}

async function begin(key: string, source: string): Promise<void> {
  put(key, { id: '', state: 'resolving', asked: 0, answered: 0, size: 0, files: [], skip: [], began: Date.now() });
  try {
    const told = JSON.parse(await post('api/v1/previews', {}, { source })) as Told, look = looks.value.get(key);
    if (look) put(key, merged(look, told));
    else void change('DELETE', `api/v1/previews/${told.id}`).catch(() => undefined);
  } catch {
    const look = looks.value.get(key);
    if (look) put(key, { ...look, state: 'failed' }); // it can be added all the same
  }
}

async function turn(): Promise<void> {
  for (const [key, look] of looks.value) {
    if (!look.id || look.state !== 'resolving') continue;
    const told = await get<Told>(`api/v1/previews/${look.id}`).catch(() => null), now = looks.value.get(key);
    if (told && now) put(key, merged(now, told));
  }
  timer = [...looks.value.values()].some(l => l.state === 'resolving') ? window.setTimeout(() => void turn(), EVERY) : 0;
}

// Looks at those of the sources that are magnets and not here, and at no others any more.
export function lookAt(sources: Source[]): void {
  const wanted = sources.filter(s => s.kind === 'magnet' && !rowOf(s.key)).slice(0, MOST);
  for (const [key, look] of looks.value) {
    if (wanted.some(s => s.key === key)) continue;
    put(key, null);
    if (look.id) void change('DELETE', `api/v1/previews/${look.id}`).catch(() => undefined);
  }
  if (!connected.value || !may('add')) return;
  for (const s of wanted) if (s.kind === 'magnet' && !looks.value.has(s.key)) void begin(s.key, s.url);
  if (!timer && looks.value.size > 0) timer = window.setTimeout(() => void turn(), EVERY / 2);
}

export const chooseIn = (key: string, skip: number[]): void => {
  const look = looks.value.get(key);
  if (look) put(key, { ...look, skip });
};
